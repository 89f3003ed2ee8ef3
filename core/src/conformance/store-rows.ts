/** What a session store must show of single rows, transactions, counts and values; used by `store.ts`. */

import assert from "node:assert/strict";
import type { SessionRow, SessionStore } from "../sessions/store.js";
import { byId, commit, everything, idOf, numbered, type Place, putAll, rowOf } from "./session-rows.js";

export function givesBack({ open }: Place): void {
  const rows = numbered(300, (number) => ({ ended: number % 3 === 0, overLimit: number % 7 === 0 }));
  const first = open();
  putAll(first, rows);
  for (const row of rows) assert.deepEqual(first.get(row.id), row);
  first.close();
  const again = open();
  for (const row of rows) assert.deepEqual(again.get(row.id), row);
  assert.equal(again.get(idOf("another")), undefined);
}

export function keepsExtremes({ open }: Place): void {
  const most = Number.MAX_SAFE_INTEGER;
  const rows = [
    rowOf(1, {
      user: "Åsa Öberg 京子 🖥️",
      agent: "ågent-ß",
      attributes: JSON.stringify({ "🔑": "�\u0000\n" }),
    }),
    rowOf(2, { user: "", agent: "", createdAt: "", attributes: "{}" }),
    rowOf(3, { user: "o'neill\"; DROP TABLE sessions; --", agent: "a\tb" }),
    rowOf(4, { user: "before\u0000after", attributes: JSON.stringify({ a: "x".repeat(4096 - 8) }) }),
    rowOf(5, { user: "u".repeat(1000), epoch: most, sequence: most, origin: "sffffffffffff" }),
    rowOf(6, { user: "e\u0301", epoch: 0, sequence: 1 }),
    rowOf(7, { user: "\u00e9", epoch: 2 ** 32, sequence: 2 ** 32 }),
    rowOf(8, { id: "0".repeat(26) }),
    rowOf(9, { id: "Z".repeat(26) }),
    ...numbered(40, (number) => ({ id: String(number).padStart(26, "0"), sequence: most - number })),
  ];
  const first = open();
  putAll(first, rows);
  first.close();
  const store = open();
  for (const row of rows) {
    assert.deepEqual(store.get(row.id), row);
    assert.ok(
      store.runningOf(row.user).some(({ id }) => id === row.id),
      row.user,
    );
  }
  // Text that looks alike is not the same text.
  assert.equal(store.runningOf("e\u0301").length, 1);
  assert.deepEqual(store.changesAfter("sffffffffffff", most - 1, 10), [rows[4]]);
  assert.deepEqual(store.changesAfter("sffffffffffff", most, 10), []);
  assert.deepEqual(store.list(everything), byId(rows));
}

export function replaces({ open }: Place): void {
  const store = open();
  putAll(store, numbered(10));
  const changed = rowOf(4, {
    user: "other",
    agent: "elsewhere",
    ended: true,
    epoch: 5,
    origin: "s1",
    sequence: 9,
  });
  putAll(store, [changed]);
  assert.deepEqual(store.get(changed.id), changed);
  assert.deepEqual(store.runningOf("user-4"), []);
  assert.deepEqual(store.runningOf("other"), []);
  assert.deepEqual(store.changesAfter("s1", 0, 10), [changed]);
  assert.deepEqual(
    store.changesAfter("p0123456789ab", 0, 100).map(({ sequence }) => sequence),
    [1, 2, 3, 5, 6, 7, 8, 9, 10],
  );
  putAll(store, [rowOf(4)]);
  assert.deepEqual(store.runningOf("user-4"), [rowOf(4)]);
  assert.deepEqual({ ...store.size(), bytes: 0 }, { running: 10, ended: 0, bytes: 0 });
}

export function listsRunning({ open }: Place): void {
  const store = open();
  const mine = numbered(6, (number) => ({ user: "ada", ended: number > 4 }));
  putAll(store, [...mine, rowOf(7, { user: "bob" })]);
  const running = byId(mine.slice(0, 4));
  assert.deepEqual(store.runningOf("ada"), running);
  assert.deepEqual(store.runningOf("nobody"), []);
  putAll(store, [{ ...(running[0] as SessionRow), ended: true }]);
  assert.deepEqual(store.runningOf("ada"), running.slice(1));
}

export function readsSeeWrites({ open }: Place): void {
  const store = open();
  putAll(store, [rowOf(1), rowOf(2, { ended: true })]);
  store.begin();
  store.put(rowOf(3));
  store.put(rowOf(1, { ended: true, sequence: 4 }));
  assert.deepEqual(store.get(idOf(3)), rowOf(3));
  assert.deepEqual(store.runningOf("user-3"), [rowOf(3)]);
  assert.deepEqual(store.runningOf("user-1"), []);
  assert.equal(store.removeEnded("p0123456789ab", 2), 1);
  assert.equal(store.get(idOf(2)), undefined);
  assert.deepEqual(
    store.changesAfter("p0123456789ab", 0, 10).map(({ sequence }) => sequence),
    [3, 4],
  );
  assert.equal(store.list(everything).length, 2);
  assert.equal(store.countByAgent().get("agent-3"), 1);
  assert.equal(store.size().running, 1);
  store.commit();
  assert.equal(store.size().ended, 1);
}

function contentsOf(store: SessionStore) {
  return {
    rows: store.list(everything),
    changes: store.changesAfter("p0123456789ab", 0, 1000),
    agents: [...store.countByAgent()].sort(),
    running: store.size().running,
    ended: store.size().ended,
    one: store.runningOf("user-1"),
    meta: store.getMeta("vector"),
  };
}

export function rollsBack({ open }: Place): void {
  const store = open();
  putAll(
    store,
    numbered(20, (number) => ({ ended: number % 4 === 0 })),
  );
  commit(store, () => store.setMeta("vector", "before"));
  const before = contentsOf(store);
  for (const origin of ["p0123456789ab", "snew"]) {
    store.begin();
    store.put(rowOf(1, { ended: true, agent: "new", origin, sequence: 99 }));
    store.put(rowOf(50, { agent: "new", origin }));
    store.put(rowOf(50, { agent: "newer", origin, user: "else" }));
    store.removeEnded("p0123456789ab", 10);
    store.setMeta("vector", "after");
    store.rollback();
    assert.deepEqual(contentsOf(store), before);
    assert.deepEqual(store.changesAfter("snew", 0, 10), []);
  }
  // What was new in the transaction that went can be new again.
  putAll(store, [rowOf(50, { agent: "new", origin: "snew" })]);
  store.close();
  const again = open();
  assert.deepEqual(again.get(idOf(50)), rowOf(50, { agent: "new", origin: "snew" }));
  assert.equal(again.size().running, 16);
}

export function rollsBackNothing({ open }: Place): void {
  const store = open();
  store.rollback();
  putAll(store, [rowOf(1)]);
  store.rollback();
  assert.deepEqual(store.get(idOf(1)), rowOf(1));
}

export function losesTheUncommitted({ open }: Place): void {
  const first = open();
  putAll(first, [rowOf(1)]);
  first.begin();
  first.put(rowOf(2));
  first.close();
  assert.deepEqual(open().list(everything), [rowOf(1)]);
}

export function removesEnded({ open }: Place): void {
  const store = open();
  putAll(
    store,
    numbered(20, (number) => ({ ended: number % 2 === 0, origin: number > 15 ? "sother" : "pmine" })),
  );
  store.begin();
  assert.equal(store.removeEnded("pmine", 8), 4);
  assert.equal(store.removeEnded("pmine", 8), 0);
  assert.equal(store.removeEnded("punknown", 100), 0);
  store.commit();
  assert.deepEqual({ ...store.size(), bytes: 0 }, { running: 10, ended: 6, bytes: 0 });
  assert.equal(store.get(idOf(8)), undefined);
  assert.ok(store.get(idOf(10)) && store.get(idOf(7)));
  // An id that went may come back from a node that was away.
  putAll(store, [rowOf(8)]);
  assert.deepEqual(store.get(idOf(8)), rowOf(8));
}

export function counts({ open }: Place): void {
  const first = open();
  assert.deepEqual(first.countByAgent(), new Map());
  putAll(
    first,
    numbered(50, (number) => ({ ended: number % 5 === 1 })),
  );
  const check = (store: SessionStore) => {
    assert.deepEqual([...store.countByAgent()].filter(([, count]) => count > 0).sort(), [
      ["agent-0", 10],
      ["agent-2", 10],
      ["agent-3", 10],
      ["agent-4", 10],
    ]);
    const { running, ended, bytes } = store.size();
    assert.deepEqual([running, ended], [40, 10]);
    assert.ok(bytes > 50 * 100);
  };
  check(first);
  first.close();
  check(open());
}

export function keepsMeta({ open }: Place): void {
  const first = open();
  assert.equal(first.getMeta("vector"), undefined);
  commit(first, () => {
    first.setMeta("vector", "p1:5");
    first.setMeta("incarnation", "ä🖥️");
    first.setMeta("vector", "p1:6");
    assert.equal(first.getMeta("vector"), "p1:6");
  });
  first.begin();
  first.setMeta("vector", "p1:7");
  first.setMeta("new", "x");
  first.rollback();
  assert.equal(first.getMeta("new"), undefined);
  first.close();
  const again = open();
  assert.equal(again.getMeta("vector"), "p1:6");
  assert.equal(again.getMeta("incarnation"), "ä🖥️");
}
