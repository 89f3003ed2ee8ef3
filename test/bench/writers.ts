/**
 * Independent writers, each of whom waits for its acknowledgement before it writes again: what every contender of the
 * session benchmark is measured with.
 */

import { quantile } from "./figures.js";

export interface WritersFigures {
  readonly perSecond: number;
  /** All, those before the counting too. */
  readonly total: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** The longest time in which nobody was acknowledged. */
  readonly longestSilenceMs: number;
  /** By what `write` resolved with. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Runs the writers for so long, after a tenth of that which is not counted. `write` resolves with the kind of outcome. */
export async function runWriters(
  writers: number,
  milliseconds: number,
  write: (writer: number, number: number) => Promise<string>,
): Promise<WritersFigures> {
  const startMs = performance.now();
  const countFromMs = startMs + milliseconds / 10;
  const endMs = countFromMs + milliseconds;
  const latencies: number[] = [];
  const outcomes: Record<string, number> = {};
  let total = 0;
  let lastMs = countFromMs;
  let longestSilenceMs = 0;

  async function writer(number: number): Promise<void> {
    for (let turn = 0; ; turn += 1) {
      const beganMs = performance.now();
      if (beganMs >= endMs) return;
      const outcome = await write(number, turn);
      const nowMs = performance.now();
      total += 1;
      if (nowMs < countFromMs) continue;
      latencies.push(nowMs - beganMs);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      longestSilenceMs = Math.max(longestSilenceMs, nowMs - lastMs);
      lastMs = nowMs;
    }
  }

  await Promise.all(Array.from({ length: writers }, (_, number) => writer(number)));
  const tookMs = performance.now() - countFromMs;
  latencies.sort((a, b) => a - b);
  return {
    perSecond: (latencies.length / tookMs) * 1000,
    total,
    medianMs: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    worstMs: quantile(latencies, 1),
    longestSilenceMs,
    outcomes,
  };
}
