/**
 * The session store on SQLite: transactions, and what happens when they fail (rule R22). A full disk gives up the
 * ballast and refuses new sessions until there is room again; after any other failure nothing is believed any more.
 */

import { type SessionRow, type SessionStore, StoreFailure, type StoreOpening } from "@understudy/core/public";
import { createBallast } from "./ballast.js";
import type { Contents } from "./contents.js";
import { storeFailureOf } from "./failures.js";
import { type OpenDatabase, openOrCreate, openVerified, setAside, suspect } from "./opening.js";
import { bringBeside, fileBytes, readReplacement } from "./replacement.js";
import type { Rows, StoredRow } from "./rows.js";
import { moveDurably } from "./schema.js";
import { copyDatabase } from "./snapshot.js";
import { prepare, type WorkingDatabase } from "./working-database.js";

export interface SqliteStoreOptions {
  readonly path: string;
  readonly ballastBytes: number;
}

/** How often a disk that was full is asked for room again, milliseconds. */
const roomEveryMs = 1000;

export function createSqliteStore({ path, ballastBytes }: SqliteStoreOptions): SessionStore {
  const incoming = `${path}.incoming`;
  const ballast = createBallast(`${path}.ballast`, ballastBytes);
  let working: WorkingDatabase | undefined;
  let inTransaction = false;
  /** Set by a failure after which memory and disk may differ. */
  let lost: StoreFailure | undefined;
  let askedForRoomMs = 0;
  /** The row that `get` has just found or not found: mostly `put` is called with it next. */
  let latest: { readonly id: string; readonly found: StoredRow | undefined } | undefined;

  function attend<T>(doing: string, work: (working: WorkingDatabase) => T): T {
    if (lost !== undefined) throw lost;
    if (working === undefined) throw new Error(`${doing}: the store is not open`);
    try {
      return work(working);
    } catch (error) {
      throw failed(error, doing);
    }
  }

  /** Whatever failed, the transaction is over and memory agrees with the disk again, or nothing works any more. */
  function failed(error: unknown, doing: string): unknown {
    const failure = storeFailureOf(error, `${path}: ${doing}`);
    latest = undefined;
    if (!(failure instanceof StoreFailure)) return failure;
    if (failure.kind !== "full") lost ??= failure;
    if (failure.kind === "corrupt") suspect(path);
    takeBack();
    if (failure.kind === "full" && lost === undefined) giveUpBallast();
    return failure;
  }

  function takeBack(): void {
    inTransaction = false;
    if (working === undefined) return;
    const { database, contents } = working.open;
    try {
      // After some failures SQLite has rolled back by itself.
      if (database.isTransaction) working.rollback();
      contents.catalog.takeBack();
      contents.agents.takeBack();
      contents.origins.takeBack();
    } catch (error) {
      lost ??= new StoreFailure("broken", `${path}: rolling back: ${(error as Error).message}`, error);
    }
  }

  function giveUpBallast(): void {
    ballast.release();
    askedForRoomMs = performance.now();
    try {
      // The log must get into the database while there is room: after that it is written from its start again.
      working?.checkpoints.now();
    } catch {
      // Still no room for all of it; what is in the log is safe there.
    }
  }

  function seekRoom(): void {
    const nowMs = performance.now();
    if (!ballast.released || nowMs - askedForRoomMs < roomEveryMs) return;
    askedForRoomMs = nowMs;
    ballast.ensure();
  }

  function adopt(open: OpenDatabase): void {
    working = prepare(open, (error) => failed(error, "writing the log into the database"));
    latest = undefined;
  }

  function release(): void {
    working?.checkpoints.stop();
    const open = working?.open;
    working = undefined;
    inTransaction = false;
    latest = undefined;
    open?.close();
  }

  function open(): StoreOpening {
    const { opening, ...database } = openOrCreate(path);
    adopt(database);
    ballast.ensure();
    return opening;
  }

  function commit(): void {
    attend("committing", ({ open: { contents }, checkpoints, commit: run }) => {
      run();
      inTransaction = false;
      contents.catalog.settle();
      contents.agents.settle();
      contents.origins.settle();
      checkpoints.committed();
    });
  }

  function find(rows: Rows, id: string): StoredRow | undefined {
    if (latest?.id === id) return latest.found;
    const found = rows.find(id);
    latest = { id, found };
    return found;
  }

  function put(row: SessionRow): void {
    attend("writing a session", ({ rows }) => {
      if (!inTransaction) throw new Error("put outside of a transaction");
      const known = find(rows, row.id);
      if (ballast.released && known === undefined && !row.ended) {
        throw new StoreFailure("full", `${path}: no room for new sessions: the disk is full`);
      }
      latest = undefined;
      rows.write(row, known);
    });
  }

  async function snapshot(file: string, progress: (fraction: number) => void): Promise<void> {
    const from = attend("copying", (present) => present);
    try {
      await copyDatabase(from.open, from.checkpoints, file, progress);
    } catch (error) {
      // That the copy had no room says nothing about the database, which may be on another disk.
      throw storeFailureOf(error, `copying ${path} to ${file}`);
    }
  }

  function replaceWith(file: string): void {
    if (inTransaction) throw new Error("replaceWith within a transaction");
    let contents: Contents;
    try {
      // A file that does not verify says nothing about the present database, which stays.
      contents = readReplacement(file);
      bringBeside(file, incoming);
    } catch (error) {
      throw storeFailureOf(error, `${path}: taking over ${file}`);
    }
    try {
      if (lost !== undefined) abandon();
      else attend("making way for another database", makeWay);
      moveDurably(incoming, path);
      adopt(openVerified(path, contents));
      lost = undefined;
    } catch (error) {
      throw failed(error, "replacing the database");
    }
  }

  /** A log that outlived its database would be taken for the new one's. */
  function makeWay(present: WorkingDatabase): void {
    present.open.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    if (fileBytes(`${path}-wal`) > 0) throw new StoreFailure("full", "the log could not be brought over");
    release();
  }

  /** What has failed may still hold something: it is kept. */
  function abandon(): void {
    setAside(path, lost?.message ?? "it failed");
    try {
      release();
    } catch {
      // It has failed before.
    }
  }

  return {
    open,
    close() {
      if (inTransaction) takeBack();
      try {
        release();
      } catch (error) {
        throw storeFailureOf(error, `closing ${path}`);
      }
    },
    begin() {
      attend("beginning", ({ begin }) => {
        seekRoom();
        begin();
        inTransaction = true;
      });
    },
    commit,
    rollback() {
      if (lost !== undefined) throw lost;
      latest = undefined;
      if (inTransaction) takeBack();
    },
    get: (id) => attend("reading a session", ({ rows }) => find(rows, id)?.row),
    runningOf: (user) => attend("reading a user's sessions", ({ rows }) => rows.runningOf(user)),
    put,
    removeEnded(origin, throughSequence) {
      return attend("removing ended sessions", ({ rows }) => {
        if (!inTransaction) throw new Error("removeEnded outside of a transaction");
        latest = undefined;
        return rows.removeEnded(origin, throughSequence);
      });
    },
    list: (filter) => attend("listing", ({ rows }) => rows.list(filter)),
    changesAfter: (origin, sequence, limit) =>
      attend("reading changes", ({ rows }) => rows.changesAfter(origin, sequence, limit)),
    countByAgent: () => attend("counting", ({ open: { contents } }) => runningByAgent(contents)),
    size: () =>
      attend("measuring", ({ open: { contents } }) => ({
        running: contents.catalog.running,
        ended: contents.catalog.ended,
        bytes: fileBytes(path) + fileBytes(`${path}-wal`) + ballast.bytes,
      })),
    getMeta: (key) => attend("reading a value", (present) => present.getMeta(key)),
    setMeta(key, value) {
      attend("writing a value", (present) => present.setMeta(key, value));
    },
    snapshot,
    replaceWith,
    describe() {
      const full = ballast.released ? "; the disk is full: no new sessions" : "";
      return `SQLite ${process.versions.sqlite} at ${path}${lost === undefined ? full : `; ${lost.message}`}`;
    },
  };
}

function runningByAgent({ catalog, agents }: Contents): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [number, count] of catalog.runningByAgent) {
    if (count > 0) counts.set(agents.name(number) ?? "", count);
  }
  return counts;
}
