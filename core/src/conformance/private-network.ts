/**
 * A network of its own for a test file: the file starts itself again inside new user, network, mount and process
 * namespaces, so it needs no root, touches nothing of the host, and everything it started ends with it.
 */

import { execFileSync, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";

let made = 0;

const inside = "UNDERSTUDY_PRIVATE_NETWORK";

/**
 * Call it first in a test file, with `import.meta.url`. Outside it runs this program again inside, passes its results on
 * and ends this process; inside it returns. Needs `unshare` and `setpriv` (util-linux), `ip` (iproute2) and user namespaces or root.
 */
export function enterPrivateNetwork(moduleUrl: string): void {
  if (process.env[inside] !== undefined) return;
  const flags = ["--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  // /run is made anew because `ip netns` keeps the names of its namespaces there.
  const script = 'mount -t tmpfs none /run && ip link set lo up && exec "$@"';
  const file = fileURLToPath(moduleUrl);
  // unshare ignores the signals that end a test run, so the kernel is told to end it together with this process.
  const args = ["--pdeathsig", "KILL", "unshare", ...flags, "sh", "-c", script, "sh"];
  // The same program with the same arguments: the file is not always the one that was started.
  const program = process.argv.length > 1 ? process.argv.slice(1) : [file];
  const node = [process.execPath, ...process.execArgv, ...program];
  const ran = spawnSync("setpriv", [...args, ...node], {
    stdio: "inherit",
    env: { ...process.env, [inside]: "1" },
  });
  if (ran.error !== undefined) writeSync(2, `no private network: ${ran.error.message}\n`);
  process.exit(ran.status ?? 1);
}

/** Machines on one bridge, each in a namespace of its own, with its device `eth0`. */
export interface PrivateSegment {
  /** The bridge, as a device of the test process itself: with an address on it that process is a machine too. */
  readonly bridge: string;
  /** Runs a command on a machine and returns what it printed; throws when it fails. */
  run(machine: string, command: string, ...args: readonly string[]): string;
  /** Whether the command succeeds there. */
  succeeds(machine: string, command: string, ...args: readonly string[]): boolean;
  start(
    machine: string,
    command: string,
    args: readonly string[],
    options: SpawnOptions,
  ): ReturnType<typeof spawn>;
  /** Plugs the machine out of the bridge, so that its device loses its carrier, or in again. */
  plug(machine: string, state: "in" | "out"): void;
}

/** Addresses with prefix lengths, several a machine: `{ us: ["10.0.0.2/24", "fd00::2/64"] }`. Only inside. */
export function makePrivateSegment(machines: Readonly<Record<string, readonly string[]>>): PrivateSegment {
  const ip = (...args: readonly string[]) => execFileSync("ip", args, { encoding: "utf8" });
  made += 1;
  const bridge = `br${made}`;
  ip("link", "add", bridge, "type", "bridge", "mcast_snooping", "0");
  ip("link", "set", bridge, "up");
  for (const [name, addresses] of Object.entries(machines)) {
    ip("netns", "add", name);
    ip("link", "add", portOf(name), "type", "veth", "peer", "name", "eth0", "netns", name);
    ip("link", "set", portOf(name), "master", bridge, "up");
    ip("-n", name, "link", "set", "lo", "up");
    ip("-n", name, "link", "set", "eth0", "up");
    for (const address of addresses)
      ip("-n", name, "addr", "add", address, "dev", "eth0", ...(address.includes(":") ? ["nodad"] : []));
  }
  return {
    bridge,
    run: (machine, command, ...args) =>
      execFileSync("ip", ["netns", "exec", machine, command, ...args], { encoding: "utf8" }),
    succeeds: (machine, command, ...args) =>
      spawnSync("ip", ["netns", "exec", machine, command, ...args], { stdio: "ignore" }).status === 0,
    start: (machine, command, args, options) =>
      spawn("ip", ["netns", "exec", machine, command, ...args], options),
    plug: (machine, state) => void ip("link", "set", portOf(machine), state === "in" ? "up" : "down"),
  };
}

const portOf = (machine: string) => `p-${machine}`;
