/**
 * CLOCK_MONOTONIC in milliseconds: the same clock in both processes of a node, which no step of the wall clock moves.
 */

import type { Clock } from "../plugin/tokens.js";

/** Two readings in a row are microseconds apart, where nothing comes between them. */
const closeEnoughMs = 0.05;
const mostTries = 1000;

/** `performance.now()` is the same clock from another zero, and does not make an array at each call. */
const zeroMs = zeroOf(kernelMs, () => performance.now());

export const monotonicClock: Clock = {
  nowMs: () => zeroMs + performance.now(),
};

function kernelMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/**
 * Where `now` begins on the clock that `known` reads. A machine that takes the processor away between two readings would
 * set this process's clock wrong by as much, for as long as it lives: one whose pulse is behind by a lease gives out
 * permits that have ended (rule R21), and a node that is behind believes in one that has. So a reading counts only
 * between two of the other clock that are close together.
 */
export function zeroOf(known: () => number, now: () => number): number {
  let best = { zeroMs: 0, apartMs: Number.POSITIVE_INFINITY };
  for (let tries = 0; tries < mostTries && best.apartMs > closeEnoughMs; tries += 1) {
    const beforeMs = now();
    const betweenMs = known();
    const apartMs = now() - beforeMs;
    if (apartMs < best.apartMs) best = { zeroMs: betweenMs - beforeMs - apartMs / 2, apartMs };
  }
  return best.zeroMs;
}
