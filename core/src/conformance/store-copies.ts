/** What a session store must show of copies of itself; used by `store.ts`. */

import assert from "node:assert/strict";
import { statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { commit, idOf, numbered, type Place, putAll, rowOf } from "./session-rows.js";

/** Rows, some hundred pages of a database. */
const burst = 2000;

/** Each transaction writes a row and its number beside it: a copy that tore one apart would show. */
export async function copiesWhileWriting({ open, folder }: Place): Promise<void> {
  const store = open();
  putAll(
    store,
    numbered(20_000, () => ({ attributes: JSON.stringify({ filling: "x".repeat(200) }) })),
  );
  let written = 20_000;
  let copied = false;
  const file = join(folder, "copy");
  const fractions: number[] = [];
  const copying = store
    .snapshot(file, (fraction) => fractions.push(fraction))
    .finally(() => {
      copied = true;
    });
  // Before the copy has done anything but begin: the database grows under it by many pages.
  commit(store, () => {
    for (let added = 1; added <= burst; added += 1) store.put(rowOf(written + added));
    written += burst;
    store.setMeta("written", String(written));
  });
  while (!copied) {
    written += 1;
    commit(store, () => {
      store.put(rowOf(written));
      store.setMeta("written", String(written));
    });
    await setImmediate();
  }
  await copying;
  assert.ok(written > 20_001 + burst, "the store went on while it was copied");
  assert.equal(fractions.at(-1), 1);
  assert.deepEqual(
    fractions,
    fractions.toSorted((a, b) => a - b),
  );
  assert.equal(store.size().running, written);
  commit(store, () => store.put(rowOf(1, { ended: true })));

  store.replaceWith(file);
  const inCopy = store.size().running;
  assert.ok(inCopy >= 20_000 && inCopy <= written);
  assert.equal(Number(store.getMeta("written") ?? 20_000), inCopy);
  assert.deepEqual(
    store.get(idOf(1)),
    rowOf(1, { attributes: JSON.stringify({ filling: "x".repeat(200) }) }),
  );
  assert.equal(store.changesAfter("p0123456789ab", 0, 100_000).length, inCopy);
  putAll(store, [rowOf(written + 1)]);
  store.close();
  const again = open();
  assert.equal(again.size().running, inCopy + 1);
  assert.deepEqual(again.get(idOf(written + 1)), rowOf(written + 1));
  assert.equal(statSync(file, { throwIfNoEntry: false }), undefined, "the copy was moved, not copied again");
}

export async function refusesReplacement({ open, folder }: Place): Promise<void> {
  const store = open();
  putAll(store, numbered(2000));
  const cut = join(folder, "cut");
  await store.snapshot(cut, () => {});
  truncateSync(cut, Math.floor(statSync(cut).size / 2));
  const garbage = join(folder, "garbage");
  writeFileSync(garbage, Buffer.alloc(100_000, "no database "));
  const empty = join(folder, "empty");
  writeFileSync(empty, "");
  for (const file of [cut, garbage, empty, join(folder, "absent")]) {
    assert.throws(() => store.replaceWith(file), { name: "StoreFailure" }, file);
    assert.equal(store.size().running, 2000);
    assert.deepEqual(store.get(idOf(7)), rowOf(7));
  }
  putAll(store, [rowOf(2001)]);
  store.close();
  assert.equal(open().size().running, 2001);
}
