/** An open database with everything prepared that a store needs of it. */

import { fdatasyncSync } from "node:fs";
import { StoreFailure } from "@understudy/core/public";
import { type Checkpoints, createCheckpoints } from "./checkpoints.js";
import type { OpenDatabase } from "./opening.js";
import { createRows, type Rows } from "./rows.js";
import { nameCheck } from "./session-keys.js";

export interface WorkingDatabase {
  readonly open: OpenDatabase;
  readonly rows: Rows;
  readonly checkpoints: Checkpoints;
  begin(): void;
  commit(): void;
  rollback(): void;
  getMeta(key: string): string | undefined;
  setMeta(key: string, value: string): void;
}

export function prepare(open: OpenDatabase, checkpointFailed: (error: unknown) => void): WorkingDatabase {
  const { database, contents } = open;
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const rollback = database.prepare("ROLLBACK");
  const readMeta = database.prepare("SELECT value, proof FROM meta WHERE name = ?");
  const writeMeta = database.prepare(
    `INSERT INTO meta (name, value, proof) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, proof = excluded.proof`,
  );
  return {
    open,
    rows: createRows(database, contents),
    checkpoints: createCheckpoints(database, checkpointFailed),
    begin: () => void begin.run(),
    commit() {
      commit.run();
      flush(open.log);
    },
    rollback: () => void rollback.run(),
    getMeta(key) {
      const found = readMeta.get(key);
      if (found === undefined) return undefined;
      const value = String(found.value);
      if (found.proof !== nameCheck(key, value)) {
        throw new StoreFailure("corrupt", `the value ${key} does not match its check`);
      }
      return value;
    },
    setMeta: (key, value) => void writeMeta.run(key, value, nameCheck(key, value)),
  };
}

/**
 * What makes a commit durable. SQLite as it is built here would flush the time of the last change too (fsync), which on
 * most file systems is a second write to the disk every few milliseconds; the log keeps its length, so its data is all.
 */
function flush(log: number): void {
  try {
    fdatasyncSync(log);
  } catch (error) {
    // The transaction has ended for SQLite: even a full disk is no failure after which it could be tried again.
    throw new StoreFailure("broken", `flushing the log: ${(error as Error).message}`, error);
  }
}
