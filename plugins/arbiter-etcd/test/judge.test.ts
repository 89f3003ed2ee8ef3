/** Who may have the grant, as a table: everything that etcd can hold, and what this node has seen of it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, type Question } from "../src/judge.js";
import type { Snapshot } from "../src/record.js";
import { makeSightings } from "../src/sightings.js";

const question = (changes: Partial<Question> = {}): Question => ({
  node: "one",
  epoch: 5,
  unchangedMs: 0,
  ttlMs: 5000,
  holding: false,
  ...changes,
});
const record = (node: string, epoch: number, released = false, ttlMs = 5000): Snapshot["record"] => ({
  modRevision: 7,
  value: { node, epoch, released, ttlMs },
});
const holder = (node: string, epoch: number): Snapshot["holder"] => ({
  modRevision: 7,
  value: { node, epoch },
});
const free = { holder: undefined };

for (const [what, snapshot, asked, verdict] of [
  ["given back by the other", { ...free, record: record("two", 4, true) }, {}, "take"],
  ["given back by us", { ...free, record: record("one", 3, true) }, {}, "take"],
  ["ours, prolonged", { holder: holder("one", 5), record: record("one", 5) }, {}, "take"],
  ["ours, its lease gone", { ...free, record: record("one", 5) }, {}, "take"],
  ["ours, of an earlier process", { holder: holder("one", 3), record: record("one", 3) }, {}, "take"],
  [
    "the other's",
    { holder: holder("two", 4), record: record("two", 4) },
    {},
    /two holds the grant with epoch 4/,
  ],
  [
    "the other's, unrenewed for its time, its lease alive",
    { holder: holder("two", 4), record: record("two", 4) },
    { unchangedMs: 9000 },
    /two holds/,
  ],
  [
    "the other's, its lease gone too early",
    { ...free, record: record("two", 4) },
    { unchangedMs: 4000 },
    /1000 ms more/,
  ],
  ["the other's, its time over", { ...free, record: record("two", 4) }, { unchangedMs: 5000 }, "take"],
  [
    "the other's, with a longer time than ours",
    { ...free, record: record("two", 4, false, 20_000) },
    { unchangedMs: 19_999 },
    /1 ms more/,
  ],
  [
    "a higher epoch, given back",
    { ...free, record: record("two", 6, true) },
    {},
    /epoch 6 was granted to two/,
  ],
  ["a higher epoch of ours", { holder: holder("one", 7), record: record("one", 7) }, {}, /epoch 7/],
  ["the same epoch of the other", { ...free, record: record("two", 5, true) }, {}, /epoch 5/],
  ["nothing, seen just now", { ...free, record: undefined }, {}, /5000 ms more/],
  ["nothing, seen for long", { ...free, record: undefined }, { unchangedMs: 5000 }, "take"],
  ["nothing, while we hold", { ...free, record: undefined }, { holding: true }, "take"],
  [
    "a holder without a record",
    { holder: holder("two", 2), record: undefined },
    { unchangedMs: 9000 },
    /two holds/,
  ],
  ["a holder beside our record", { holder: holder("two", 2), record: record("one", 3) }, {}, /two holds/],
] as const) {
  test(`${what}: ${verdict === "take" ? "taken" : "denied"}`, () => {
    const judgement = judge(snapshot, question(asked));
    if (verdict === "take") assert.deepEqual(judgement, { kind: "take" });
    else {
      assert.ok(judgement.kind === "denied");
      assert.match(judgement.why, verdict);
      assert.equal(judgement.seenEpoch, snapshot.record?.value.epoch);
    }
  });
}

test("what is seen counts from the first answer that showed it", () => {
  const sightings = makeSightings();
  const at = (modRevision: number): Snapshot => ({
    holder: undefined,
    record: { modRevision, value: { node: "two", epoch: 4, released: false, ttlMs: 5000 } },
  });
  assert.equal(sightings.unchangedMs(100), 0);
  sightings.note(at(7), 1000);
  sightings.note(at(7), 2000);
  assert.equal(sightings.unchangedMs(4000), 3000);
  sightings.note(at(8), 4000);
  assert.equal(sightings.unchangedMs(4500), 500);
  sightings.note({ holder: undefined, record: undefined }, 5000);
  assert.equal(sightings.unchangedMs(5100), 100);
  sightings.forget();
  assert.equal(sightings.unchangedMs(9000), 0);
});
