/** Who holds the thread: plugins that compute or wait are told from a machine that was busy, and owe what they took. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  callLimitMs,
  createCallMeter,
  type LongCall,
  lookAtThread,
  measured,
} from "../src/plugin/call-meter.js";

/** A machine whose clock and counters are moved by hand. */
function bench() {
  const machine = { nowMs: 0, cpuMs: 0, waits: 0, looks: 0 };
  const calls: LongCall[] = [];
  const meter = createCallMeter({
    nowMs: () => machine.nowMs,
    look() {
      machine.looks += 1;
      return { cpuMs: machine.cpuMs, waits: machine.waits };
    },
    longCall: (call) => void calls.push(call),
  });
  const take = (how: "computes" | "waits" | "is put off", ms: number) => () => {
    machine.nowMs += ms;
    if (how === "computes") machine.cpuMs += ms;
    if (how === "waits") machine.waits += 1;
  };
  return { machine, calls, meter, take };
}

test("a call within its millisecond costs no look at the thread", () => {
  const { machine, calls, meter, take } = bench();
  for (let turn = 0; turn < 1000; turn += 1) meter.call("udp", "send", take("computes", callLimitMs));
  assert.deepEqual([calls.length, machine.looks], [0, 0]);
});

test("the first long call proves nothing; from the second on it is known what the thread did", () => {
  const { calls, meter, take } = bench();
  meter.call("slow", "send", take("computes", 40));
  meter.call("slow", "send", take("computes", 40));
  meter.call("slow", "send", take("waits", 40));
  meter.call("slow", "send", take("is put off", 40));
  assert.deepEqual(
    calls.map(({ cause, overdrawn }) => [cause, overdrawn]),
    [
      ["unproven", false],
      ["computed", false],
      ["waited", true],
    ],
    "and whoever is put off the processor is not named at all",
  );
});

test("a hundredth of the time is borne for ever, more is not", () => {
  const once = (perCallMs: number) => {
    const { machine, calls, meter, take } = bench();
    for (let turn = 0; turn < 5000; turn += 1) {
      machine.nowMs += 20;
      meter.call("slow", "send", take("computes", perCallMs));
    }
    return calls.some(({ overdrawn }) => overdrawn);
  };
  assert.equal(once(1.1), false);
  assert.equal(once(3), true);
});

test("a long call every ten minutes proves nothing, however long", () => {
  const { machine, calls, meter, take } = bench();
  for (let turn = 0; turn < 10; turn += 1) {
    meter.call("rare", "send", take("waits", 500));
    machine.nowMs += 600_001;
  }
  assert.ok(calls.every(({ cause, overdrawn }) => cause === "unproven" && !overdrawn));
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

test("on this machine a busy loop is computing and a sleeping call is waiting", () => {
  const calls: LongCall[] = [];
  const nowMs = () => performance.now();
  const meter = createCallMeter({ nowMs, look: lookAtThread, longCall: (call) => void calls.push(call) });
  const busy = () => {
    // By its own processor time, so that a loaded machine makes it longer and not shorter.
    const { user, system } = process.threadCpuUsage();
    for (let spent = 0; spent < 20_000; ) {
      const now = process.threadCpuUsage();
      spent = now.user + now.system - user - system;
    }
  };
  const asleep = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
  meter.call("busy", "send", busy);
  meter.call("asleep", "send", asleep);
  // A loaded machine may put even these off for longer than they take: that counts for them.
  for (let turn = 0; turn < 20; turn += 1) {
    meter.call("busy", "send", busy);
    meter.call("asleep", "send", asleep);
  }
  const causes = (plugin: string) => calls.filter((call) => call.plugin === plugin).map(({ cause }) => cause);
  assert.ok(causes("busy").includes("computed"));
  assert.ok(causes("asleep").includes("waited") && !causes("asleep").includes("computed"));
});
