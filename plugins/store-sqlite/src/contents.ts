/**
 * Reads a whole database once when it is opened: verifies it, and makes the catalog on the way. Whatever does not
 * verify is a `corrupt` failure; nothing is believed in part (rule R22).
 */

import type { DatabaseSync } from "node:sqlite";
import { StoreFailure } from "@understudy/core/public";
import { createNames, type Names } from "./names.js";
import { createCatalogBuilder, type RowCatalog } from "./row-catalog.js";
import { headCheck, headOf, idKey, nameCheck, textKey } from "./session-keys.js";

export interface Contents {
  readonly catalog: RowCatalog;
  readonly agents: Names;
  readonly origins: Names;
}

/** Flags of a row. `overLimit` is 2. */
export const endedFlag = 1;

/** Rows read at a time: many calls are slow, and a million rows at once would be a map of them in memory. */
const batchRows = 2000;

export function readContents(database: DatabaseSync): Contents {
  verifyStructure(database);
  verifyMeta(database);
  const agents = createNames(database, "agents");
  const origins = createNames(database, "origins");
  return { catalog: readCatalog(database, agents), agents, origins };
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
    "SELECT row, id, user, agent, flags, proof FROM sessions WHERE row > ? ORDER BY row LIMIT ?",
  );
  read.setReturnArrays(true);
  for (let last = -1; ; ) {
    const rows = read.all(last, batchRows) as unknown as [number, string, string, number, number, number][];
    for (const [row, id, user, agent, flags, proof] of rows) {
      const userKey = textKey(user);
      if (headCheck(id, userKey, agent, flags) !== headOf(proof) || agents.name(agent) === undefined) {
        throw new StoreFailure("corrupt", `row ${row} does not match its check`);
      }
      builder.add({ row, idKey: idKey(id), userKey, agent, ended: (flags & endedFlag) !== 0 });
      last = row;
    }
    if (rows.length < batchRows) return builder.build();
  }
}
