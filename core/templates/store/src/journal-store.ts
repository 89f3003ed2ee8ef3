/**
 * The session store: rows in memory for every look-up, each transaction in the journal before its commit returns. It runs
 * in a thread of its own and may block; whatever it throws is a StoreFailure, whose kind decides what the node does.
 */

import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { createMemoryRows, type SessionRow, type SessionStore, StoreFailure } from "@understudy/core/public";
import { type Entry, type Journal, lineOf, openJournal, readEntries } from "./journal.ts";

const rowsAtOnce = 500;

export function journalStore(path: string): SessionStore {
  const rows = createMemoryRows();
  let journal: Journal | undefined;
  let entry = emptyEntry();

  function fill(entries: readonly Entry[]): void {
    rows.replaceAll([], []);
    const values = new Map<string, string>();
    for (const { put, gone, meta } of entries) {
      for (const row of put) rows.set(row.id, row);
      for (const id of gone) rows.set(id, undefined);
      for (const [key, value] of meta) values.set(key, value);
    }
    rows.replaceAll([...rows.rows()], values);
  }

  return {
    open() {
      const found = existsSync(path);
      try {
        const opened = openJournal(path);
        journal = opened.journal;
        fill(readEntries(opened.text.slice(0, opened.text.lastIndexOf("\n") + 1), false));
        return { found, setAside: undefined };
      } catch (error) {
        journal?.close();
        if (!(error instanceof StoreFailure)) throw new StoreFailure("broken", String(error), error);
        // Rule R22: never deleted, never served; the node refills this one from the other.
        const movedTo = `${path}.damaged-${Date.now()}`;
        renameSync(path, movedTo);
        rows.replaceAll([], []);
        journal = openJournal(path).journal;
        return { found: false, setAside: { movedTo, why: error.message } };
      }
    },
    close() {
      journal?.close();
      journal = undefined;
    },
    begin() {
      rows.begin();
      entry = emptyEntry();
    },
    commit() {
      if (!rows.inTransaction) throw new StoreFailure("broken", "no transaction is open");
      if (journal === undefined) throw new StoreFailure("broken", "the store is closed");
      try {
        journal.append(lineOf(entry));
      } catch (error) {
        rows.rollback();
        throw error;
      }
      rows.commit();
    },
    rollback: rows.rollback,
    get: rows.get,
    runningOf: rows.runningOf,
    put(row) {
      rows.put(row);
      // What is gone counts after what was put: one that comes back is not gone.
      if (entry.gone.length > 0) entry.gone = entry.gone.filter((id) => id !== row.id);
      entry.put.push(row);
    },
    removeEnded(origin, throughSequence) {
      const before = rows.changesAfter(origin, 0, Number.POSITIVE_INFINITY);
      const removed = rows.removeEnded(origin, throughSequence);
      const gone = new Set(before.map(({ id }) => id).filter((id) => rows.get(id) === undefined));
      entry.gone.push(...gone);
      entry.put = entry.put.filter(({ id }) => !gone.has(id));
      return removed;
    },
    list: rows.list,
    changesAfter: rows.changesAfter,
    countByAgent: rows.countByAgent,
    size: () => ({
      running: rows.running,
      ended: rows.ended,
      bytes: statSync(path, { throwIfNoEntry: false })?.size ?? 0,
    }),
    getMeta: rows.getMeta,
    setMeta(key, value) {
      rows.setMeta(key, value);
      entry.meta.push([key, value]);
    },
    snapshot: (file, progress) => writeSnapshot(file, [...rows.rows()], [...rows.meta()], progress),
    replaceWith(file) {
      const entries = verified(file);
      // The copy is a journal itself: flushed, then renamed into its place, it is the database.
      const copy = openSync(file, "r+");
      fdatasyncSync(copy);
      closeSync(copy);
      journal?.close();
      renameSync(file, path);
      journal = openJournal(path).journal;
      fill(entries);
    },
    describe: () => `${rows.running} sessions in ${path}`,
  };
}

function emptyEntry(): { put: SessionRow[]; gone: string[]; meta: [string, string][] } {
  return { put: [], gone: [], meta: [] };
}

/** A last line says how many came before it, so that a copy cut between two lines is refused too. */
const countKey = "copied rows";

function verified(file: string): readonly Entry[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new StoreFailure("broken", String(error), error);
  }
  const entries = readEntries(text, true);
  const [last] = entries.at(-1)?.meta ?? [];
  const count = entries.reduce((sum, { put }) => sum + put.length, 0);
  if (last?.[0] !== countKey || Number(last[1]) !== count)
    throw new StoreFailure("corrupt", "the copy is not whole");
  return entries.slice(0, -1);
}

/** Rows are never changed, only replaced: a list of them is a copy of this moment, written beside whatever goes on. */
async function writeSnapshot(
  file: string,
  all: readonly SessionRow[],
  meta: readonly (readonly [string, string])[],
  progress: (fraction: number) => void,
): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.write(lineOf({ put: [], gone: [], meta }));
    for (let at = 0; at < all.length; at += rowsAtOnce) {
      await writeSome(handle, all.slice(at, at + rowsAtOnce));
      progress(Math.min(1, at / all.length));
      await setImmediate();
    }
    await handle.write(lineOf({ put: [], gone: [], meta: [[countKey, String(all.length)]] }));
    await handle.sync();
    progress(1);
  } finally {
    await handle.close();
  }
}

async function writeSome(handle: FileHandle, some: readonly SessionRow[]): Promise<void> {
  await handle.write(lineOf({ put: some, gone: [], meta: [] }));
}
