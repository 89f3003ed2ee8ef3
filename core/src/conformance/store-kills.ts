/**
 * What a session store must show of its files: what was committed is in them when `commit` has returned, whatever becomes
 * of the process, and a database that was damaged is set aside. Used by `store.ts`; asks nothing of a store without files.
 */

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionStore } from "../sessions/store.js";
import { byId, commit, everything, numbered, putAll, rowOf } from "./session-rows.js";

type Make = (folder: string) => SessionStore;

/** False for a store that keeps nothing in its folder, so that there is nothing to look at. */
export function outlivesKill(make: Make): boolean {
  return inFolders((folder, killed) => {
    const rows = numbered(30, (number) => ({ ended: number % 3 === 0 }));
    const store = make(folder);
    store.open();
    putAll(store, rows);
    commit(store, () => store.setMeta("vector", "p1:30"));
    putAll(store, [rowOf(7, { user: "the last change" })]);
    store.begin();
    store.put(rowOf(31));
    // What a SIGKILL now would leave behind: the files as they are, and nothing else.
    cpSync(folder, killed, { recursive: true });
    store.rollback();
    store.close();
    if (filesIn(folder).length === 0) return false;
    const next = make(killed);
    const opening = next.open();
    try {
      assert.deepEqual(opening, { found: true, setAside: undefined }, "a kill damages no database");
      const kept = byId([
        ...rows.filter(({ sequence }) => sequence !== 7),
        rowOf(7, { user: "the last change" }),
      ]);
      assert.deepEqual(next.list(everything), kept, "a killed process loses nothing that was committed");
      assert.equal(next.getMeta("vector"), "p1:30");
    } finally {
      next.close();
    }
    return true;
  });
}

/** False where there is nothing to damage. */
export function setsDamagedAside(make: Make): boolean {
  return inFolders((folder) => {
    const store = make(folder);
    store.open();
    putAll(store, numbered(30));
    store.close();
    const files = filesIn(folder);
    if (files.length === 0) return false;
    for (const file of files)
      writeFileSync(file, Buffer.alloc(Math.max(statSync(file).size, 4096), "damaged "));
    const next = make(folder);
    const { found, setAside } = next.open();
    try {
      assert.equal(
        found,
        false,
        "each of its files was filled with one word over and over: of such a database nothing may be believed, so it counts as none",
      );
      assert.ok(setAside, "it says that a database was there and did not verify");
      assert.ok(existsSync(setAside.movedTo), "what was damaged is moved away, never deleted");
      assert.match(setAside.why, /\S/);
      assert.deepEqual(next.list(everything), []);
      putAll(next, [rowOf(1)]);
    } finally {
      next.close();
    }
    const again = make(folder);
    assert.deepEqual(again.open(), { found: true, setAside: undefined }, "it is set aside once");
    again.close();
    return true;
  });
}

function inFolders(work: (folder: string, killed: string) => boolean): boolean {
  const top = mkdtempSync(join(tmpdir(), "understudy-store-"));
  try {
    return work(mkdtempSync(join(top, "one-")), join(top, "killed"));
  } finally {
    rmSync(top, { recursive: true });
  }
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
