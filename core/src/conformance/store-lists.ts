/** What a session store must show of its orders: pages by id, filters, changes by sequence; used by `store.ts`. */

import assert from "node:assert/strict";
import type { SessionRow } from "../sessions/store.js";
import { byId, idOf, numbered, type Place, putAll, rowOf } from "./session-rows.js";

export function listsInPages({ open }: Place): void {
  const store = open();
  const rows = numbered(257, (number) => ({ ended: number % 5 === 0 }));
  putAll(store, rows);
  for (const includeEnded of [true, false]) {
    const expected = byId(rows.filter(({ ended }) => includeEnded || !ended));
    for (const limit of [1, 7, 256, 257, 1000]) {
      const found: SessionRow[] = [];
      for (let after: string | undefined; ; ) {
        const page = store.list({ includeEnded, after, limit });
        found.push(...page);
        if (page.length < limit) break;
        assert.ok(found.length <= rows.length, `in pages of ${limit} the same rows come again`);
        after = page.at(-1)?.id;
      }
      assert.deepEqual(found, expected, `in pages of ${limit}`);
    }
  }
  // A place to go on from need not be the id of a row, nor a whole id.
  const after = rows[9]?.id.slice(0, 5) ?? "";
  assert.deepEqual(
    store.list({ includeEnded: true, after, limit: 1000 }),
    byId(rows).filter(({ id }) => id > after),
  );
  assert.deepEqual(store.list({ includeEnded: true, after: "Z".repeat(26), limit: 10 }), []);
}

export function listsFiltered({ open }: Place): void {
  const store = open();
  const rows = numbered(60, (number) => ({ user: `user-${number % 6}`, ended: number % 4 === 0 }));
  putAll(store, rows);
  for (const user of [undefined, "user-2", "nobody"]) {
    for (const agent of [undefined, "agent-1", "nowhere"]) {
      for (const includeEnded of [true, false]) {
        for (const [after, limit] of [
          [undefined, 100],
          [idOf(30), 3],
        ] as const) {
          const expected = byId(rows).filter(
            (row) =>
              (user === undefined || row.user === user) &&
              (agent === undefined || row.agent === agent) &&
              (includeEnded || !row.ended) &&
              row.id > (after ?? ""),
          );
          const found = store.list({ user, agent, includeEnded, after, limit });
          assert.deepEqual(
            found,
            expected.slice(0, limit),
            JSON.stringify({ user, agent, includeEnded, after }),
          );
        }
      }
    }
  }
}

export function listsChanges({ open }: Place): void {
  const store = open();
  // In another order than their sequences, and with the numbers that changes of other origins left free.
  const mine = [7, 3, 900, 12, 5, 11].map((sequence) => rowOf(sequence, { ended: sequence === 12 }));
  putAll(store, [...mine, rowOf(4, { origin: "sffffffffffff" })]);
  const sequences = (after: number, limit: number, origin = "p0123456789ab") =>
    store.changesAfter(origin, after, limit).map(({ sequence }) => sequence);
  assert.deepEqual(sequences(0, 100), [3, 5, 7, 11, 12, 900]);
  assert.deepEqual(sequences(5, 2), [7, 11]);
  assert.deepEqual(sequences(900, 10), []);
  assert.deepEqual(sequences(0, 10, "sffffffffffff"), [4]);
  assert.deepEqual(sequences(0, 10, "p000000000000"), []);
}
