/** The index in memory against the simplest thing that does the same: an array that is sorted and searched. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeyedRows } from "../src/keyed-rows.js";

const empty = { keys: new Uint32Array(0), rows: new Float64Array(0) };

function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

for (const [what, keyRange] of [
  ["spread", 2 ** 32],
  ["crowded", 300],
  ["all alike", 1],
] as const) {
  test(`keyed rows do as a sorted array does, keys ${what}`, () => {
    const random = randomNumbers(keyRange % 97);
    const start = Array.from({ length: 1500 }, (_, row) => ({ key: random(keyRange), row }));
    const index = createKeyedRows({
      keys: Uint32Array.from(start, ({ key }) => key),
      rows: Float64Array.from(start, ({ row }) => row),
    });
    let model = start;
    for (let row = 1500; row < 4500; row += 1) {
      if (random(2) === 0) {
        const key = random(keyRange);
        index.add(key, row);
        model.push({ key, row });
      } else {
        const gone = model[random(model.length)];
        assert.ok(gone);
        assert.equal(index.remove(gone.key, gone.row), true);
        assert.equal(index.remove(gone.key, gone.row), false);
        model = model.filter((entry) => entry !== gone);
      }
      const { key } = model[random(model.length)] ?? { key: 0 };
      const expected = model.filter((entry) => entry.key === key).map((entry) => entry.row);
      assert.deepEqual(index.find(key).toSorted(), expected.toSorted());
    }
    const inOrder = [...index.walk(0)];
    assert.equal(index.size, model.length);
    assert.deepEqual(
      inOrder.map(({ key }) => key),
      model.map(({ key }) => key).sort((a, b) => a - b),
    );
    assert.deepEqual(inOrder.map(({ row }) => row).sort(), model.map(({ row }) => row).sort());
    const from = Math.floor(keyRange / 3);
    assert.equal([...index.walk(from)].length, model.filter(({ key }) => key >= from).length);
  });
}

test("keyed rows can be emptied and filled again", () => {
  const index = createKeyedRows(empty);
  for (let round = 0; round < 3; round += 1) {
    for (let row = 0; row < 2000; row += 1) index.add((row * 7919) % 2000, row);
    for (let row = 0; row < 2000; row += 1) assert.ok(index.remove((row * 7919) % 2000, row));
    assert.deepEqual([...index.walk(0)], []);
    assert.deepEqual(index.find(5), []);
  }
});

test("keyed rows start with more entries than can be sorted in one go", () => {
  const count = 2 ** 21 + 10;
  const keys = new Uint32Array(count);
  const rows = new Float64Array(count);
  for (let row = 0; row < count; row += 1) {
    keys[row] = Math.imul(row, 0x9e3779b1);
    rows[row] = row;
  }
  const index = createKeyedRows({ keys, rows });
  let last = -1;
  let seen = 0;
  for (const { key } of index.walk(0)) {
    if (key < last) assert.fail(`${key} after ${last}`);
    last = key;
    seen += 1;
  }
  assert.equal(seen, count);
  assert.deepEqual(index.find(keys[1234] ?? 0), [1234]);
});
