/**
 * How evenly UDP beats come and what pulse costs, with nothing beside them, with two more media, and with everything
 * hanging that can hang in the node process. Times are taken on the wire where beats arrive. Asserts nothing.
 */

import { watchBeats } from "../lab/beat-watch.js";
import { median } from "../lab/outage.js";
import { sides } from "../lab/pair.js";
import { cpuMsOf } from "./cpu-time.js";
import { quantile } from "./figures.js";
import { type Stage, startPatiently } from "./media-stage.js";

export interface Beats {
  /** Time between two beats less the interval that was asked for, milliseconds: late is positive, early negative. */
  readonly offMs: readonly number[];
  /** The same of a process that does nothing else, at the same time on the same machine. */
  readonly metronomeOffMs: readonly number[];
  /** Share of one core that pulse of the active and of the standby node took. */
  readonly cpuShare: readonly number[];
  readonly residentMb: readonly number[];
}

export interface Company {
  readonly name: string;
  config(stage: Stage): Readonly<Record<string, unknown>>;
}

export const standardIntervalMs = 20;

export async function measureBeats(stage: Stage, company: Company, seconds: number): Promise<Beats> {
  const { segment } = stage;
  const pair = await startPatiently(stage, company.config(stage));
  try {
    const watches = await Promise.all([
      watchBeats(segment, "primary", "secondary", standardIntervalMs),
      watchBeats(segment, "secondary", "primary", standardIntervalMs),
    ]);
    for (const watch of watches) watch.begin();
    const pids = sides.map((side) => pair.node(side).pid("pulse"));
    const before = pids.map((pid) => cpuMsOf([pid]));
    const fromMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const tookMs = performance.now() - fromMs;
    const cpuShare = pids.map((pid, index) => (cpuMsOf([pid]) - (before[index] ?? 0)) / tookMs);
    const status = await Promise.all(sides.map((side) => pair.node(side).status()));
    const residentMb = status.map((one) => (one?.pulse?.rssBytes ?? Number.NaN) / 1e6);
    const arrivals = await Promise.all(watches.map((watch) => watch.stop()));
    return {
      offMs: arrivals.flatMap(({ beatsMs }) => offsOf(beatsMs)),
      metronomeOffMs: arrivals.flatMap(({ metronomeMs }) => offsOf(metronomeMs)),
      cpuShare,
      residentMb,
    };
  } finally {
    await pair.close();
  }
}

function offsOf(arrivals: readonly number[]): readonly number[] {
  return arrivals.slice(1).map((atMs, index) => atMs - (arrivals[index] ?? 0) - standardIntervalMs);
}

export function together(all: readonly Beats[]): Beats {
  return {
    offMs: all.flatMap(({ offMs }) => offMs),
    metronomeOffMs: all.flatMap(({ metronomeOffMs }) => metronomeOffMs),
    cpuShare: all.flatMap(({ cpuShare }) => cpuShare),
    residentMb: all.flatMap(({ residentMb }) => residentMb),
  };
}

export const beatHead = ["p50", "p99", "p99.9", "max", "beats", "pulse, % of a core", "pulse, MB"] as const;

/** One line for the pair's beats and one for the metronome's. */
export function beatRows(name: string, beats: Beats): readonly (readonly string[])[] {
  const cost = [(100 * median(beats.cpuShare)).toFixed(1), median(beats.residentMb).toFixed(0)];
  return [
    [name, ...jitterCells(beats.offMs), ...cost],
    ["… a metronome meanwhile", ...jitterCells(beats.metronomeOffMs), "", ""],
  ];
}

/** Quantiles of how late a beat is after the one before it. */
function jitterCells(offMs: readonly number[]): readonly string[] {
  const sorted = [...offMs].sort((a, b) => a - b);
  const at = (part: number) => quantile(sorted, part).toFixed(2);
  return [at(0.5), at(0.99), at(0.999), at(1), String(sorted.length)];
}
