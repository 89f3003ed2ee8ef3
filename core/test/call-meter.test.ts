/** Who holds the thread: plugins that compute or wait are told from a machine that was busy, and owe what they took. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { borneInPulse, createCallMeter, type LongCall, measured } from "../src/plugin/call-meter.js";

type How = "computes" | "waits" | "is put off" | "stands still" | "collects";

/** A machine whose clock and counters are moved by hand. */
function bench({ delayKnown = true } = {}) {
  const machine = { nowMs: 0, cpuMs: 0, delayedMs: 0, collectedMs: 0, waits: 0, looks: 0, glances: 0 };
  const calls: LongCall[] = [];
  const meter = createCallMeter({
    borne: borneInPulse,
    nowMs: () => machine.nowMs,
    look() {
      machine.looks += 1;
      const { cpuMs, delayedMs, waits } = machine;
      return { cpuMs, delayedMs: delayKnown ? delayedMs : undefined, waits };
    },
    delayedMs() {
      machine.glances += 1;
      return delayKnown ? machine.delayedMs : undefined;
    },
    collected(_sinceMs, _untilMs, tell) {
      tell(machine.collectedMs);
      machine.collectedMs = 0;
    },
    longCall: (call) => void calls.push(call),
  });
  const take = (how: How, ms: number) => () => {
    machine.nowMs += ms;
    if (how === "computes" || how === "collects") machine.cpuMs += ms;
    if (how === "collects") machine.collectedMs += ms;
    if (how === "waits") machine.waits += 1;
    if (how === "is put off") machine.delayedMs += ms;
  };
  const call = (plugin: string, how: How, ms: number) => {
    machine.nowMs += 1;
    meter.call(plugin, "send", take(how, ms));
  };
  return { machine, calls, meter, take, call };
}

test("a call within its millisecond costs no look at the thread, and a glance every ten", () => {
  const { machine, calls, call } = bench();
  for (let turn = 0; turn < 1000; turn += 1) call("udp", "computes", borneInPulse.callMs);
  assert.deepEqual([calls.length, machine.looks, machine.glances], [0, 0, 200]);
});

test("a machine that is busy makes no plugin a watched one", () => {
  const { machine, calls, call } = bench();
  for (let turn = 0; turn < 100; turn += 1) call("udp", "is put off", 40);
  assert.deepEqual([calls.length, machine.looks], [0, 0]);
});

test("the first long call proves nothing; from the second on it is known what the thread did", () => {
  const { calls, call } = bench();
  call("slow", "computes", 30);
  call("slow", "computes", 40);
  call("slow", "waits", 40);
  for (const how of ["is put off", "stands still", "collects"] as const) {
    call("slow", how, 40);
    call("slow", how, 400);
  }
  assert.deepEqual(
    calls.map(({ cause, ms, overdrawn }) => [cause, ms, overdrawn]),
    [
      ["unproven", 30, false],
      ["computed", 40, false],
      ["waited", 40, true],
    ],
    "and whoever is put off the processor, stopped with its machine or collected for is not named at all",
  );
});

test("what a busy machine took is not the plugin's, also within a call that blocks", () => {
  const { calls, meter, take } = bench();
  const mixed = () => {
    take("is put off", 300)();
    take("computes", 5)();
    take("collects", 20)();
    take("is put off", 300)();
  };
  meter.call("slow", "send", mixed);
  meter.call("slow", "send", mixed);
  assert.deepEqual(
    calls.map(({ cause, ms, overdrawn }) => [cause, ms, overdrawn]),
    [
      ["unproven", 5, false],
      ["computed", 5, false],
    ],
  );
});

test("what the machine took between a glance and a call counts for the plugin, never against it", () => {
  const { machine, calls, meter, take } = bench();
  meter.call("quick", "send", take("computes", 0.1));
  machine.delayedMs += 60;
  meter.call("innocent", "send", take("waits", 60));
  assert.deepEqual(calls, []);
});

test("a system that does not count the delay says so, and judges by processor time and waiting alone", () => {
  const { calls, call } = bench({ delayKnown: false });
  call("slow", "is put off", 40);
  call("slow", "computes", 40);
  call("slow", "waits", 40);
  call("slow", "is put off", 40);
  assert.deepEqual(
    calls.map(({ cause, delayKnown }) => [cause, delayKnown]),
    [
      ["unproven", false],
      ["computed", false],
      ["waited", false],
    ],
  );
});

test("where the system says nothing of a thread nobody is to blame", () => {
  const calls: LongCall[] = [];
  let atMs = 0;
  const meter = createCallMeter({
    borne: borneInPulse,
    nowMs: () => atMs,
    look: () => undefined,
    delayedMs: () => undefined,
    collected: (_sinceMs, _untilMs, tell) => tell(0),
    longCall: (call) => void calls.push(call),
  });
  const hold = () => {
    atMs += 500;
  };
  for (let turn = 0; turn < 5; turn += 1) meter.call("slow", "send", hold);
  assert.equal(calls.length, 5);
  assert.ok(calls.every(({ cause, overdrawn }) => cause === "unproven" && !overdrawn));
});

test("a hundredth of the time is borne for ever, more is not", () => {
  const once = (perCallMs: number) => {
    const { machine, calls, call } = bench();
    for (let turn = 0; turn < 5000; turn += 1) {
      machine.nowMs += 20;
      call("slow", "computes", perCallMs);
    }
    return calls.some(({ overdrawn }) => overdrawn);
  };
  assert.equal(once(1.1), false);
  assert.equal(once(3), true);
});

test("one very long call may be the machine's doing, a second one within ten minutes is not", () => {
  const overdrawn = (everyMs: number) => {
    const { machine, calls, call } = bench();
    for (let turn = 0; turn < 3; turn += 1) {
      call("rare", "waits", 500);
      machine.nowMs += everyMs;
    }
    return calls.map((each) => each.overdrawn);
  };
  assert.deepEqual(overdrawn(300_000), [false, true, true]);
  assert.deepEqual(overdrawn(600_000), [false, false, false]);
});

test("starting and stopping may take their time", () => {
  const { calls, meter, take } = bench();
  for (const method of ["start", "start", "stop", "stop"]) meter.call("nft", method, take("waits", 90));
  assert.deepEqual([...new Set(calls.map(({ overdrawn }) => overdrawn))], [false]);
});

test("a call within a call is its own plugin's, and each plugin owes for itself", () => {
  const { calls, meter, take } = bench();
  const outer = () =>
    meter.call("outer", "drain", () => {
      meter.call("inner", "send", take("computes", 30));
    });
  outer();
  outer();
  assert.deepEqual([...new Set(calls.map(({ plugin }) => plugin))], ["inner"]);
});

test("what a plugin gives and throws passes, of objects and of classes, with their own this", async () => {
  const { meter, take } = bench();
  class Slow {
    readonly #secret = 41;
    add(one: number): number {
      take("computes", 5)();
      return this.#secret + one;
    }
    async later(): Promise<string> {
      return "later";
    }
    fail(): void {
      throw new Error("as it was");
    }
  }
  const slow = measured(meter, "slow", new Slow());
  assert.equal(slow.add(1), 42);
  assert.equal(await slow.later(), "later");
  assert.throws(() => slow.fail(), /as it was/);
  assert.equal(meter.lastLong?.method, "add");
  const optional: { must(): number; may?(): number } = { must: () => 1 };
  assert.equal(measured(meter, "optional", optional).may, undefined);
});
