/** Your own tests stand beside the suite: here, what becomes of a journal that a crash cut off, or that was altered. */

import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { idOf, numbered, putAll, rowOf } from "@understudy/core/conformance/session-rows";
import { journalStore } from "../src/journal-store.ts";

function withJournal(work: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "store-"));
  const path = join(folder, "journal");
  const store = journalStore(path);
  store.open();
  putAll(store, numbered(3));
  store.close();
  work(path);
  rmSync(folder, { recursive: true });
}

test("a line that a crash cut off was never acknowledged, and the next one is whole", () =>
  withJournal((path) => {
    appendFileSync(path, '0123456789abcdef {"put":[{"id":"half');
    const store = journalStore(path);
    assert.deepEqual(store.open(), { found: true, setAside: undefined });
    putAll(store, [rowOf(4)]);
    store.close();
    const again = journalStore(path);
    again.open();
    assert.equal(again.size().running, 4);
    again.close();
  }));

test("a journal that was altered is set aside, and nothing in it is believed", () =>
  withJournal((path) => {
    writeFileSync(path, readFileSync(path, "utf8").replace("user-2", "user-X"));
    const store = journalStore(path);
    const { found, setAside } = store.open();
    assert.equal(found, false);
    assert.ok(setAside !== undefined && existsSync(setAside.movedTo));
    assert.equal(store.get(idOf(1)), undefined);
    store.close();
  }));

test("a journal without a single line in it is damaged, not cut off", () =>
  withJournal((path) => {
    writeFileSync(path, "no journal ".repeat(100));
    const store = journalStore(path);
    const { found, setAside } = store.open();
    assert.equal(found, false);
    assert.ok(setAside !== undefined && readFileSync(setAside.movedTo, "utf8").startsWith("no journal"));
    store.close();
  }));
