/**
 * CLOCK_MONOTONIC in milliseconds: the same clock in both processes of a node, which no step of the wall clock moves.
 */

import type { Clock } from "../plugin/tokens.js";

const [seconds, nanoseconds] = process.hrtime();
/** `performance.now()` is the same clock from another zero, and does not make an array at each call. */
const zeroMs = seconds * 1000 + nanoseconds / 1e6 - performance.now();

export const monotonicClock: Clock = {
  nowMs: () => zeroMs + performance.now(),
};
