/**
 * Calls of plugins that block and of some that do not, measured in a process that others keep from its processor: see
 * call-meter-busy.test.ts. Prints what the meter said of each.
 */

import { execSync } from "node:child_process";
import { setImmediate as turn } from "node:timers/promises";
import { borneInPulse, type LongCall } from "../src/plugin/call-meter.js";
import { meterThread } from "../src/plugin/meter-thread.js";
import { lookAtThread } from "../src/plugin/thread-look.js";

export interface BusyMachineReport {
  /** This machine counts for how long a thread is kept from its processor. */
  readonly delayKnown: boolean;
  readonly calls: readonly LongCall[];
  /** How much longer than they may the calls of each plugin took on the wall. */
  readonly overMs: Readonly<Record<string, number>>;
}

/** Enough to be taken for blocking many times over, were it the plugin's own doing. */
const keptOverMs = 4 * borneInPulse.debtMs;
/** More than may be owed at all: the second one of each is too much. */
const blocksMs = 2 * borneInPulse.debtMs;
const nowMs = () => performance.now();
const calls: LongCall[] = [];
const overMs: Record<string, number> = {};
const { meter, stop } = meterThread({
  borne: borneInPulse,
  nowMs,
  longCall: (call) => void calls.push(call),
});

function call(plugin: string, work: () => void): void {
  const startMs = nowMs();
  meter.call(plugin, "send", work);
  overMs[plugin] = (overMs[plugin] ?? 0) + Math.max(0, nowMs() - startMs - borneInPulse.callMs);
}

/** By its own processor time, so that the others make it longer and never shorter. */
function compute(ms: number): void {
  const begun = process.threadCpuUsage();
  for (let spentMs = 0; spentMs < ms; ) {
    const now = process.threadCpuUsage();
    spentMs = (now.user + now.system - begun.user - begun.system) / 1000;
  }
}

const live = Array.from({ length: 300_000 }, (_, at) => ({ at: [at] }));
const collect = () => globalThis.gc?.();
const sleeper = new Int32Array(new SharedArrayBuffer(4));

while ((overMs.innocent ?? 0) < keptOverMs) {
  call("innocent", () => {
    compute(borneInPulse.callMs / 4);
    // Who waits, however shortly, has to queue for the processor again.
    Atomics.wait(sleeper, 0, 0, borneInPulse.callMs / 20);
  });
  await turn();
}
// Each collection alone is too much, and there must have been some.
for (let turns = 0; turns < 4 || (overMs.littered ?? 0) < keptOverMs; turns += 1) {
  call("littered", collect);
  await turn();
}
for (let time = 0; time < 3; time += 1) {
  call("computing", () => compute(blocksMs));
  call("waiting", () => void Atomics.wait(sleeper, 0, 0, blocksMs));
  call("spawning", () => void execSync(`sleep ${blocksMs / 1000}`));
  await turn();
}
// What was collected is known a turn later.
await turn();
await turn();
const delayKnown = lookAtThread()?.delayedMs !== undefined && live.length > 0;
console.log(JSON.stringify({ delayKnown, calls, overMs } satisfies BusyMachineReport));
stop();
