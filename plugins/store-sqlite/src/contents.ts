/**
 * Reads a whole database once when it is opened: verifies it, and makes the catalog on the way. Whatever does not
 * verify is a `corrupt` failure; nothing is believed in part (rule R22).
 */

import type { DatabaseSync } from "node:sqlite";
import { StoreFailure } from "@understudy/core/public";
import { createNames, type Names } from "./names.js";
import { createCatalogBuilder, type RowCatalog } from "./row-catalog.js";
import { idKeyAt, nameCheck } from "./session-keys.js";

export interface Contents {
  readonly catalog: RowCatalog;
  readonly agents: Names;
  readonly origins: Names;
}

/** Flags of a row. `overLimit` is 2. */
export const endedFlag = 1;

/** Rows read at a time: many calls are slow, and a million rows at once would be a map of them in memory. */
const batchRows = 2000;

/** `thorough`: a database that has been in use here; without, a copy that was whole where it was made a moment ago. */
export function readContents(database: DatabaseSync, how: "thorough" | "quick"): Contents {
  if (how === "thorough") verifyStructure(database);
  verifyMeta(database);
  const agents = createNames(database, "agents");
  const origins = createNames(database, "origins");
  const catalog = readCatalog(database, agents);
  verifyChanges(database, catalog);
  return { catalog, agents, origins };
}

/** Walks the whole index of changes: each row has to be in it once. */
function verifyChanges(database: DatabaseSync, { running, ended }: RowCatalog): void {
  const counted = database
    .prepare("SELECT count(*) AS count FROM sessions INDEXED BY changes WHERE origin > -1")
    .get();
  if (counted?.count !== running + ended) {
    throw new StoreFailure("corrupt", `${counted?.count} of ${running + ended} rows are among the changes`);
  }
}

/** Compares the B-trees with themselves and the indexes with the table: 0.6 s for a million rows, measured. */
function verifyStructure(database: DatabaseSync): void {
  const verdict = database.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
  if (verdict !== "ok") throw new StoreFailure("corrupt", `the database does not verify: ${String(verdict)}`);
}

function verifyMeta(database: DatabaseSync): void {
  for (const { name, value, proof } of database.prepare("SELECT name, value, proof FROM meta").all()) {
    if (nameCheck(String(name), String(value)) !== proof) {
      throw new StoreFailure("corrupt", `the value ${String(name)} does not match its check`);
    }
  }
}

function readCatalog(database: DatabaseSync, agents: Names): RowCatalog {
  const builder = createCatalogBuilder();
  const read = database.prepare(
    "SELECT row, place, user_key, agent, flags FROM sessions WHERE row > ? ORDER BY row LIMIT ?",
  );
  read.setReturnArrays(true);
  for (let last = -1; ; ) {
    const rows = read.all(last, batchRows) as unknown as [number, number, number, number, number][];
    for (const [row, place, userKey, agent, flags] of rows) {
      const idKey = idKeyAt(place, userKey, agent, flags);
      if (idKey === undefined || agents.name(agent) === undefined) {
        throw new StoreFailure("corrupt", `row ${row} does not match its check`);
      }
      builder.add(row, idKey, userKey, agent, (flags & endedFlag) !== 0);
      last = row;
    }
    if (rows.length < batchRows) return builder.build();
  }
}
