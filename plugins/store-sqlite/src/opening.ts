/**
 * Opens the database at a path, or makes one: verified as a whole, and moved aside when it does not verify. Nothing is
 * ever deleted here (rule R22): what was set aside may hold sessions that only a person can still find.
 */

import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { StoreFailure, type StoreOpening, UnderstudyError } from "@understudy/core/public";
import { type Contents, readContents } from "./contents.js";
import { mistakeAt, storeError, storeFailureOf } from "./failures.js";
import { createRows } from "./rows.js";
import { checkKind, connect, createDatabase, syncPath } from "./schema.js";

export interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly contents: Contents;
  /** Reads the file beside SQLite. Closing any descriptor of a file gives up SQLite's lock on it, so it stays open. */
  readonly reader: number;
  /** The log: flushed after each commit. SQLite keeps no locks on it. */
  readonly log: number;
  close(): void;
}

export interface Opened extends OpenDatabase {
  readonly opening: StoreOpening;
}

export function openOrCreate(path: string): Opened {
  const stats = statDatabase(path);
  if (stats === undefined) return created(path, strayLog(path));
  if (stats.size === 0) return created(path, setAside(path, "the file is empty"));
  let database: DatabaseSync | undefined;
  try {
    if ((stats.mode & 0o077) !== 0) chmodSync(path, 0o600);
    database = connect(path);
    checkKind(database, path);
    const contents = readContents(database, "thorough");
    if (existsSync(suspicionOf(path))) createRows(database, contents).verifyEach();
    dropSuspicion(path);
    return { ...opened(path, database, contents), opening: { found: true, setAside: undefined } };
  } catch (error) {
    const failure = storeFailureOf(error, `opening ${path}`);
    if (!(failure instanceof StoreFailure) || failure.kind !== "corrupt") {
      database?.close();
      throw failure;
    }
    // Closing brings the log into the file and removes it by name: after the move it stays beside the file.
    const aside = setAside(path, failure.message);
    closeQuietly(database);
    return created(path, aside);
  }
}

/** Opens a file that is known to be whole, for instance because its `contents` were just read. */
export function openVerified(path: string, contents?: Contents): OpenDatabase {
  const database = connect(path);
  return opened(path, database, contents ?? readContents(database, "quick"));
}

/** A row that did not match its check was read: the next start reads each, or it would believe all the others. */
export function suspect(path: string): void {
  try {
    closeSync(openSync(suspicionOf(path), "w", 0o600));
  } catch {
    // The failure itself is on its way to whoever can do something about it.
  }
}

function suspicionOf(path: string): string {
  return `${path}.suspect`;
}

function dropSuspicion(path: string): void {
  rmSync(suspicionOf(path), { force: true });
}

function opened(path: string, database: DatabaseSync, contents: Contents): OpenDatabase {
  const log = openSync(`${path}-wal`, "r");
  const reader = openSync(path, "r");
  return {
    database,
    contents,
    reader,
    log,
    close() {
      // The lock must outlive the last write, so the reader goes last.
      try {
        database.close();
      } finally {
        closeSync(reader);
        closeSync(log);
      }
    },
  };
}

function statDatabase(path: string): Stats | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory()) throw storeError("STORE_IS_DIRECTORY", `${path} is a folder`);
    if (stats !== undefined) accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(path), constants.R_OK | constants.W_OK | constants.X_OK);
    return stats;
  } catch (error) {
    if (error instanceof UnderstudyError) throw error;
    throw mistakeAt(path, error) ?? storeFailureOf(error, `opening ${path}`);
  }
}

type Aside = StoreOpening["setAside"];

/** A log without its database is what is left of a lost one. */
function strayLog(path: string): Aside {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  return log === undefined || log.size === 0
    ? undefined
    : setAside(path, "its log is there, the database itself is gone");
}

function created(path: string, aside: Aside): Opened {
  try {
    createDatabase(path);
    return { ...openVerified(path), opening: { found: false, setAside: aside } };
  } catch (error) {
    throw mistakeAt(path, error) ?? storeFailureOf(error, `making ${path}`);
  }
}

/** Moves a database and its log away under a name with the time, and keeps them. */
export function setAside(path: string, why: string): NonNullable<Aside> {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  let movedTo = `${path}.damaged-${stamp}`;
  for (let again = 2; existsSync(movedTo) || existsSync(`${movedTo}-wal`); again += 1) {
    movedTo = `${path}.damaged-${stamp}-${again}`;
  }
  for (const suffix of ["", "-wal", "-shm", "-journal"]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, movedTo + suffix);
  }
  syncPath(dirname(path));
  dropSuspicion(path);
  return { movedTo, why };
}

function closeQuietly(database: DatabaseSync | undefined): void {
  try {
    database?.close();
  } catch {
    // It is damaged and set aside: that it cannot be closed in order is no news.
  }
}
