/** Where sessions go: the fewest per weight, creations under way counted, lagging counts made up for. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { placement } from "../src/placement.js";

const agents = [
  { name: "a", weight: 1 },
  { name: "b", weight: 1 },
  { name: "c", weight: 2 },
];

test("the fewest running sessions per weight, of equals the first", () => {
  const at = (counts: Record<string, number>) =>
    placement(
      agents,
      () => new Map(Object.entries(counts)),
      () => 0,
    ).choose()?.agent;
  assert.equal(at({}), "c");
  assert.equal(at({ c: 1 }), "a");
  assert.equal(at({ a: 1, c: 3 }), "b");
  assert.equal(at({ a: 5, b: 5, c: 9 }), "c");
});

test("creations under way count, and those that came to nothing do not", () => {
  const chooser = placement(
    agents.slice(0, 2),
    () => new Map(),
    () => 0,
  );
  const first = chooser.choose();
  const second = chooser.choose();
  assert.deepEqual([first?.agent, second?.agent], ["a", "b"]);
  second?.settle(false);
  second?.settle(false);
  assert.equal(chooser.choose()?.agent, "b");
});

test("what was just made counts until the counts have it", () => {
  let nowMs = 0;
  let counts = new Map<string, number>();
  const chooser = placement(
    agents.slice(0, 2),
    () => counts,
    () => nowMs,
  );
  for (let made = 0; made < 3; made += 1) chooser.choose()?.settle(true);
  nowMs = 999;
  assert.equal(chooser.choose()?.agent, "b");
  nowMs = 1000;
  counts = new Map([
    ["a", 9],
    ["b", 1],
  ]);
  assert.equal(chooser.choose()?.agent, "b");
});

test("thousands of creations leave nothing behind", () => {
  let nowMs = 0;
  const chooser = placement(
    agents.slice(0, 2),
    () => new Map(),
    () => nowMs,
  );
  for (let made = 0; made < 5001; made += 1) {
    nowMs += 1;
    chooser.choose()?.settle(true);
  }
  nowMs += 1000;
  assert.deepEqual([chooser.choose()?.agent, chooser.choose()?.agent], ["a", "b"]);
});

test("no agents, no choice", () => {
  assert.equal(
    placement(
      [],
      () => new Map(),
      () => 0,
    ).choose(),
    undefined,
  );
});
