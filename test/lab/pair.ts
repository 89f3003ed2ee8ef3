/**
 * A real pair on a segment: two machines with a pulse and a node process each, their files in a folder of the test, and
 * a client beside them. Faults go to the processes by id; everything is ended and removed by `close`.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ControlReply, NodeStatus } from "@understudy/core/internal/ipc/control";
import { newKeyRing, writeKeyFile } from "@understudy/core/internal/keys/key-file";
import { stringify } from "yaml";
import { makeSegment, processState, type Segment } from "./segment.js";
import { mountSmallDisk, type SmallDisk } from "./small-disk.js";

export type Side = "primary" | "secondary";
export type Which = "pulse" | "node";

export const sides = ["primary", "secondary"] as const;
export const nodeAddresses = { primary: "10.77.0.2", secondary: "10.77.0.3" } as const;
export const clientAddress = "10.77.0.9";
export const pairHaAddress = "10.77.0.4";

const program = fileURLToPath(new URL("../../../core/bin/understudy.js", import.meta.url));

export interface PairOptions {
  /** Put over the smallest working config, key by key at the top level. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The same, for one node only: to make configs differ on purpose. */
  readonly configOf?: Readonly<Partial<Record<Side, Readonly<Record<string, unknown>>>>>;
  /** A cable between the nodes on eth1 with 10.78.0.2 and .3. */
  readonly cable?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** The same, for one node only: to give it a clock of its own. */
  readonly envOf?: Readonly<Partial<Record<Side, Readonly<Record<string, string>>>>>;
  /** The state folder of each node is a disk of its own with so many mebibytes, which a test can fill (needs root). */
  readonly stateDiskMiB?: number;
  /** More machines on the segment, by name and address. */
  readonly machines?: Readonly<Record<string, string>>;
  /** Do not start anything yet. */
  readonly cold?: boolean;
  /** A segment that is there already, with both machines and the client; it stays when the pair is closed. */
  readonly segment?: Segment;
}

export interface PairNode {
  readonly side: Side;
  readonly folder: string;
  readonly configFile: string;
  readonly keyFile: string;
  /** Undefined while that process does not run. */
  pid(which: Which): number | undefined;
  start(which?: Which): Promise<void>;
  signal(signal: NodeJS.Signals, which?: Which | "both"): void;
  /** SIGTERM, then waits for the end of the process. */
  end(which?: Which | "both"): Promise<void>;
  /** Settles when what was told to end has ended: a large process is not gone with its signal. */
  gone(which?: Which | "both"): Promise<void>;
  /** Undefined when node does not run, or does not answer for so long that it hangs. */
  status(): Promise<NodeStatus | undefined>;
  cli(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  log(which: Which): string;
}

export interface Pair {
  readonly segment: Segment;
  readonly folder: string;
  readonly cable: { cut(): void; mend(): void } | undefined;
  /** The small disk under the state folder; throws when the pair was made without. */
  disk(side: Side): SmallDisk;
  node(side: Side): PairNode;
  /** Pulls the plug: nothing runs any more, nothing leaves any more, every process is dead. Settles when they are gone. */
  losePower(side: Side): Promise<void>;
  /** Plugs it in again and starts what ran. */
  returnPower(side: Side): Promise<void>;
  /** Looks again and again until it holds; what both nodes say is part of the error. */
  waitFor(holds: () => Promise<boolean> | boolean, what: string, withinMs?: number): Promise<void>;
  /** Waits until this side is active and the other stands by in sync. */
  settled(active?: Side, withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Nothing is measured by it: it ends a test that would wait for ever. Where two cores have twenty processes to run, the
 * four of a pair alone take half a minute to start.
 */
export const hungAfterMs = 90_000;

/** The smallest config, with times that people would wait for cut short: they are printed by whoever measures. */
export function pairConfig(folder: string): Record<string, unknown> {
  return {
    cluster: "lab",
    nodes: nodeAddresses,
    haAddress: `${pairHaAddress}/24`,
    keyFile: join(folder, "key"),
    folders: { state: join(folder, "state"), run: join(folder, "run") },
    aloneAfter: "3s",
    failback: { mode: "auto", hold: "1s", maxHold: "1s", manualAfterLosses: 1000 },
    reclaimHold: "1s",
  };
}

export async function startPair(options: PairOptions = {}): Promise<Pair> {
  const segment =
    options.segment ?? makeSegment({ ...nodeAddresses, client: clientAddress, ...options.machines });
  const folder = mkdtempSync(join(tmpdir(), "us-"));
  // After the segment's own end, which stops whoever writes there; also when Ctrl-C ends us.
  const removeFolder = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  process.once("exit", removeFolder);
  const cable = options.cable
    ? segment.addCable({ primary: "10.78.0.2", secondary: "10.78.0.3" })
    : undefined;
  const disks = new Map<Side, SmallDisk>();
  const ring = newKeyRing();
  const nodes = Object.fromEntries(
    sides.map((side) => {
      const own = join(folder, side);
      mkdirSync(join(own, "state"), { recursive: true });
      mkdirSync(join(own, "run"));
      if (options.stateDiskMiB !== undefined)
        disks.set(side, mountSmallDisk(join(own, "state"), options.stateDiskMiB));
      writeKeyFile(join(own, "key"), ring);
      const config = { ...pairConfig(own), ...options.config, ...options.configOf?.[side] };
      writeFileSync(join(own, "understudy.yaml"), stringify(config));
      return [side, makeNode(segment, side, own, { ...options.env, ...options.envOf?.[side] })];
    }),
  ) as Record<Side, PairNode>;
  const leave = options.segment === undefined ? () => segment.close() : () => endAll(nodes);
  const made = makePair(segment, folder, cable, disks, nodes, leave);
  const close = async () => {
    await made.close();
    process.removeListener("exit", removeFolder);
  };
  const pair = { ...made, close };
  try {
    if (!options.cold) await startBoth(pair);
  } catch (cause) {
    await pair.close();
    throw cause;
  }
  return pair;
}

export async function startBoth(pair: Pair): Promise<void> {
  await Promise.all(sides.map((side) => pair.node(side).start()));
  await pair.settled("primary");
}

function makePair(
  segment: Segment,
  folder: string,
  cable: Pair["cable"],
  disks: ReadonlyMap<Side, SmallDisk>,
  nodes: Readonly<Record<Side, PairNode>>,
  leave: () => void | Promise<void>,
): Pair {
  const roles = async () => {
    const [primary, secondary] = await Promise.all(sides.map((side) => nodes[side].status()));
    return { primary, secondary };
  };
  const pair: Pair = {
    segment,
    folder,
    cable,
    disk: (side) => {
      const disk = disks.get(side);
      if (disk === undefined) throw new Error("this pair was made without stateDiskMiB");
      return disk;
    },
    node: (side) => nodes[side],
    losePower: (side) => {
      // A pulse that still sees its carrier go would hand over by whatever path is left, and write down that it did.
      nodes[side].signal("SIGSTOP");
      segment.losePower(side);
      return nodes[side].gone();
    },
    returnPower: async (side) => {
      // A kernel that has booted knows neither the HA address, which answers until the former lease ends, nor what still
      // waits for an answer to ARP and would come as beats of a node that is dead.
      segment.run(side, "ip", ["addr", "flush", "to", `${pairHaAddress}/32`]);
      segment.run(side, "ip", ["neigh", "flush", "dev", segment.machine(side).device]);
      segment.mend(side);
      await nodes[side].start();
    },
    waitFor: async (holds, what, withinMs = hungAfterMs) => {
      const endMs = performance.now() + withinMs;
      while (!(await holds())) {
        if (performance.now() < endMs) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          continue;
        }
        throw new Error(`waited ${withinMs} ms in vain for: ${what}\n${await describe(nodes)}`);
      }
    },
    settled: (active = "primary", withinMs = hungAfterMs) => {
      const standby = active === "primary" ? "secondary" : "primary";
      return pair.waitFor(
        async () => {
          const status = await roles();
          const standbyStatus = status[standby];
          return (
            status[active]?.pulse?.role === "active" &&
            standbyStatus?.pulse?.role === "standby" &&
            standbyStatus.sessions?.inSync !== false &&
            status[active].sessions?.inSync !== false &&
            standbyStatus.pulse.peer.alive &&
            // Over a slow path both may have claimed for a moment: who stands by must know who serves.
            standbyStatus.pulse.peer.role === "active" &&
            standbyStatus.pulse.peer.epoch === status[active].pulse.epoch
          );
        },
        `${active} active and ${standby} in standby and in sync`,
        withinMs,
      );
    },
    close: async () => {
      await leave();
      for (const disk of disks.values()) disk.unmount();
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
  return pair;
}

async function endAll(nodes: Readonly<Record<Side, PairNode>>): Promise<void> {
  for (const node of Object.values(nodes)) {
    node.signal("SIGKILL");
    await node.gone();
  }
}

async function describe(nodes: Readonly<Record<Side, PairNode>>): Promise<string> {
  const parts = sides.map(async (side) => {
    const status = await nodes[side].status();
    const said =
      status === undefined ? "no status" : JSON.stringify({ ...status.pulse, sessions: status.sessions });
    const tail = (which: Which) => nodes[side].log(which).split("\n").slice(-12).join("\n");
    return `${side}: ${said}\n${side} pulse log:\n${tail("pulse")}\n${side} node log:\n${tail("node")}`;
  });
  return (await Promise.all(parts)).join("\n");
}

function makeNode(
  segment: Segment,
  side: Side,
  folder: string,
  env: Readonly<Record<string, string>>,
): PairNode {
  const children = new Map<Which, ChildProcess>();
  /** Told to end, and perhaps not gone yet. */
  const ending = new WeakSet<ChildProcess>();
  const configFile = join(folder, "understudy.yaml");
  const running = (which: Which): ChildProcess | undefined => {
    const child = children.get(which);
    return child?.exitCode === null && child.signalCode === null ? child : undefined;
  };
  const each = (which: Which | "both"): readonly Which[] => (which === "both" ? ["pulse", "node"] : [which]);
  const startOne = async (which: Which) => {
    const before = running(which);
    if (before !== undefined && ending.has(before)) await once(before, "exit");
    else if (before !== undefined) return;
    const log = openSync(join(folder, `${which}.log`), "a");
    const args = [program, which, "--config", configFile, "--node", side];
    const child = segment.start(side, process.execPath, args, {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...env },
    });
    children.set(which, child);
    await once(child, "spawn");
    closeSync(log);
  };
  const tell = (signal: NodeJS.Signals, which: Which | "both") => {
    for (const child of each(which).flatMap((one) => running(one) ?? [])) {
      if (signal === "SIGKILL" || signal === "SIGTERM") ending.add(child);
      child.kill(signal);
    }
  };
  const gone = async (which: Which | "both" = "both") => {
    const going = each(which).flatMap((one) => running(one) ?? []);
    await Promise.all(going.map((child) => once(child, "exit")));
  };
  return {
    side,
    folder,
    configFile,
    keyFile: join(folder, "key"),
    pid: (which) => running(which)?.pid,
    start: async (which) => {
      for (const one of which === undefined ? (["pulse", "node"] as const) : [which]) await startOne(one);
    },
    signal: (signal, which = "both") => {
      tell(signal, which);
    },
    end: async (which = "both") => {
      tell("SIGTERM", which);
      await gone(which);
    },
    gone,
    status: () => askStatus(join(folder, "run", "node.sock")),
    cli: (...args) => runCli(segment, side, configFile, args),
    log: (which) => {
      try {
        return readFileSync(join(folder, `${which}.log`), "utf8");
      } catch {
        return "";
      }
    },
  };
}

function runCli(
  segment: Segment,
  side: Side,
  configFile: string,
  args: readonly string[],
): Promise<{ code: number; out: string; err: string }> {
  const { namespace } = segment.machine(side);
  const [command = "", ...rest] = args;
  const whole = [program, command, ...rest, "--config", configFile, "--node", side];
  const child = spawn("ip", ["netns", "exec", namespace, process.execPath, ...whole], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, out, err }));
  });
}

/** One question over the control socket, without the cost of a process. */
export function askStatus(socketPath: string, withinMs = 10_000): Promise<NodeStatus | undefined> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    let text = "";
    const done = (status: NodeStatus | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(status);
    };
    const timer = setTimeout(() => done(undefined), withinMs);
    socket.once("connect", () =>
      socket.write(`${JSON.stringify({ id: "1", command: "status", args: {} })}\n`),
    );
    socket.on("data", (chunk: Buffer) => {
      text += chunk;
      if (!text.includes("\n")) return;
      const reply = JSON.parse(text.slice(0, text.indexOf("\n"))) as ControlReply;
      done(reply.type === "result" ? (reply.result as NodeStatus) : undefined);
    });
    socket.once("error", () => done(undefined));
    socket.once("end", () => done(undefined));
  });
}

/** The process is stopped by a signal, by the kernel's own word. */
export function isStopped(pid: number): boolean {
  return processState(pid) === "T";
}
