/**
 * What every session store must show, as tests of node:test: each promise of the contract in `sessions/store.ts`. A
 * plugin's own test calls `storeConformance` with a way to make a store whose files are in a given folder.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { SessionStore } from "../sessions/store.js";
import type { Place } from "./session-rows.js";
import { copiesWhileWriting, refusesReplacement } from "./store-copies.js";
import { outlivesKill, setsDamagedAside } from "./store-kills.js";
import { listsChanges, listsFiltered, listsInPages } from "./store-lists.js";
import { behavesAsModel } from "./store-model.js";
import {
  counts,
  givesBack,
  keepsExtremes,
  keepsMeta,
  listsRunning,
  losesTheUncommitted,
  readsSeeWrites,
  removesEnded,
  replaces,
  rollsBack,
  rollsBackNothing,
} from "./store-rows.js";
import { noteSuite } from "./suites-run.js";

export interface StoreSuite {
  readonly name: string;
  /** Not opened. Called again with the same folder it makes a store over the same files. */
  make(folder: string): SessionStore;
  /**
   * Default true. False for a store that forgets everything when it is closed, and says so: it must then never say that
   * a database was found, and what is asked after a reopen is asked without one.
   */
  readonly durable?: boolean;
}

export function storeConformance(suite: StoreSuite): void {
  noteSuite("store");
  const durable = suite.durable !== false;
  const within =
    (work: (place: Place) => void | Promise<void>): (() => Promise<void>) =>
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "understudy-store-"));
      const opened: SessionStore[] = [];
      const open = () => {
        const [kept] = opened;
        if (!durable && kept !== undefined) return staysOpen(kept);
        const store = suite.make(folder);
        store.open();
        opened.push(store);
        return durable ? store : staysOpen(store);
      };
      try {
        await work({ folder, open });
      } finally {
        for (const store of opened) store.close();
        rmSync(folder, { recursive: true });
      }
    };

  describe(`${suite.name} is a session store`, () => {
    test("says whether a database was there", async () => {
      const folder = mkdtempSync(join(tmpdir(), "understudy-store-"));
      saysWhetherFound(suite, folder);
      rmSync(folder, { recursive: true });
    });
    test("gives a row back as it was put, after a reopen too", within(givesBack));
    test("keeps text of any kind, and numbers up to 2^53 - 1", within(keepsExtremes));
    test("replaces the row with the same id", within(replaces));
    test("lists a user's running sessions, lowest id first", within(listsRunning));
    test("reads see the writes of their transaction", within(readsSeeWrites));
    test("a rollback takes back everything", within(rollsBack));
    test("a rollback without a transaction is harmless", within(rollsBackNothing));
    if (durable) test("what was not committed is gone after a close", within(losesTheUncommitted));
    if (durable) {
      const make = (folder: string) => suite.make(folder);
      const noFiles = "it keeps nothing in its folder";
      test("what was committed outlives a kill of the process", (context) => {
        if (!outlivesKill(make)) context.skip(noFiles);
      });
      test("a database that was damaged is set aside and kept", (context) => {
        if (!setsDamagedAside(make)) context.skip(noFiles);
      });
    }
    test("lists in the order of the ids, in pages", within(listsInPages));
    test("lists by user and agent", within(listsFiltered));
    test("lists changes in the order of their sequence", within(listsChanges));
    test("removes ended rows of one origin up to a sequence", within(removesEnded));
    test("counts by agent and in all", within(counts));
    test("keeps values beside the rows, in the same transactions", within(keepsMeta));
    test("behaves as a map of rows under random changes", within(behavesAsModel));
    test("copies itself while it is written to, and takes the copy's place", within(copiesWhileWriting));
    test("refuses a replacement that does not verify, and stays what it was", within(refusesReplacement));
    test("what it says of itself is one line", within(oneLine));
  });
}

/** A store that a test closes and opens again, without either: what it holds in between is no question for it. */
function staysOpen(store: SessionStore): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      if (name === "close") return () => {};
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function saysWhetherFound(suite: StoreSuite, folder: string): void {
  const lasting = suite.durable !== false;
  for (const found of [false, lasting, lasting]) {
    const store = suite.make(folder);
    assert.deepEqual(store.open(), { found, setAside: undefined });
    store.close();
  }
}

function oneLine({ open }: Place): void {
  const line = open().describe();
  assert.ok(line.length > 0 && !line.includes("\n"), line);
}
