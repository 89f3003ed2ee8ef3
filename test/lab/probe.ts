/**
 * A client on the segment that asks the HA address every millisecond, as clients would notice it: who has it (ARP), a
 * ping, a datagram, an HTTP request. Runs in the client's namespace; all times are CLOCK_MONOTONIC of this host.
 */

import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Segment } from "./segment.js";

export type Level = "arp" | "icmp" | "udp" | "http";

export interface Sample {
  readonly level: Level;
  /** When the answer was read. */
  readonly atMs: number;
  /** ARP: the hardware address, hex digits. UDP and HTTP: the name that the service gave. */
  readonly from: string;
}

export interface ProbeOrder {
  /** The HA address, IPv4. */
  readonly address: string;
  readonly own: string;
  readonly device: string;
  readonly echoPort: number;
  /** Undefined: no HTTP. */
  readonly httpPort: number | undefined;
  readonly httpPath?: string;
}

export interface ProbeResult {
  readonly samples: readonly Sample[];
  /** HTTP requests that failed. */
  readonly failures: readonly { readonly atMs: number; readonly why: string }[];
  readonly endedMs: number;
}

/** What is counted while the probe runs; `reads`: how often it took whatever had arrived below HTTP. */
export const countOf = ["reads", "arp", "icmp", "udp"] as const;

export type ProbeCounts = Readonly<Record<(typeof countOf)[number] | "http" | "httpFailed", number>>;

export interface Probe {
  /** How far it is. What was noted before this was asked for is older than the answer. */
  counts(): Promise<ProbeCounts>;
  stop(): Promise<ProbeResult>;
}

export const echoPort = 7007;
export const echoHttpPort = 7080;

export interface ProbeOptions {
  readonly machine?: string;
  readonly httpPort?: number | undefined;
  readonly httpPath?: string;
}

/** Resolves once the first questions are being asked. */
export async function startProbe(
  segment: Segment,
  address: string,
  options: ProbeOptions = {},
): Promise<Probe> {
  const machine = segment.machine(options.machine ?? "client");
  const order: ProbeOrder = {
    address,
    own: machine.address,
    device: machine.device,
    echoPort,
    httpPort: "httpPort" in options ? options.httpPort : echoHttpPort,
    ...(options.httpPath === undefined ? {} : { httpPath: options.httpPath }),
  };
  const script = fileURLToPath(new URL("./probe-process.js", import.meta.url));
  const child = segment.start(machine.name, process.execPath, [script, JSON.stringify(order)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = linesOf(child);
  const first = await lines.next();
  if (first.value !== "ready") throw new Error(`the probing client did not start: ${String(first.value)}`);
  const answer = async (what: string): Promise<unknown> => {
    const line = await lines.next();
    if (line.done) throw new Error(`the probing client ended without its ${what}`);
    return JSON.parse(line.value);
  };
  return {
    async counts() {
      child.stdin?.write("counts\n");
      return (await answer("counts")) as ProbeCounts;
    },
    async stop() {
      child.stdin?.end();
      return (await answer("samples")) as ProbeResult;
    },
  };
}

function linesOf(child: ChildProcess): AsyncIterator<string> {
  if (child.stdout === null) throw new Error("the child has no standard output");
  return createInterface({ input: child.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]();
}
