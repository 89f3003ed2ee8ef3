/** What is the memory store's own: a limit that leaves room for ends, an empty start, and honest words about both. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { makePlugin } from "@understudy/core/conformance/capabilities";
import { commit, idOf, numbered, putAll, rowOf } from "@understudy/core/conformance/session-rows";
import plugin from "../src/plugin.js";

const small = () => makePlugin(plugin, { mostSessions: 100 }, {});

test("R22: beyond its limit it refuses new sessions, rolls back, and still ends running ones", () => {
  const store = small();
  store.open();
  putAll(store, numbered(99));
  store.begin();
  store.put(rowOf(100));
  assert.throws(() => store.put(rowOf(101)), { name: "StoreFailure", kind: "full" });
  assert.equal(store.get(idOf(100)), undefined, "the whole transaction is rolled back");
  putAll(store, [rowOf(100)]);
  commit(store, () => store.put(rowOf(7, { ended: true, sequence: 101 })));
  assert.deepEqual(store.size().ended, 1);
  commit(store, () => assert.equal(store.removeEnded("p0123456789ab", 101), 1));
  putAll(store, [rowOf(101)]);
  assert.equal(store.size().running, 100);
});

test("R22 R24: it never says that it found something, so a restarted node is unverified", () => {
  const store = small();
  assert.deepEqual(store.open(), { found: false, setAside: undefined });
  putAll(store, numbered(3));
  store.close();
  assert.deepEqual(store.open(), { found: false, setAside: undefined });
  assert.equal(store.size().running, 0);
});

test("status says that nothing of it is on a disk", () => {
  const store = small();
  store.open();
  putAll(store, numbered(2));
  assert.match(
    store.describe(),
    /^2 sessions in memory, at most 100; on no disk: gone when both nodes are down$/,
  );
});
