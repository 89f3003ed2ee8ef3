/**
 * CLOCK_MONOTONIC in milliseconds: the same clock in both processes of a node, which no step of the wall clock moves.
 */

import type { Clock } from "../plugin/tokens.js";

export const monotonicClock: Clock = {
  nowMs() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
};
