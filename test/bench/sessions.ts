/**
 * How many sessions a pair acknowledges as `replicated`, durable on both disks, beside what Redis does on the same
 * machine in the same run; how long an empty node takes to be in step; and how long writers wait when the standby dies.
 * Prints tables; asserts nothing.
 *
 *     node test/dist/bench/sessions.js [--seconds 4] [--writers 1,16,64,256] [--sessions 1000000] [--only pair|redis]
 */

import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { until } from "./contender.js";
import { cpuMsOf } from "./cpu-time.js";
import { flushTimes } from "./disk-speed.js";
import { table } from "./figures.js";
import { startRedisPair } from "./redis-pair.js";
import { type SessionNode, type SessionPair, sessionPair } from "./session-pair.js";
import type { WritersFigures } from "./writers.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    writers: { type: "string", default: "1,16,64,256" },
    sessions: { type: "string", default: "1000000" },
    only: { type: "string" },
  },
});
const milliseconds = Number(values.seconds) * 1000;
const writerCounts = values.writers.split(",").map(Number);
const sessions = Number(values.sessions);

const folder = mkdtempSync(join(tmpdir(), "understudy-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

interface Measured {
  readonly figures: WritersFigures;
  readonly flushMs: number;
  readonly flushP99Ms: number;
  readonly load: number;
  /** Of all processes of the pair and the writers, for each acknowledged session. */
  readonly cpuMicroseconds: number;
}

type Runs = ReadonlyMap<number, Measured>;

/** The disk is measured right before each: on a shared machine it is another disk every minute. */
async function measureAll(
  pids: readonly (number | undefined)[],
  run: (writers: number) => Promise<WritersFigures>,
): Promise<Runs> {
  const runs = new Map<number, Measured>();
  for (const writers of writerCounts) {
    const { medianMs, p99Ms } = flushTimes(folder);
    const load = loadavg()[0] ?? 0;
    const cpuBeforeMs = cpuMsOf(pids);
    const figures = await run(writers);
    const cpuMicroseconds = ((cpuMsOf(pids) - cpuBeforeMs) * 1000) / figures.total;
    runs.set(writers, { figures, flushMs: medianMs, flushP99Ms: p99Ms, load, cpuMicroseconds });
  }
  return runs;
}

function lineOf(
  name: string,
  writers: number,
  { figures, flushMs, flushP99Ms, load, cpuMicroseconds }: Measured,
): string[] {
  const { perSecond, medianMs, p99Ms, worstMs, outcomes } = figures;
  const all = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const replicated = (100 * (outcomes.replicated ?? 0)) / all;
  return [
    name,
    String(writers),
    Math.round(perSecond).toLocaleString("en"),
    medianMs.toFixed(2),
    p99Ms.toFixed(2),
    worstMs.toFixed(0),
    `${replicated.toFixed(replicated === 100 ? 0 : 2)}%`,
    cpuMicroseconds.toFixed(0),
    `${flushMs.toFixed(2)} / ${flushP99Ms.toFixed(2)}`,
    load.toFixed(1),
  ];
}

async function untilInSync(node: SessionNode, withinMs: number): Promise<void> {
  await until(async () => (await node.status()).inSync, "both nodes in sync", withinMs);
}

interface PairFigures {
  readonly runs: Runs;
  readonly afterDeath: WritersFigures;
  readonly catchUp: {
    readonly seconds: number;
    readonly meanwhile: WritersFigures;
    readonly lines: string[];
  };
}

async function measurePair(): Promise<PairFigures> {
  const pair = sessionPair(join(folder, "pair"));
  const active = await pair.startActive();
  const standby = await pair.startStandby("empty");
  await untilInSync(active, 30_000);
  await active.write(16, 500);
  const runs = await measureAll([active.pid, standby.pid], (writers) => active.write(writers, milliseconds));
  const dying = active.write(64, 3000);
  await pause(1000);
  await standby.kill();
  const afterDeath = await dying;
  await active.fill(sessions);
  const catchUp = await measureCatchUp(pair, active);
  await active.stop();
  return { runs, afterDeath, catchUp };
}

/** From the start of the empty node's process until the active one says that both have everything. */
async function measureCatchUp(pair: SessionPair, active: SessionNode): Promise<PairFigures["catchUp"]> {
  const meanwhileMs = 6000;
  const startMs = performance.now();
  const writing = active.write(1, meanwhileMs);
  const standby = await pair.startStandby("empty");
  const startedMs = performance.now();
  const progress = new Set<string>();
  await until(
    async () => {
      const { inSync, transfer } = await active.status();
      if (transfer !== undefined) {
        progress.add(
          `${transfer.direction} ${Math.round((100 * transfer.doneBytes) / transfer.totalBytes)}%`,
        );
      }
      return inSync;
    },
    "the empty node in step",
    120_000,
  );
  const inStepMs = performance.now();
  const { running, bytes, rssBytes } = await active.status();
  const there = await standby.status();
  const meanwhile = await writing;
  await standby.stop();
  return {
    seconds: (inStepMs - startMs) / 1000,
    meanwhile,
    lines: [
      `${running.toLocaleString("en")} sessions, ${(bytes / 1e6).toFixed(0)} MB: in step ${((inStepMs - startMs) / 1000).toFixed(2)} s after the empty ` +
        `node's process was started, ${((inStepMs - startedMs) / 1000).toFixed(2)} s after its engine was.`,
      `Progress as shown: ${[...progress].join(", ") || "none seen"}.`,
      `Resident: active ${(rssBytes / 1e6).toFixed(0)} MB, standby ${(there.rssBytes / 1e6).toFixed(0)} MB.`,
    ],
  };
}

interface RedisFigures {
  readonly version: string;
  readonly runs: Runs;
  readonly catchUpSeconds: number;
}

async function measureRedis(): Promise<RedisFigures> {
  const pair = await startRedisPair(join(folder, "redis"));
  try {
    await pair.run(16, 500);
    const runs = await measureAll(pair.pids(), (writers) => pair.run(writers, milliseconds));
    return { version: pair.version, runs, catchUpSeconds: await pair.catchUp(sessions) };
  } finally {
    await pair.stop();
  }
}

function print(ours: PairFigures | undefined, redis: RedisFigures | undefined): void {
  const lines = writerCounts.flatMap((writers) => {
    const [own, its] = [ours?.runs.get(writers), redis?.runs.get(writers)];
    return [
      ...(own === undefined ? [] : [lineOf("Understudy", writers, own)]),
      ...(its === undefined ? [] : [lineOf(`Redis ${redis?.version}`, writers, its)]),
      ...(own === undefined || its === undefined ? [] : [ratio(writers, own, its)]),
    ];
  });
  const head = [
    "pair",
    "writers",
    "acknowledged/s",
    "median ms",
    "p99 ms",
    "worst ms",
    "replicated",
    "CPU µs each",
  ];
  console.log(`\n${cpus().length} cores, ${(cpus()[0]?.model ?? "").trim()}\n`);
  console.log(table([...head, "fdatasync median / p99 ms", "load before"], lines));
  if (ours !== undefined) {
    const { afterDeath, catchUp } = ours;
    console.log(
      `\nThe standby is killed under 64 writers: nobody was acknowledged for ${afterDeath.longestSilenceMs.toFixed(0)} ms, then ` +
        `writers went on (${afterDeath.outcomes.replicated ?? 0} replicated, ${afterDeath.outcomes.solo ?? 0} solo).`,
    );
    console.log(`\n${catchUp.lines.join("\n")}`);
    console.log(
      `One writer meanwhile: median ${catchUp.meanwhile.medianMs.toFixed(2)} ms, longest wait ${catchUp.meanwhile.worstMs.toFixed(0)} ms.`,
    );
  }
  if (redis !== undefined) {
    console.log(
      `\nRedis: an empty replica of ${sessions.toLocaleString("en")} records in step after ${redis.catchUpSeconds.toFixed(2)} s.`,
    );
  }
}

function ratio(writers: number, ours: Measured, its: Measured): string[] {
  const times = (a: number, b: number) => `${(a / b).toFixed(2)} x`;
  return [
    "ours : Redis",
    String(writers),
    times(ours.figures.perSecond, its.figures.perSecond),
    times(ours.figures.medianMs, its.figures.medianMs),
    times(ours.figures.p99Ms, its.figures.p99Ms),
    "",
    "",
    times(ours.cpuMicroseconds, its.cpuMicroseconds),
    "",
    "",
  ];
}

const redis = values.only === "pair" ? undefined : await measureRedis();
const ours = values.only === "redis" ? undefined : await measurePair();
print(ours, redis);
