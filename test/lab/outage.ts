/**
 * What the samples of a probing client say about a fault: how long nobody answered, when somebody did again, and how
 * long two machines answered at once.
 */

import type { Level, ProbeResult } from "./probe.js";

export interface Outage {
  /** The longest time between two answers that touches the window, less the millisecond between two questions. */
  readonly gapMs: number;
  /** From the beginning of the window to the first answer after that gap; the client is served again. */
  readonly backAfterMs: number;
}

/** The longest silence at a level from `fromMs` on. Undefined when nothing ever answered again. */
export function outage(
  result: ProbeResult,
  level: Level,
  fromMs: number,
  toMs = Infinity,
): Outage | undefined {
  const times = result.samples.filter((sample) => sample.level === level).map(({ atMs }) => atMs);
  times.sort((a, b) => a - b);
  let longest: Outage | undefined;
  let last = fromMs;
  for (const atMs of times) {
    if (atMs > toMs) break;
    if (atMs >= fromMs) {
      const gapMs = Math.max(0, atMs - last - 1);
      if (longest === undefined || gapMs > longest.gapMs) longest = { gapMs, backAfterMs: atMs - fromMs };
    }
    last = atMs;
  }
  const unanswered = Math.min(toMs, result.endedMs) - last;
  return longest !== undefined && unanswered > Math.max(longest.gapMs, 500) ? undefined : longest;
}

/** Milliseconds in which two hardware addresses answered the same question (one question a millisecond). */
export function bothAnsweringMs(result: ProbeResult, fromMs = 0, toMs = Infinity): number {
  const byMs = new Map<number, Set<string>>();
  for (const { level, atMs, from } of result.samples) {
    if (level !== "arp" || atMs < fromMs || atMs > toMs) continue;
    const slot = Math.floor(atMs);
    const who = byMs.get(slot) ?? new Set();
    byMs.set(slot, who.add(from));
  }
  return [...byMs.values()].filter((who) => who.size > 1).length;
}

/** Who gave the last answer at a level before a moment: a hardware address or a service's name. */
export function lastAnswerer(result: ProbeResult, level: Level, beforeMs = Infinity): string | undefined {
  return result.samples.findLast((sample) => sample.level === level && sample.atMs < beforeMs)?.from;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The nearest-rank quantile; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
