/**
 * Merging as a law (rule R18): whatever the order, the grouping and the repetition in which changes arrive, two databases
 * that have the same changes have the same rows, the same digest and the same flags.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStore } from "../src/conformance/memory-store.js";
import { add, subtract, zero } from "../src/sessions/digest.js";
import { openLedger } from "../src/sessions/ledger.js";
import { hashRow } from "../src/sessions/row-codec.js";
import { beyondLimit, compareChanges } from "../src/sessions/row-order.js";
import type { SessionRow } from "../src/sessions/store.js";
import { type Seeded, seeded } from "./seeded.js";
import { testId } from "./sessions-pair.js";

const origins = ["p000000000001", "p000000000002", "s000000000001", "s000000000002"];

/** Changes as two nodes of several lives could have made them: a stamp is never used twice. */
function history(random: Seeded): readonly SessionRow[] {
  const sequences = new Map<string, number>();
  return Array.from({ length: 5 + random.below(40) }, () => {
    const origin = random.pick(origins);
    const sequence = (sequences.get(origin) ?? 0) + 1;
    sequences.set(origin, sequence);
    const user = `user${random.below(4)}`;
    return {
      id: testId(`${user}/${random.below(3)}`),
      user,
      agent: `agent${random.below(3)}`,
      createdAt: "2026-11-24T00:00:00.000Z",
      attributes: "{}",
      ended: random.chance(0.3),
      overLimit: false,
      epoch: 1 + random.below(5),
      origin,
      sequence,
    };
  });
}

function shuffled<T>(items: readonly T[], random: Seeded): readonly T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.below(rest.length), 1)[0] as T);
}

function merged(changes: readonly SessionRow[], random: Seeded) {
  const store = createMemoryStore();
  const { ledger } = openLedger({ store, side: "primary", incarnation: () => "00000000ffff" });
  for (let at = 0; at < changes.length; ) {
    const group = changes.slice(at, at + 1 + random.below(5));
    at += group.length;
    ledger.begin();
    for (const row of group) ledger.merge(row, hashRow(row, { ...zero }), false);
    if (random.chance(0.2)) {
      ledger.rollback();
      ledger.begin();
      for (const row of group) ledger.merge(row, hashRow(row, { ...zero }), false);
    }
    ledger.commit();
  }
  const rows = [...store.allRows()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { rows, digest: { ...ledger.digest } };
}

test("order, grouping, repetition and rollbacks do not matter", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const changes = history(random);
    const once = merged(changes, random);
    const again = merged(
      shuffled([...changes, ...changes.slice(0, random.below(changes.length))], random),
      random,
    );
    assert.deepEqual(again, once, `seed ${seed}`);
    const digest = { ...zero };
    for (const row of once.rows) if (!row.ended) add(digest, hashRow(row, { ...zero }));
    assert.deepEqual(once.digest, digest, `seed ${seed}: the digest is that of the rows`);
    for (const user of new Set(once.rows.map((row) => row.user))) {
      const running = once.rows.filter((row) => row.user === user && !row.ended);
      const flagged = running.filter(({ overLimit }) => overLimit).map(({ id }) => id);
      assert.deepEqual(new Set(flagged), beyondLimit(running), `seed ${seed}: G5`);
    }
  }
});

test("the order of changes is total: antisymmetric, transitive, and ended wins", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    const changes = history(random);
    for (let at = 0; at < 200; at += 1) {
      const [a, b, c] = [random.pick(changes), random.pick(changes), random.pick(changes)];
      assert.equal(Math.sign(compareChanges(a, b)) + Math.sign(compareChanges(b, a)), 0);
      if (a !== b) assert.notEqual(compareChanges(a, b), 0);
      if (compareChanges(a, b) > 0 && compareChanges(b, c) > 0) assert.ok(compareChanges(a, c) > 0);
      if (a.ended && !b.ended) assert.ok(compareChanges(a, b) > 0);
    }
  }
});

test("sums of hashes come back to where they were, across the carry", () => {
  const random = seeded(7);
  const sum = { ...zero };
  const values = Array.from({ length: 1000 }, () => ({
    high: random.below(2 ** 32),
    low: random.below(2 ** 32),
  }));
  for (const value of values) add(sum, value);
  const expected = values.reduce((total, { high, low }) => total + ((BigInt(high) << 32n) | BigInt(low)), 0n);
  assert.equal((BigInt(sum.high) << 32n) | BigInt(sum.low), expected & 0xffff_ffff_ffff_ffffn);
  for (const value of values) subtract(sum, value);
  assert.deepEqual(sum, zero);
});
