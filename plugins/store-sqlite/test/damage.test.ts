/** Databases that were damaged while nobody looked, and paths where none can be: set aside or refused, never believed. */

import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { rowOf } from "@understudy/core/conformance/session-rows";
import type { StoreOpening } from "@understudy/core/public";
import { failureOf, folderFor, putAll, storeAt } from "./stores.js";

const rowCount = 3000;
const rows = Array.from({ length: rowCount }, (_, at) => rowOf(at + 1, { ended: at % 10 === 0 }));

function makeDatabase(path: string): void {
  const store = storeAt(path);
  store.open();
  putAll(store, rows);
  store.begin();
  store.setMeta("vector", "p0123456789ab:3000");
  store.commit();
  store.close();
}

/** Opens, and expects that the database was moved aside with its bytes as they were. */
function expectSetAside(path: string, why: RegExp): void {
  const before = readFileSync(path);
  const store = storeAt(path);
  const opening = store.open();
  assert.equal(opening.found, false);
  assert.match(opening.setAside?.why ?? "", why);
  assert.ok(readFileSync(opening.setAside?.movedTo ?? "").equals(before), "kept as it was");
  assert.match(opening.setAside?.movedTo ?? "", /sessions\.db\.damaged-\d{8}T\d{6}Z/);
  assert.equal(store.size().running, 0);
  putAll(store, [rowOf(1)]);
  store.close();
  const again = storeAt(path);
  assert.deepEqual(again.open(), { found: true, setAside: undefined });
  again.close();
}

test("a truncated database is set aside", (context) => {
  const path = join(folderFor(context), "sessions.db");
  for (const part of [0.999, 0.5, 0.01]) {
    makeDatabase(path);
    truncateSync(path, Math.floor(statSync(path).size * part));
    expectSetAside(path, /malformed|does not verify|not a database|shorter/);
    rmSync(path);
  }
});

test("an empty file and one full of something else are set aside", (context) => {
  const path = join(folderFor(context), "sessions.db");
  writeFileSync(path, "");
  expectSetAside(path, /empty/);
  writeFileSync(path, Buffer.alloc(50_000, "something else "));
  expectSetAside(path, /not a database/);
  assert.equal(readdirSync(dirname(path)).filter((name) => name.includes("damaged")).length, 2);
});

test("a flipped byte is noticed at the start, or when what it changed is read", (context) => {
  const folder = folderFor(context);
  const whole = join(folder, "whole.db");
  makeDatabase(whole);
  const { size } = statSync(whole);
  const path = join(folder, "sessions.db");
  const seen = { atStart: 0, atRead: 0, harmless: 0 };
  for (let flip = 0; flip < 60; flip += 1) {
    for (const name of readdirSync(folder)) if (name.startsWith("sessions.db")) rmSync(join(folder, name));
    copyFileSync(whole, path);
    flipByte(path, Math.floor((flip + 0.37) * (size / 60)));
    seen[noticedAt(path)] += 1;
  }
  // Free space within pages takes part in nothing; the rest has to be noticed, and `noticedAt` has compared every row.
  assert.ok(seen.atStart > 5 && seen.atRead > 20, JSON.stringify(seen));
});

function flipByte(path: string, at: number): void {
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 0x10;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

function noticedAt(path: string): "atStart" | "atRead" | "harmless" {
  const store = storeAt(path);
  let opening: StoreOpening | undefined;
  const refused = failureOf(() => {
    try {
      opening = store.open();
    } catch (error) {
      // The number by which a database of ours is known was hit: refused, and left alone.
      if (
        (error as { code?: string }).code !== "STORE_FOREIGN" &&
        (error as { code?: string }).code !== "STORE_NEWER"
      ) {
        throw error;
      }
    }
  });
  assert.equal(refused, undefined);
  if (opening?.setAside !== undefined || opening === undefined) return "atStart";
  let noticed: "atRead" | "harmless" = "harmless";
  const failure = failureOf(() => {
    for (const row of rows) assert.deepEqual(store.get(row.id), row);
    assert.equal(store.changesAfter(rowOf(1).origin, 0, rowCount * 2).length, rowCount);
    assert.equal(store.getMeta("vector"), "p0123456789ab:3000");
  });
  if (failure !== undefined) {
    assert.equal(failure.kind, "corrupt");
    noticed = "atRead";
    assert.equal(failureOf(() => store.size())?.kind, "corrupt", "nothing is believed after that");
  }
  store.close();
  const again = storeAt(path);
  const { setAside } = again.open();
  assert.equal(
    setAside !== undefined,
    noticed === "atRead",
    "what was noticed is not forgotten at the next start",
  );
  again.close();
  return noticed;
}

test("a store that found itself corrupt takes a replacement, and keeps what it had", async (context) => {
  const folder = folderFor(context);
  const path = join(folder, "sessions.db");
  makeDatabase(path);
  const copy = join(folder, "copy");
  const first = storeAt(path);
  first.open();
  await first.snapshot(copy, () => {});
  first.close();
  const bytes = readFileSync(path);
  const attribute = bytes.indexOf('"display":":1500"');
  assert.ok(attribute > 0);
  flipByte(path, attribute + 12);
  const store = storeAt(path);
  store.open();
  assert.equal(failureOf(() => store.get(rowOf(1500).id))?.kind, "corrupt");
  assert.match(store.describe(), /check/);
  store.replaceWith(copy);
  assert.deepEqual(store.get(rowOf(1500).id), rowOf(1500));
  store.close();
  assert.equal(readdirSync(folder).filter((name) => /damaged-\w+Z$/.test(name)).length, 1);
});

test("a log without its database is set aside: the database was lost", (context) => {
  const path = join(folderFor(context), "sessions.db");
  makeDatabase(path);
  const store = storeAt(path);
  store.open();
  putAll(store, [rowOf(1, { ended: true })]);
  copyFileSync(`${path}-wal`, `${path}-kept`);
  store.close();
  rmSync(path);
  renameSync(`${path}-kept`, `${path}-wal`);
  const again = storeAt(path);
  const opening = again.open();
  assert.match(opening.setAside?.why ?? "", /gone/);
  assert.ok(statSync(`${opening.setAside?.movedTo}-wal`).size > 0);
  again.close();
});

test("what only a person can mend is said with its code, and left alone", (context) => {
  const folder = folderFor(context);
  const path = join(folder, "sessions.db");
  const codeOf = (at = path) => {
    try {
      storeAt(at).open();
    } catch (error) {
      return (error as { code?: string }).code;
    }
    return undefined;
  };
  mkdirSync(path);
  assert.equal(codeOf(), "STORE_IS_DIRECTORY");
  rmSync(path, { recursive: true });
  assert.equal(codeOf(join(folder, "absent", "sessions.db")), "STORE_NO_FOLDER");

  const foreign = new DatabaseSync(path);
  foreign.exec("CREATE TABLE accounts (name TEXT)");
  foreign.close();
  assert.equal(codeOf(), "STORE_FOREIGN");
  rmSync(path);

  makeDatabase(path);
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  assert.equal(codeOf(), "STORE_NEWER");
  rmSync(path);

  const holder = storeAt(path);
  holder.open();
  assert.equal(codeOf(), "STORE_IN_USE");
  holder.close();
  assert.equal(codeOf(), undefined);
});

test("a database that others could read is closed to them", (context) => {
  const path = join(folderFor(context), "sessions.db");
  makeDatabase(path);
  chmodSync(path, 0o644);
  const store = storeAt(path);
  store.open();
  putAll(store, [rowOf(1)]);
  for (const suffix of ["", "-wal", ".ballast"])
    assert.equal(statSync(path + suffix).mode & 0o777, 0o600, suffix);
  store.close();
});
