/**
 * A program of its own that measures how long this host keeps a small real-time process from running: the way pulse is
 * scheduled. Started by `stalls.ts`; prints one line of JSON.
 */

import { becomeRealTime } from "../pulse/real-time.js";

/** The beat of the profile `fast`: the finest that pulse ever needs. */
const tickMs = 5;

const seconds = Number(process.argv[2] ?? 10);
const { protection: realTime, riseAboveChildren } = await becomeRealTime();
riseAboveChildren();
const gaps: number[] = [];
let last = performance.now();
const endMs = last + seconds * 1000;

function tick(): void {
  const now = performance.now();
  gaps.push(now - last);
  last = now;
  if (now < endMs) setTimeout(tick, tickMs);
  else report();
}

function report(): void {
  // The first ticks run code for the first time.
  const sorted = gaps.slice(5).sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  const result = {
    ticks: sorted.length,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
    worst: sorted.at(-1) ?? 0,
    realTime,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

setTimeout(tick, tickMs);
