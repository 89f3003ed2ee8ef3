/** How the node process asks arbiters and fires fences for pulse: one at a time, with an end, and nothing lost (R30, R32). */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { mostEpoch } from "../src/failover/epochs.js";
import { createArbiters, type NamedArbiter, type Ruled, readRuling } from "../src/node/arbiters.js";
import { createFences, readFenced } from "../src/node/fences.js";
import type { Arbiter, Fence, Fenced, Ruling } from "../src/plugin/contract.js";
import { monotonicClock } from "../src/pulse/clock.js";
import { makeGranter, memoryArbiter } from "./arbiter-kit.js";
import { deadline } from "./deadline.js";
import { closeTestNodes, pulseStatus, quietLog, startTestNode, until } from "./node-kit.js";

afterEach(closeTestNodes);

interface Asked {
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly answer: (ruling: Ruling) => void;
}

/** Answers when the test says so; ends an aborted question only where `obeys`. */
function heldArbiter(obeys = true) {
  const asked: Asked[] = [];
  const released: number[] = [];
  let open = 0;
  let mostOpen = 0;
  const arbiter: Arbiter = {
    start: async () => {},
    async ask(epoch, signal) {
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      const { promise, resolve } = Promise.withResolvers<Ruling>();
      asked.push({ epoch, signal, answer: resolve });
      if (obeys) signal.addEventListener("abort", () => resolve({ verdict: "unknown", why: "aborted" }));
      return await promise.finally(() => {
        open -= 1;
      });
    },
    async release(epoch) {
      released.push(epoch);
    },
    stop: async () => {},
    describe: () => "held by the test",
  };
  return {
    arbiter,
    asked,
    released,
    get mostOpen() {
      return mostOpen;
    },
  };
}

function named(name: string, plugin: Arbiter, exclusive = true): NamedArbiter {
  return { name, plugin, entry: name, exclusive };
}

async function desk(...arbiters: readonly NamedArbiter[]) {
  const ruled: Ruled[] = [];
  const all = createArbiters({
    arbiters,
    clock: monotonicClock,
    log: quietLog,
    ruled: (ruling) => void ruled.push(ruling),
    changed() {},
  });
  await all.start();
  return { all, ruled };
}

const grant = (untilMs = monotonicClock.nowMs() + 5000): Ruling => ({
  verdict: "granted",
  why: "nobody else has it",
  untilMs,
});

test("R30: a question under way is not asked twice, and another epoch ends it and is asked next", async () => {
  const held = heldArbiter();
  const { all, ruled } = await desk(named("one", held.arbiter));
  all.ask(4, ["one"]);
  all.ask(4, ["one"]);
  await until(() => held.asked.length === 1, "the first question");
  all.ask(6, ["one"]);
  await until(() => held.asked.length === 2, "the second question");
  assert.deepEqual(
    held.asked.map(({ epoch, signal }) => [epoch, signal.aborted]),
    [
      [4, true],
      [6, false],
    ],
  );
  held.asked[1]?.answer(grant());
  await until(() => ruled.length === 1, "a ruling");
  assert.deepEqual([ruled[0]?.epoch, ruled[0]?.verdict, held.mostOpen], [6, "granted", 1]);
  await all.stop();
});

test("R30: only who is named is asked, and one that hangs holds nobody else up", async () => {
  const hangs = heldArbiter(false);
  const quick = heldArbiter();
  const { all, ruled } = await desk(named("hangs", hangs.arbiter), named("quick", quick.arbiter, false));
  all.ask(2, ["hangs", "quick"]);
  await until(() => quick.asked.length === 1 && hangs.asked.length === 1, "both questions");
  quick.asked[0]?.answer({ verdict: "denied", why: "no gateway" });
  await until(() => ruled.length === 1, "the quick ruling");
  all.ask(2, ["quick"]);
  await until(() => quick.asked.length === 2, "the second question");
  assert.equal(hangs.asked.length, 1);
  hangs.asked[0]?.answer({ verdict: "unknown", why: "at last" });
  await all.stop();
});

test("R30: a release ends the question under way before it gives back all that may be held", async () => {
  const held = heldArbiter();
  const { all, ruled } = await desk(named("one", held.arbiter));
  all.ask(3, ["one"]);
  await until(() => held.asked.length === 1, "a question");
  held.asked[0]?.answer(grant());
  await until(() => ruled.length === 1, "a ruling");
  all.ask(5, ["one"]);
  await until(() => held.asked.length === 2, "a question about the raised epoch");
  const released = all.release(5);
  // Asked meanwhile: only after the release, or it would be taken back.
  all.ask(7, ["one"]);
  await deadline(released, "the release");
  assert.equal(held.asked[1]?.signal.aborted, true);
  assert.deepEqual(held.released, [3, 5]);
  await until(() => held.asked.length === 3, "the question that waited");
  assert.equal(held.asked[2]?.epoch, 7);
  await all.stop();
});

test("R30: what is no ruling is unknown, and a grant without an end is none", () => {
  const verdicts = (exclusive: boolean) =>
    [undefined, "yes", {}, { verdict: "sure" }, { verdict: "granted", why: "x" }, { ...grant(Infinity) }].map(
      (said) => readRuling(said, exclusive).verdict,
    );
  assert.deepEqual(verdicts(true), Array(6).fill("unknown"));
  assert.deepEqual(verdicts(false), [...Array(4).fill("unknown"), "granted", "granted"]);
  assert.equal(readRuling({ verdict: "denied", why: "x", seenEpoch: 2.5 }, true).seenEpoch, undefined);
  const beyond = { verdict: "denied", why: "x", seenEpoch: mostEpoch + 1 };
  assert.equal(readRuling(beyond, true).seenEpoch, undefined, "whoever claimed above it could claim no more");
  assert.equal(readRuling({ ...grant(5), seenEpoch: 5 }, true).seenEpoch, undefined, "it is our own");
  assert.equal(readRuling({ verdict: "denied", why: "a\nb", seenEpoch: 9 }, true).seenEpoch, 9);
  assert.equal(readRuling({ verdict: "denied", why: "a\nb" }, true).why, "a b");
  assert.equal(readRuling({ ...grant(5) }, false).untilMs, undefined, "advice grants no time");
});

test("R30: node brings pulse's questions to the arbiters and the grant back, also for a pulse that died", async () => {
  const granter = makeGranter(60_000);
  const withdrawn: string[] = [];
  const node = await startTestNode({
    parts: () => ({
      arbiters: [named("memory", memoryArbiter(granter, "primary"))],
      freshAddresses: () => [
        {
          start: async () => {},
          acquire: async () => "refused",
          release: async () => "refused",
          holds: async () => "absent",
          stop: async () => {},
          describe: () => "an address of the test",
          async withdraw() {
            withdrawn.push(`withdrawn while held by the ${granter.untilMs > 0 ? granter.holder : "nobody"}`);
            return "confirmed";
          },
        },
      ],
    }),
  });
  await node.pulse.next("hello");
  node.pulse.send({ type: "askArbiters", epoch: 7, names: ["memory"] });
  const ruled = await node.pulse.next("arbiterRuled");
  assert.deepEqual([ruled.name, ruled.epoch, ruled.verdict], ["memory", 7, "granted"]);
  assert.ok((ruled.untilMs ?? 0) > monotonicClock.nowMs());
  const { arbiters } = await node.control("status", {});
  assert.deepEqual(
    arbiters.map(({ name, exclusive, verdict }) => [name, exclusive, verdict]),
    [["memory", true, "granted"]],
  );
  node.pulse.send({ type: "releaseGrant", epoch: 7 });
  await until(() => granter.untilMs === 0, "the grant to come back");
  node.pulse.send({ type: "askArbiters", epoch: 9, names: ["memory"] });
  await node.pulse.next("arbiterRuled");
  node.pulse.send({ type: "status", status: pulseStatus({ role: "active", epoch: 9 }) });
  node.pulse.send({ type: "promote", id: 1, epoch: 9, stale: false });
  await node.pulse.next("finished");
  await node.pulse.die();
  await until(() => granter.untilMs === 0, "the grant of the dead pulse to come back");
  assert.deepEqual(withdrawn, ["withdrawn while held by the primary"]);
});

test("R30: an arbiter that does not start keeps no node from starting, and status says so", async () => {
  const broken: Arbiter = {
    ...heldArbiter().arbiter,
    start: () => Promise.reject(new Error("no such host")),
  };
  const node = await startTestNode({ parts: () => ({ arbiters: [named("broken", broken)] }) });
  const { arbiters } = await node.control("status", {});
  assert.match(arbiters[0]?.problem ?? "", /no such host/);
});

// ------------------------------------------------------------------------------------------------------ fences

function heldFence() {
  const shots: { readonly signal: AbortSignal; readonly answer: (fenced: Fenced) => void }[] = [];
  const checks: { readonly signal: AbortSignal; readonly answer: (problem: string | undefined) => void }[] =
    [];
  const fence: Fence = {
    start: async () => {},
    async fence(signal) {
      const { promise, resolve } = Promise.withResolvers<Fenced>();
      shots.push({ signal, answer: resolve });
      return await promise;
    },
    async check(signal) {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      signal.addEventListener("abort", () => resolve(undefined));
      checks.push({ signal, answer: resolve });
      return await promise;
    },
    stop: async () => {},
    describe: () => "held by the test",
  };
  return { fence, shots, checks };
}

test("R32: a fence is fired once at a time, and a check gives way to it", async () => {
  const held = heldFence();
  const fences = createFences({
    fences: [{ name: "plug", plugin: held.fence, entry: "plug" }],
    clock: monotonicClock,
    log: quietLog,
    record() {},
    changed() {},
  });
  await fences.start();
  await until(() => held.checks.length === 1, "the first check");
  const first = fences.fire("plug");
  const second = fences.fire("plug");
  await until(() => held.shots.length === 1, "the shot");
  assert.equal(held.checks[0]?.signal.aborted, true);
  held.shots[0]?.answer({ outcome: "confirmed", detail: "the plug is off" });
  assert.deepEqual(await deadline(Promise.all([first, second]), "both"), [
    { outcome: "confirmed", detail: "the plug is off" },
    { outcome: "confirmed", detail: "the plug is off" },
  ]);
  assert.equal(held.shots.length, 1);
  assert.equal((await fences.fire("no such")).outcome, "refused");
  await fences.stop();
});

test("R32: a fence that could not be used is told once, and once when it can again", async () => {
  const held = heldFence();
  const told: string[] = [];
  const fences = createFences({
    fences: [{ name: "plug", plugin: held.fence, entry: "plug" }],
    clock: monotonicClock,
    log: quietLog,
    record: (what) => void told.push(what),
    changed() {},
    checkEveryMs: 5,
  });
  await fences.start();
  for (const [count, found] of ["no route", "still no route", undefined].entries()) {
    await until(() => held.checks.length === count + 1, "a check");
    held.checks[count]?.answer(found);
  }
  await until(() => told.length === 2, "both to be told");
  assert.deepEqual(told, ["the fence plug cannot be used: no route", "the fence plug can be used again"]);
  await fences.stop();
});

test("R32: only confirmed confirms", () => {
  const outcomes = [undefined, {}, { outcome: "done" }, { outcome: "refused" }, { outcome: "confirmed" }];
  assert.deepEqual(
    outcomes.map((said) => readFenced(said).outcome),
    ["unknown", "unknown", "unknown", "refused", "confirmed"],
  );
  assert.equal(
    readFenced({ outcome: "done" }).detail,
    "it answered with the outcome done, which there is not",
  );
});

test("R32: pulse hears what became of the fence it asked for, and of the operator's word", async () => {
  const held = heldFence();
  const node = await startTestNode({
    parts: () => ({ fences: [{ name: "plug", plugin: held.fence, entry: "plug" }] }),
  });
  await node.pulse.next("hello");
  node.pulse.send({ type: "fence", id: 12, name: "plug" });
  await until(() => held.shots.length === 1, "the shot");
  held.shots[0]?.answer({ outcome: "refused", detail: "wrong password" });
  const { id, outcome, detail } = await node.pulse.next("finished");
  assert.deepEqual([id, outcome, detail], [12, "refused", "wrong password"]);
  const answered = node.control("peerConfirmDead", {});
  const { requestId, request } = await node.pulse.next("operator");
  assert.deepEqual(request, { kind: "confirmDead" });
  node.pulse.send({ type: "operatorAnswer", requestId, ok: true, message: "it counts as dead" });
  assert.equal((await answered).message, "it counts as dead");
});
