/**
 * How long clients of the address go unserved at each kind of fault, and how long two machines answered at once: for
 * every contender in the same lab and the same run. Prints tables; asserts nothing.
 */

import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { bothAnsweringMs, median, outage } from "../lab/outage.js";
import { monotonicMs } from "../lab/packet-socket.js";
import { echoHttpPort, echoPort, type Level, startProbe } from "../lab/probe.js";
import { makeSegment, type Segment } from "../lab/segment.js";
import { type Contender, haAddress, type MachineName, type RunningPair } from "./contender.js";

export interface Fault {
  readonly name: string;
  /** How long is watched after it, milliseconds. */
  readonly watchMs: number;
  /** Brings the pair into the state that the fault needs; not measured. */
  readonly prepare?: (pair: RunningPair) => Promise<void> | undefined;
  readonly inject: (pair: RunningPair, segment: Segment, serving: MachineName) => Promise<void> | void;
  /** Absent: every contender can have it. */
  readonly possible?: (pair: RunningPair) => boolean;
}

export interface Measured {
  readonly fault: string;
  /** Per repetition, milliseconds; undefined: nobody ever answered again while it was watched. */
  readonly gapsMs: Readonly<Record<Level, readonly (number | undefined)[]>>;
  readonly bothMs: readonly number[];
  readonly failedRequests: readonly number[];
}

export const faults: readonly Fault[] = [
  { name: "power loss", watchMs: 1500, inject: (_pair, segment, serving) => segment.losePower(serving) },
  {
    name: "SIGKILL of the deciding process",
    watchMs: 2500,
    inject: (pair, _segment, serving) => pair.signal(serving, "deciding", "SIGKILL"),
  },
  {
    name: "SIGKILL of all its processes",
    watchMs: 2500,
    inject: (pair, _segment, serving) => pair.signal(serving, "all", "SIGKILL"),
  },
  {
    name: "SIGSTOP of the deciding process",
    watchMs: 2500,
    inject: (pair, _segment, serving) => pair.signal(serving, "deciding", "SIGSTOP"),
  },
  {
    name: "SIGSTOP of all its processes",
    watchMs: 2500,
    inject: (pair, _segment, serving) => pair.signal(serving, "all", "SIGSTOP"),
  },
  {
    name: "planned switchover",
    watchMs: 1500,
    inject: (pair) => pair.switchover?.(),
    possible: (pair) => pair.switchover !== undefined,
  },
  {
    name: "planned return",
    watchMs: 1500,
    prepare: (pair) => pair.switchover?.(),
    inject: (pair) => pair.failback?.(),
    possible: (pair) => pair.failback !== undefined,
  },
];

/** The process that holds the sessions, apart from the one that decides: only we have two. */
export const servingFaults: readonly Fault[] = [
  {
    name: "SIGKILL of node alone",
    watchMs: 2500,
    inject: (pair, _segment, serving) => pair.signal(serving, "serving", "SIGKILL"),
  },
  {
    name: "SIGSTOP of node alone",
    watchMs: 3000,
    inject: (pair, _segment, serving) => pair.signal(serving, "serving", "SIGSTOP"),
  },
];

const levels = ["arp", "icmp", "udp", "http"] as const;

/** The segment with the service of either machine on it, which is not the contender's business. */
export async function makeBenchSegment(): Promise<Segment> {
  const segment = makeSegment({ primary: "10.77.0.2", secondary: "10.77.0.3", client: "10.77.0.9" });
  for (const machine of ["primary", "secondary"] as const) {
    segment.run(machine, "sysctl", ["-qw", "net.ipv4.ip_nonlocal_bind=1"]);
    await startService(segment, machine);
  }
  return segment;
}

export async function startService(segment: Segment, machine: MachineName): Promise<void> {
  const script = fileURLToPath(new URL("../lab/echo-service.js", import.meta.url));
  const child = segment.start(
    machine,
    execPath,
    [script, haAddress, machine, String(echoPort), String(echoHttpPort)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await new Promise((resolve) => child.stdout?.once("data", resolve));
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function measure(
  contender: Contender,
  wanted: readonly Fault[],
  repetitions: number,
  progress: (line: string) => void,
): Promise<readonly Measured[]> {
  const segment = await makeBenchSegment();
  const pair = await contender.start(segment);
  const results: Measured[] = [];
  try {
    for (const fault of wanted) {
      if (fault.possible?.(pair) === false) continue;
      results.push(await repeat(pair, segment, fault, repetitions));
      progress(`${contender.name}: ${fault.name}`);
    }
  } finally {
    await pair.stop();
    segment.close();
  }
  return results;
}

async function repeat(
  pair: RunningPair,
  segment: Segment,
  fault: Fault,
  repetitions: number,
): Promise<Measured> {
  const gapsMs: Record<Level, (number | undefined)[]> = { arp: [], icmp: [], udp: [], http: [] };
  const bothMs: number[] = [];
  const failedRequests: number[] = [];
  for (let count = 0; count < repetitions; count += 1) {
    await fault.prepare?.(pair);
    const serving = await pair.serving();
    const probe = await startProbe(segment, haAddress);
    await pause(400);
    const fromMs = monotonicMs();
    await fault.inject(pair, segment, serving);
    await pause(fault.watchMs);
    const result = await probe.stop();
    for (const level of levels) gapsMs[level].push(outage(result, level, fromMs)?.gapMs);
    bothMs.push(bothAnsweringMs(result, fromMs));
    failedRequests.push(result.failures.filter(({ atMs }) => atMs >= fromMs).length);
    await restoreServices(segment);
    await pair.heal();
  }
  return { fault: fault.name, gapsMs, bothMs, failedRequests };
}

/** A machine that lost power lost its service too. */
async function restoreServices(segment: Segment): Promise<void> {
  for (const machine of ["primary", "secondary"] as const) {
    segment.mend(machine);
    const listening = segment.run(machine, "ss", ["-Hltn", "sport", "=", String(echoHttpPort)]);
    if (listening.trim() === "") await startService(segment, machine);
  }
}

function cell(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return "never back";
  const least = Math.min(...known).toFixed(0);
  const most = known.length === values.length ? Math.max(...known).toFixed(0) : "never";
  return `${least} / ${median(known).toFixed(0)} / ${most}`;
}

/** Markdown: one table a fault, one row a contender; min / median / max in milliseconds. */
export function table(
  fault: string,
  rows: readonly { readonly name: string; readonly measured: Measured }[],
): string {
  const lines = rows.map(({ name, measured: { gapsMs, bothMs, failedRequests } }) => {
    const both = `${median(bothMs).toFixed(0)} (max ${Math.max(...bothMs)})`;
    const failed = `${median(failedRequests).toFixed(0)}`;
    return `| ${name} | ${levels.map((level) => cell(gapsMs[level])).join(" | ")} | ${both} | ${failed} | ${bothMs.length} |`;
  });
  return [
    `**${fault}**`,
    "",
    "| pair | ARP | ping | UDP | HTTP | both answering | failed requests | n |",
    "|---|---|---|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}
