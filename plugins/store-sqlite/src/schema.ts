/**
 * The tables of a session database and how a connection to it is set up. Rows are appended in the order in which they
 * come, so that a commit writes few pages; ids and users are found by the indexes in memory (`keyed-rows.ts`).
 */

import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isBusy, storeError } from "./failures.js";

/** "USdb": tells a session database from any other SQLite file. */
const applicationId = 0x55536462;
export const schemaVersion = 1;

/** How long a predecessor that is just dying may still hold the file, milliseconds; it exits slowly when it was large. */
const lockWaitMs = 2000;

const tables = `
  CREATE TABLE sessions (
    row INTEGER PRIMARY KEY, place INTEGER NOT NULL, user_key INTEGER NOT NULL, agent INTEGER NOT NULL,
    flags INTEGER NOT NULL, epoch INTEGER NOT NULL, origin INTEGER NOT NULL, sequence INTEGER NOT NULL,
    proof INTEGER NOT NULL, cuts INTEGER NOT NULL, texts TEXT NOT NULL) STRICT;
  CREATE INDEX changes ON sessions (origin, sequence);
  CREATE INDEX ended ON sessions (origin, sequence) WHERE flags & 1;
  CREATE TABLE agents (number INTEGER PRIMARY KEY, name TEXT NOT NULL, proof INTEGER NOT NULL) STRICT;
  CREATE TABLE origins (number INTEGER PRIMARY KEY, name TEXT NOT NULL, proof INTEGER NOT NULL) STRICT;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, proof INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

/**
 * Opens a file that exists. The lock is exclusive and held until the connection closes: the write-ahead log then needs
 * no shared memory, a commit no lock calls, and a second program cannot get at the file.
 */
export function connect(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: lockWaitMs, allowExtension: false });
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    // Takes the lock; also the first look at the file, so damage of its head shows here.
    database.exec("PRAGMA journal_mode = WAL");
    // NORMAL leaves one thing to `working-database.ts`: flushing the log after a commit.
    database.exec("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY");
    database.exec("PRAGMA wal_autocheckpoint = 0");
    database.exec("BEGIN IMMEDIATE; ROLLBACK");
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) {
      throw storeError("STORE_IN_USE", `${path} is in use by another process`, { cause: error });
    }
    throw error;
  }
}

/** Made under another name first: a file with the database's name is never half made, so an empty one is a lost one. */
export function createDatabase(path: string): void {
  const unfinished = `${path}.new`;
  for (const suffix of ["", "-wal", "-journal"]) rmSync(unfinished + suffix, { force: true });
  closeSync(openSync(unfinished, "wx", 0o600));
  const database = connect(unfinished);
  try {
    database.exec(`BEGIN; ${tables} COMMIT`);
  } finally {
    database.close();
  }
  moveDurably(unfinished, path);
}

/** The file takes the place of what has its new name, and neither content nor name is lost with the power. */
export function moveDurably(from: string, to: string): void {
  syncPath(from);
  renameSync(from, to);
  syncPath(dirname(to));
}

export function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Throws STORE_NEWER or STORE_FOREIGN; a database of ours passes. */
export function checkKind(database: DatabaseSync, path: string): void {
  const id = pragma(database, "application_id");
  if (id !== applicationId) {
    throw storeError("STORE_FOREIGN", `${path} holds a database of something else`);
  }
  const version = pragma(database, "user_version");
  if (version > schemaVersion) {
    throw storeError(
      "STORE_NEWER",
      `${path} has version ${version} of its tables, this program knows ${schemaVersion}`,
    );
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
