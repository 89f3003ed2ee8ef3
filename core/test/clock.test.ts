/** The clock that both processes of a node share: a machine that is busy while a process starts must not set it wrong. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { monotonicClock, zeroOf } from "../src/pulse/clock.js";

/** A clock whose every reading takes a microsecond, and those in `stalls`, counted from 0, so much longer. */
function busyMachine(stalls: Readonly<Record<number, number>>) {
  const bootMs = 1_000_000;
  let sinceStartMs = 5;
  let readings = 0;
  const read = () => {
    sinceStartMs += stalls[readings] ?? 0.001;
    readings += 1;
    return sinceStartMs;
  };
  return { bootMs, known: () => bootMs + read(), now: read };
}

for (const [name, stalls] of [
  ["before the first reading", { 0: 302 }],
  ["before the second reading", { 1: 302 }],
  ["before the third reading", { 2: 302 }],
  ["again and again", Object.fromEntries(Array.from({ length: 40 }, (_, at) => [at, 302]))],
] as const) {
  test(`R21: a process that gets no time ${name} of its clocks has the right time all the same`, () => {
    const { bootMs, known, now } = busyMachine(stalls);
    assert.ok(Math.abs(zeroOf(known, now) - bootMs) < 0.05);
  });
}

test("a clock so coarse or a machine so slow that no two readings are close still gives the nearest", () => {
  const { bootMs, known, now } = busyMachine(
    Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [at, 1])),
  );
  assert.ok(Math.abs(zeroOf(known, now) - bootMs) <= 1);
});

test("the clock is the kernel's monotonic one", () => {
  const kernelMs = () => Number(process.hrtime.bigint()) / 1e6;
  const beforeMs = kernelMs();
  const saidMs = monotonicClock.nowMs();
  assert.ok(saidMs > beforeMs - 0.1 && saidMs < kernelMs() + 0.1);
});
