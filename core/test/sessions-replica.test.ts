/**
 * The protocol between two replicas, step by step: who may acknowledge what and when (rules R17 to R25). Time and link
 * are moved by hand.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { makePair, type Pair, rowsOf, sides, testId } from "./sessions-pair.js";

function serve(pair: Pair, side: "primary" | "secondary", epoch: number): void {
  pair.nodes[side].replica.setServing({ epoch, stale: false }, pair.nowMs);
}

function kind(pair: Pair, ticket: number): string {
  const answer = pair.answer(ticket);
  if (answer === undefined) return "waits";
  return answer.ok ? answer.acknowledgement : answer.refusal;
}

/** `folded`: both have dropped old origins from their vectors, each in its own time. */
function equal(pair: Pair, folded = false): void {
  const { primary, secondary } = pair.nodes;
  assert.deepEqual(rowsOf(primary), rowsOf(secondary));
  const [a, b] = sides.map((side) => pair.nodes[side].replica.status(pair.nowMs));
  if (!folded) assert.equal(a?.vector, b?.vector);
  assert.equal(a?.digest, b?.digest);
}

function joined(epoch = 1): Pair {
  const pair = makePair();
  serve(pair, "primary", epoch);
  pair.pass(300);
  return pair;
}

test("a pair that has met acknowledges `replicated`, and both have the row", () => {
  const pair = joined();
  const ticket = pair.create("primary", "anna");
  assert.equal(kind(pair, ticket), "waits");
  pair.settle();
  assert.equal(kind(pair, ticket), "replicated");
  equal(pair);
  for (const side of sides) {
    const { verified, inSync, store } = pair.nodes[side].replica.status(pair.nowMs);
    assert.deepEqual({ verified, inSync, store }, { verified: true, inSync: true, store: true }, side);
  }
});

test("R20: silence makes the standby stale after 500 ms and the active solo after 1000 ms, in that order", () => {
  const pair = joined();
  pair.pass(1000);
  pair.cut = true;
  const ticket = pair.create("primary", "anna");
  let staleAt = 0;
  let soloAt = 0;
  const cutMs = pair.nowMs;
  while (soloAt === 0 && pair.nowMs < cutMs + 3000) {
    pair.pass(20);
    if (staleAt === 0 && !pair.nodes.secondary.replica.status(pair.nowMs).inSync) staleAt = pair.nowMs;
    if (soloAt === 0 && kind(pair, ticket) === "solo") soloAt = pair.nowMs;
  }
  assert.ok(staleAt > cutMs + 200 && staleAt <= cutMs + 500, `stale after ${staleAt - cutMs}`);
  assert.ok(soloAt >= cutMs + 900 && soloAt <= cutMs + 1040, `solo after ${soloAt - cutMs}`);
  pair.cut = false;
  pair.pass(500);
  equal(pair);
  const again = pair.create("primary", "berta");
  pair.settle();
  assert.equal(kind(pair, again), "replicated");
});

test("R20: the moment to acknowledge alone is known, and a tick at it is enough", () => {
  const pair = joined();
  const { replica } = pair.nodes.primary;
  pair.crash("secondary");
  const ticket = pair.create("primary", "anna");
  pair.settle();
  assert.equal(kind(pair, ticket), "waits");
  const aloneAtMs = replica.aloneAtMs ?? Number.NaN;
  replica.tick(aloneAtMs - 0.01);
  assert.equal(kind(pair, ticket), "waits");
  replica.tick(aloneAtMs);
  assert.equal(kind(pair, ticket), "solo");
  assert.equal(replica.aloneAtMs, undefined, "nobody waits any more");
  assert.equal(pair.nodes.secondary.replica.aloneAtMs, undefined, "a standby waits for nobody");
});

test("R20: a node that has just claimed answers solo at once when its predecessor is silent", () => {
  const pair = joined();
  pair.pass(2000);
  pair.crash("primary");
  pair.pass(100);
  serve(pair, "secondary", 2);
  const ticket = pair.create("secondary", "anna");
  pair.settle();
  pair.pass(40);
  assert.equal(kind(pair, ticket), "solo");
});

test("R20: a planned change of roles keeps acknowledging replicated", () => {
  const pair = joined();
  pair.pass(2000);
  pair.nodes.primary.replica.freeze(7, 50, pair.nowMs);
  pair.settle();
  assert.deepEqual(pair.nodes.primary.frozen, [
    { id: 7, outcome: "confirmed", detail: "both databases are equal" },
  ]);
  assert.equal(kind(pair, pair.create("primary", "anna")), "frozen");
  pair.nodes.primary.replica.setServing(undefined, pair.nowMs);
  serve(pair, "secondary", 2);
  const ticket = pair.create("secondary", "anna");
  pair.settle();
  assert.equal(kind(pair, ticket), "replicated");
  pair.pass(300);
  assert.equal(pair.nodes.primary.replica.status(pair.nowMs).inSync, true);
});

test("R20: changes under a lower epoch are merged and not acknowledged", () => {
  const pair = joined();
  pair.pass(2000);
  const late = pair.create("primary", "anna");
  pair.nodes.primary.replica.work(pair.nowMs);
  serve(pair, "secondary", 2);
  pair.settle();
  assert.equal(kind(pair, late), "notActive");
  equal(pair);
  assert.equal(kind(pair, pair.create("primary", "berta")), "waits");
  pair.settle();
  assert.equal(kind(pair, 2), "notActive");
});

test("one running session a user; a used key finds its session, also an ended one", () => {
  const pair = joined();
  pair.create("primary", "anna", "k1");
  pair.settle();
  const second = pair.create("primary", "anna", "k2");
  const ended = pair.end("primary", testId("anna/k1"));
  pair.settle();
  const retry = pair.create("primary", "anna", "k1");
  const fresh = pair.create("primary", "anna", "k3");
  pair.settle();
  const [a, b, c, d] = [second, ended, retry, fresh].map((ticket) => pair.answer(ticket));
  assert.ok(a?.ok && !a.created && a.row.id === testId("anna/k1"));
  assert.ok(b?.ok && b.row.ended);
  assert.ok(c?.ok && !c.created && c.row.ended);
  assert.ok(d?.ok && d.created && d.row.id === testId("anna/k3"));
  equal(pair);
});

test("G5: after a split both sides' sessions survive, and the later one of a user is over the limit on both", () => {
  const pair = joined();
  pair.pass(2000);
  pair.cut = true;
  pair.pass(1500);
  serve(pair, "secondary", 2);
  pair.create("primary", "anna", "k1");
  pair.create("primary", "carl", "k1");
  pair.create("secondary", "anna", "k2");
  pair.create("secondary", "anna", "k1");
  pair.create("secondary", "carl", "k1");
  pair.pass(100);
  pair.cut = false;
  pair.pass(500);
  equal(pair);
  const rows = rowsOf(pair.nodes.primary).filter(({ user }) => user === "anna");
  assert.deepEqual(
    rows.map(({ id, overLimit }) => [id === testId("anna/k1"), overLimit]).sort(),
    [
      [false, true],
      [true, false],
    ].sort(),
  );
  assert.equal(rowsOf(pair.nodes.primary).filter(({ user }) => user === "carl").length, 1, "R23");
});

test("R22: a standby whose disk is full makes the active solo at once, and is in step when it has room again", () => {
  const pair = joined();
  pair.nodes.secondary.store.fault = { kind: "full" };
  const ticket = pair.create("primary", "anna");
  pair.settle();
  assert.equal(kind(pair, ticket), "solo");
  const status = pair.nodes.secondary.replica.status(pair.nowMs);
  assert.equal(status.inSync, false);
  assert.equal(status.store, false);
  pair.pass(3000);
  assert.equal(pair.nodes.secondary.replica.status(pair.nowMs).inSync, false);
  pair.nodes.secondary.store.fault = undefined;
  pair.pass(5000);
  equal(pair);
  assert.equal(pair.nodes.secondary.replica.status(pair.nowMs).inSync, true);
});

test("R22: an active whose disk is full refuses creates, and loses nothing that it sent", () => {
  const pair = joined();
  pair.create("primary", "anna");
  pair.settle();
  pair.nodes.primary.store.fault = { kind: "full" };
  const refused = pair.create("primary", "berta");
  pair.settle();
  assert.equal(kind(pair, refused), "diskFull");
  assert.equal(pair.nodes.primary.replica.status(pair.nowMs).store, false);
  pair.nodes.primary.store.fault = undefined;
  pair.pass(5000);
  equal(pair);
  const again = pair.create("primary", "carl");
  pair.settle();
  assert.equal(kind(pair, again), "replicated");
  equal(pair);
});

test("R22: a database that was set aside is refilled, and until then nothing is read from it", () => {
  const pair = joined();
  for (let at = 0; at < 20; at += 1) pair.create("primary", `user${at}`);
  pair.settle();
  pair.crash("secondary");
  pair.nodes.secondary.store.damage("checksum");
  pair.cut = true;
  pair.start("secondary");
  pair.pass(1500);
  const alone = pair.nodes.secondary.replica.status(pair.nowMs);
  assert.equal(alone.verified, false);
  assert.equal(alone.store, false);
  assert.match(alone.problem ?? "", /checksum/);
  pair.nodes.secondary.replica.setServing({ epoch: 2, stale: true }, pair.nowMs);
  const refused = pair.create("secondary", "x");
  pair.settle();
  assert.equal(kind(pair, refused), "notKnownYet");
  pair.nodes.secondary.replica.setServing(undefined, pair.nowMs);
  serve(pair, "primary", 3);
  pair.cut = false;
  pair.pass(1000);
  equal(pair);
  const status = pair.nodes.secondary.replica.status(pair.nowMs);
  assert.deepEqual([status.verified, status.inSync, status.problem], [true, true, undefined]);
});

test("R22: databases that differ at equal vectors are mended, and not called in sync meanwhile", () => {
  const pair = joined();
  for (let at = 0; at < 50; at += 1) pair.create("primary", `user${at}`);
  pair.settle();
  const { primary, secondary } = pair.nodes;
  const [lost, changed] = rowsOf(secondary);
  assert.ok(lost !== undefined && changed !== undefined);
  secondary.store.tamper(lost.id, undefined);
  secondary.store.tamper(changed.id, { ...changed, agent: "a lie" });
  // The digest is kept along with the changes, so only a start counts a loss behind its back: a scan finds it.
  secondary.ledger.begin();
  secondary.ledger.setDigest({ high: 1, low: 2 });
  secondary.ledger.commit();
  let seenOut = false;
  for (let at = 0; at < 1200 && !(seenOut && secondary.replica.status(pair.nowMs).inSync); at += 1) {
    pair.pass(20);
    if (!secondary.replica.status(pair.nowMs).inSync) seenOut = true;
  }
  assert.ok(seenOut, "it was noticed");
  pair.pass(1000);
  equal(pair);
  assert.equal(rowsOf(primary).length, 50);
});

test("R17: a disk that lost what its peer has seen gets it back, and no sequence is used twice", () => {
  const pair = joined();
  pair.create("primary", "anna");
  pair.settle();
  const before = pair.nodes.primary.store.image();
  pair.create("primary", "berta");
  pair.settle();
  pair.crash("primary");
  pair.nodes.primary.store.restore(before);
  pair.start("primary");
  pair.pass(300);
  serve(pair, "primary", 3);
  pair.pass(300);
  equal(pair);
  assert.equal(rowsOf(pair.nodes.primary).length, 2);
  pair.create("primary", "carl");
  pair.settle();
  equal(pair);
  const stamps = rowsOf(pair.nodes.primary).map(({ origin, sequence }) => `${origin}/${sequence}`);
  assert.equal(new Set(stamps).size, 3);
});

test("R17: a thousand starts leave the vector that is written with each commit as short as it was", () => {
  const pair = joined();
  let epoch = 1;
  for (let at = 0; at < 1000; at += 1) {
    pair.crash("primary");
    pair.start("primary");
    epoch += 2;
    pair.settle();
    serve(pair, "primary", epoch);
    pair.pass(60);
    pair.create("primary", `user${at}`);
    pair.settle();
  }
  pair.pass(500);
  equal(pair, true);
  assert.equal(pair.nodes.secondary.replica.status(pair.nowMs).inSync, true);
  const state = pair.nodes.primary.store.getMeta("state") ?? "";
  assert.ok(state.length < 250, `${state.length} characters`);
  assert.ok(pair.nodes.primary.ledger.vector().size <= 55, `${pair.nodes.primary.ledger.vector().size}`);
  assert.equal(rowsOf(pair.nodes.secondary).length, 1000);
});

test("R19: tombstones go when both have them, never before, and `peer forget` frees them", () => {
  const pair = makePair(1, { keptChanges: 2 });
  serve(pair, "primary", 1);
  pair.pass(300);
  pair.cut = true;
  pair.pass(1200);
  for (let at = 0; at < 10; at += 1) pair.create("primary", `user${at}`);
  pair.settle();
  for (let at = 0; at < 8; at += 1) pair.end("primary", testId(`user${at}/user${at}`));
  pair.pass(20_000);
  assert.equal(rowsOf(pair.nodes.primary).length, 10, "the other node does not have them");
  pair.cut = false;
  pair.pass(10_000);
  equal(pair);
  assert.ok(rowsOf(pair.nodes.primary).length <= 5);
});

test("R19: a node that comes back after `peer forget` hands over its changes and is refilled", () => {
  const pair = makePair(1, { keptChanges: 0 });
  serve(pair, "primary", 1);
  pair.pass(300);
  pair.create("primary", "old1");
  pair.create("primary", "old2");
  pair.settle();
  pair.cut = true;
  pair.pass(1500);
  serve(pair, "secondary", 2);
  pair.create("secondary", "unsent");
  pair.pass(100);
  pair.crash("secondary");
  assert.equal(pair.nodes.primary.replica.forgetPeer(pair.nowMs).ok, true);
  pair.end("primary", testId("old1/old1"));
  pair.pass(5000);
  assert.equal(rowsOf(pair.nodes.primary).length, 1, "the tombstone is gone");
  pair.cut = false;
  pair.start("secondary");
  pair.pass(2000);
  equal(pair);
  assert.deepEqual(
    rowsOf(pair.nodes.secondary)
      .map(({ user }) => user)
      .sort(),
    ["old2", "unsent"],
  );
});
