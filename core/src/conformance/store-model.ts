/** A session store against a map of rows under random changes; used by `store.ts`. */

import assert from "node:assert/strict";
import type { SessionRow, SessionStore } from "../sessions/store.js";
import { byId, everything, type Place, rowOf } from "./session-rows.js";

/** A small generator with a seed: a failure shows the same again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export function behavesAsModel({ open }: Place): void {
  const random = randomNumbers(20);
  let store = open();
  let model = new Map<string, SessionRow>();
  let sequence = 0;
  for (let round = 0; round < 150; round += 1) {
    const next = new Map(model);
    store.begin();
    for (let change = random(30); change >= 0; change -= 1) {
      if (random(40) === 0) {
        const through = random(sequence + 1);
        store.removeEnded("p1", through);
        for (const row of next.values()) if (row.ended && row.sequence <= through) next.delete(row.id);
        continue;
      }
      sequence += 1;
      const ended = random(3) === 0;
      const row = rowOf(random(400), { user: `user-${random(50)}`, ended, origin: "p1", sequence });
      store.put(row);
      next.set(row.id, row);
    }
    if (random(4) === 0) store.rollback();
    else {
      store.commit();
      model = next;
    }
    if (random(30) === 0) {
      store.close();
      store = open();
    }
    if (round % 10 === 0) compareWithModel(store, model);
  }
  compareWithModel(store, model);
}

function compareWithModel(store: SessionStore, model: ReadonlyMap<string, SessionRow>): void {
  const rows = byId([...model.values()]);
  assert.deepEqual(store.list(everything), rows);
  assert.deepEqual(
    store.changesAfter("p1", 0, 100_000),
    rows.toSorted((a, b) => a.sequence - b.sequence),
  );
  for (let user = 0; user < 50; user += 1) {
    const expected = rows.filter((row) => row.user === `user-${user}` && !row.ended);
    assert.deepEqual(store.runningOf(`user-${user}`), expected);
  }
  assert.equal(store.size().running, rows.filter(({ ended }) => !ended).length);
  assert.equal(store.size().ended, rows.filter(({ ended }) => ended).length);
}
