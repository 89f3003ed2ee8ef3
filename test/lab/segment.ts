/**
 * Makes one layer-2 segment out of network namespaces: a bridge in a namespace of its own and one machine a
 * namespace on it. Owns their names and their end, and nothing of it touches the host's own network.
 */
import { execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** One machine on the segment: its namespace, its device there and the bridge's port for it. */
export interface Machine {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly device: "eth0";
  readonly port: string;
}

export interface Cable {
  cut(): void;
  mend(): void;
}

export interface Segment {
  readonly machines: ReadonlyMap<string, Machine>;
  machine(name: string): Machine;
  run(machine: string, command: string, args: readonly string[]): string;
  start(
    machine: string,
    command: string,
    args: readonly string[],
    options: SpawnOptions,
  ): ReturnType<typeof spawn>;
  /** Takes the machine off the wire at the bridge, so that not even its kernel's FIN leaves. */
  cut(machine: string): void;
  mend(machine: string): void;
  /** Drops on the wire what one machine sends to the other, and nothing else: one direction of one path. */
  block(from: string, to: string): void;
  unblock(from: string, to: string): void;
  /** A cable of its own between two machines, on `eth1` of both. Cut and mended apart from the segment. */
  addCable(ends: Readonly<Record<string, string>>, prefixLength?: number): Cable;
  /** Cuts first and kills afterwards: a machine without power says no goodbye. */
  losePower(machine: string): void;
  signal(machine: string, signal: NodeJS.Signals): readonly number[];
  close(): void;
}

let made = 0;

/** Namespaces are named by our process id, so that two labs on one host never meet. */
export function makeSegment(addresses: Readonly<Record<string, string>>, prefixLength = 24): Segment {
  made += 1;
  const tag = `us${process.pid}x${made}`;
  const bridge = `${tag}-seg`;
  const machines = new Map<string, Machine>();
  const close = closer(tag, machines, bridge);
  try {
    ip(["netns", "add", bridge]);
    ip(["-n", bridge, "link", "add", "br0", "type", "bridge", "forward_delay", "0", "stp_state", "0"]);
    ip(["-n", bridge, "link", "set", "br0", "up"]);
    for (const [name, address] of Object.entries(addresses)) {
      const machine: Machine = {
        name,
        namespace: `${tag}-${name}`,
        address,
        device: "eth0",
        port: `p${machines.size}`,
      };
      machines.set(name, machine);
      plug(machine, bridge, prefixLength);
    }
  } catch (cause) {
    close();
    throw cause;
  }
  return segmentOf(machines, bridge, close);
}

function segmentOf(machines: ReadonlyMap<string, Machine>, bridge: string, close: () => void): Segment {
  const machine = (name: string): Machine => {
    const found = machines.get(name);
    if (!found) throw new Error(`no machine ${name} on this segment: ${[...machines.keys()].join(", ")}`);
    return found;
  };
  const port = (name: string, state: "up" | "down") =>
    void ip(["-n", bridge, "link", "set", machine(name).port, state]);
  const signal = (name: string, wanted: NodeJS.Signals) => signalAll(machine(name).namespace, wanted);
  const nft = (script: string) => void ip(["netns", "exec", bridge, "nft", script]);
  const blockTable = (from: string, to: string) => `block_${machine(from).port}_${machine(to).port}`;
  return {
    machines,
    machine,
    run: (name, command, args) => ip(["netns", "exec", machine(name).namespace, command, ...args]),
    start: (name, command, args, options) =>
      spawn("ip", ["netns", "exec", machine(name).namespace, command, ...args], options),
    cut: (name) => port(name, "down"),
    mend: (name) => port(name, "up"),
    block: (from, to) => {
      const table = blockTable(from, to);
      const mac = ip(["netns", "exec", machine(from).namespace, "cat", "/sys/class/net/eth0/address"]).trim();
      nft(
        `table netdev ${table} { chain out { type filter hook egress device "${machine(to).port}" priority 0; ether saddr ${mac} drop; }; }`,
      );
    },
    unblock: (from, to) => nft(`delete table netdev ${blockTable(from, to)}`),
    addCable: (ends, prefixLength = 24) => addCable(Object.entries(ends), machine, prefixLength),
    losePower: (name) => {
      port(name, "down");
      signal(name, "SIGKILL");
    },
    signal,
    close,
  };
}

function addCable(
  ends: readonly (readonly [string, string])[],
  machine: (name: string) => Machine,
  prefixLength: number,
): Cable {
  const [near, far] = ends.map(([name]) => machine(name).namespace);
  if (ends.length !== 2 || near === undefined || far === undefined) throw new Error("a cable has two ends");
  ip(["-n", near, "link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", far]);
  for (const [name, address] of ends) {
    const { namespace } = machine(name);
    ip(["-n", namespace, "addr", "add", `${address}/${prefixLength}`, "dev", "eth1"]);
    ip(["-n", namespace, "link", "set", "eth1", "up"]);
  }
  const set = (state: "up" | "down") => void ip(["-n", near, "link", "set", "eth1", state]);
  return { cut: () => set("down"), mend: () => set("up") };
}

function plug(machine: Machine, bridge: string, prefixLength: number): void {
  const { namespace, device, port, address } = machine;
  ip(["netns", "add", namespace]);
  ip(["-n", bridge, "link", "add", port, "type", "veth", "peer", "name", device, "netns", namespace]);
  ip(["-n", bridge, "link", "set", port, "master", "br0", "up"]);
  ip(["-n", namespace, "link", "set", "lo", "up"]);
  ip(["-n", namespace, "link", "set", device, "up"]);
  ip(["-n", namespace, "addr", "add", `${address}/${prefixLength}`, "dev", device]);
}

function closer(tag: string, machines: ReadonlyMap<string, Machine>, bridge: string): () => void {
  let closed = false;
  // A signal ends a process without its exit event, so it is turned into an ordinary exit that cleans up.
  const interrupt = () => process.exit(130);
  const close = () => {
    if (closed) return;
    closed = true;
    process.removeListener("exit", close);
    process.removeListener("SIGINT", interrupt);
    process.removeListener("SIGTERM", interrupt);
    for (const { namespace } of machines.values()) remove(namespace);
    remove(bridge);
  };
  process.once("exit", close);
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  return close;

  function remove(namespace: string): void {
    if (!namespace.startsWith(tag) || !namespaces().includes(namespace)) return;
    signalAll(namespace, "SIGKILL");
    ip(["netns", "del", namespace]);
  }
}

function namespaces(): string[] {
  return ip(["netns", "list"])
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
}

/** Signals what lives in the namespace; by process id, read from the kernel at this moment. */
function signalAll(namespace: string, signal: NodeJS.Signals): readonly number[] {
  const pids = ip(["netns", "pids", namespace]).split("\n").filter(Boolean).map(Number);
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (cause) {
      // It ended between the listing and the signal, which is what was wanted or does no harm.
      if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
    }
  }
  return pids;
}

function ip(args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** The kernel's one-letter state of a process (T is stopped), or undefined when it is gone. */
export function processState(pid: number): string | undefined {
  if (!readdirSync("/proc").includes(String(pid))) return undefined;
  try {
    return /^\d+ \(.*\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
