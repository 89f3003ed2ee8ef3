/** The rows of an open database: how a session row becomes columns and comes back, checked each time it is read. */

import type { DatabaseSync } from "node:sqlite";
import { type RowFilter, type SessionRow, StoreFailure } from "@understudy/core/public";
import { type Contents, endedFlag } from "./contents.js";
import type { RowFacts } from "./row-catalog.js";
import { cutApart, cutsOf, joined, proofOf } from "./row-texts.js";
import {
  firstKeyOf,
  idKey,
  idKeyAt,
  nameCheck,
  orderOf,
  orderOfKey,
  placeOf,
  placeStep,
  textKey,
} from "./session-keys.js";

const overLimitFlag = 2;
const columns = "row, place, user_key, agent, flags, epoch, origin, sequence, proof, cuts, texts";

type Columns = [
  row: number,
  place: number,
  userKey: number,
  agent: number,
  flags: number,
  epoch: number,
  origin: number,
  sequence: number,
  proof: number,
  cuts: number,
  texts: string,
];

export interface StoredRow {
  readonly facts: RowFacts;
  readonly row: SessionRow;
}

export interface Rows {
  find(id: string): StoredRow | undefined;
  runningOf(user: string): readonly SessionRow[];
  /** Adds the row, or replaces `known`, the present one with the same id. */
  write(row: SessionRow, known: StoredRow | undefined): void;
  removeEnded(origin: string, throughSequence: number): number;
  list(filter: RowFilter): readonly SessionRow[];
  changesAfter(origin: string, sequence: number, limit: number): readonly SessionRow[];
  /** Reads every row. Throws a `corrupt` failure when one is not as it was written. */
  verifyEach(): void;
}

function byIdUpwards(a: SessionRow, b: SessionRow): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function statements(database: DatabaseSync) {
  const returning = (sql: string) => {
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  };
  return {
    byRow: returning(`SELECT ${columns} FROM sessions WHERE row = ?`),
    changes: returning(
      `SELECT ${columns} FROM sessions WHERE origin = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
    ),
    endedThrough: returning(
      `SELECT ${columns} FROM sessions WHERE origin = ? AND sequence <= ? AND flags & 1 LIMIT ?`,
    ),
    // All the user's or agent's rows, ended ones too, in the order of their ids: no index serves this, so it reads the table.
    scan: returning(
      `SELECT row, place FROM sessions WHERE (place, row) > (?1, ?2) AND (?3 IS NULL OR user_key = ?3)
       AND (?4 IS NULL OR agent = ?4) AND (?5 OR NOT flags & 1) ORDER BY place, row LIMIT ?6`,
    ),
    insert: database.prepare(
      `INSERT INTO sessions (place, user_key, agent, flags, epoch, origin, sequence, proof, cuts, texts)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    update: database.prepare(
      `UPDATE sessions SET place = ?, user_key = ?, agent = ?, flags = ?, epoch = ?, origin = ?, sequence = ?,
       proof = ?, cuts = ?, texts = ? WHERE row = ?`,
    ),
    each: returning(`SELECT ${columns} FROM sessions WHERE row > ? ORDER BY row LIMIT ?`),
    insertAgent: database.prepare("INSERT INTO agents (number, name, proof) VALUES (?, ?, ?)"),
    insertOrigin: database.prepare("INSERT INTO origins (number, name, proof) VALUES (?, ?, ?)"),
    remove: database.prepare("DELETE FROM sessions WHERE row = ?"),
  };
}

export function createRows(database: DatabaseSync, contents: Contents): Rows {
  const { catalog, agents, origins } = contents;
  const sql = statements(database);
  const insertAgent = (number: number, name: string) =>
    void sql.insertAgent.run(number, name, nameCheck(number, name));
  const insertOrigin = (number: number, name: string) =>
    void sql.insertOrigin.run(number, name, nameCheck(number, name));

  function stored(found: Columns): StoredRow {
    const [number, place, userKey, agent, flags, epoch, origin, sequence, proof, cuts, texts] = found;
    const ended = (flags & endedFlag) !== 0;
    const ofId = idKeyAt(place, userKey, agent, flags);
    if (
      ofId === undefined ||
      proofOf(texts, { place, userKey, epoch, origin, sequence, cuts }) !== proof ||
      agents.name(agent) === undefined
    ) {
      throw new StoreFailure("corrupt", `row ${number} does not match its check`);
    }
    const row: SessionRow = {
      ...cutApart(texts, cuts),
      agent: agents.name(agent) ?? "",
      ended,
      overLimit: (flags & overLimitFlag) !== 0,
      epoch,
      origin: origins.name(origin) ?? "",
      sequence,
    };
    return { row, facts: { row: number, idKey: ofId, userKey, agent, ended } };
  }

  function at(number: number): StoredRow {
    const found = sql.byRow.get(number) as unknown as Columns | undefined;
    if (found === undefined) throw new StoreFailure("corrupt", `row ${number} has vanished`);
    return stored(found);
  }

  function find(id: string): StoredRow | undefined {
    for (const number of catalog.byId.find(idKey(id))) {
      const found = at(number);
      if (found.row.id === id) return found;
    }
    return undefined;
  }

  function runningOf(user: string): readonly SessionRow[] {
    const numbers = catalog.runningByUser.find(textKey(user));
    if (numbers.length === 0) return [];
    return numbers
      .map((number) => at(number).row)
      .filter((row) => row.user === user)
      .sort(byIdUpwards);
  }

  function write(row: SessionRow, known: StoredRow | undefined): void {
    const { ended, epoch, sequence } = row;
    // What is no well-formed text would come back as another one, and its user would not be found.
    const user = row.user.toWellFormed();
    const agent = agents.number(row.agent, insertAgent);
    const origin = origins.number(row.origin, insertOrigin);
    const flags = (ended ? endedFlag : 0) | (row.overLimit ? overLimitFlag : 0);
    const userKey = textKey(user);
    const ofId = known?.facts.idKey ?? idKey(row.id);
    const place = placeOf(ofId, userKey, agent, flags);
    const kept = { id: row.id, user, createdAt: row.createdAt, attributes: row.attributes };
    const cuts = cutsOf(kept);
    const texts = joined(kept);
    const proof = proofOf(texts, { place, userKey, epoch, origin, sequence, cuts });
    if (known === undefined) {
      const { lastInsertRowid } = sql.insert.run(
        ...[place, userKey, agent, flags, epoch, origin, sequence, proof, cuts, texts],
      );
      catalog.appear({ row: Number(lastInsertRowid), idKey: ofId, userKey, agent, ended });
    } else {
      const number = known.facts.row;
      sql.update.run(...[place, userKey, agent, flags, epoch, origin, sequence, proof, cuts, texts, number]);
      catalog.vanish(known.facts);
      catalog.appear({ row: number, idKey: ofId, userKey, agent, ended });
    }
  }

  function removeEnded(origin: string, throughSequence: number): number {
    const number = origins.known(origin);
    if (number === undefined) return 0;
    for (let removed = 0; ; ) {
      const batch = sql.endedThrough.all(number, throughSequence, 1000) as unknown as Columns[];
      for (const found of batch) {
        sql.remove.run(found[0]);
        catalog.vanish(stored(found).facts);
      }
      removed += batch.length;
      if (batch.length < 1000) return removed;
    }
  }

  function list(filter: RowFilter): readonly SessionRow[] {
    if (filter.agent === undefined && filter.user === undefined) {
      const { after = "" } = filter;
      return inOrder(filter, catalog.byId.walk(after === "" ? 0 : firstKeyOf(orderOf(after))));
    }
    if (filter.user !== undefined && !filter.includeEnded) {
      const { after = "", agent, limit } = filter;
      return runningOf(filter.user)
        .filter((row) => row.id > after && (agent === undefined || row.agent === agent))
        .slice(0, limit);
    }
    const agent = filter.agent === undefined ? null : agents.known(filter.agent);
    return agent === undefined ? [] : inOrder(filter, scanned(filter, agent));
  }

  /** The user's and agent's rows, ordered as the index of ids is. More than one page only for many ids that begin alike. */
  function* scanned({ after = "", user, includeEnded, limit }: RowFilter, agent: number | null) {
    const userKey = user === undefined ? null : textKey(user);
    const pageRows = Math.min(limit, 1000) + 1;
    let [lastPlace, lastRow] = [after === "" ? -1 : firstKeyOf(orderOf(after)) * placeStep - 1, 0];
    for (;;) {
      const page = sql.scan.all(lastPlace, lastRow, userKey, agent, includeEnded ? 1 : 0, pageRows);
      for (const [row, place] of page as unknown as [number, number][]) {
        yield { key: Math.floor(place / placeStep), row };
        [lastPlace, lastRow] = [place, row];
      }
      if (page.length < pageRows) return;
    }
  }

  /** Takes rows in the order of their ids' first characters, and sorts those that begin alike. */
  function inOrder(
    { after = "", user, includeEnded, limit }: RowFilter,
    entries: Iterable<{ readonly key: number; readonly row: number }>,
  ): readonly SessionRow[] {
    const rows: SessionRow[] = [];
    let group: SessionRow[] = [];
    let order = -1;
    const endGroup = () => {
      rows.push(...group.sort(byIdUpwards));
      group = [];
    };
    for (const entry of entries) {
      if (orderOfKey(entry.key) !== order) {
        endGroup();
        if (rows.length >= limit) break;
        order = orderOfKey(entry.key);
      }
      const { row } = at(entry.row);
      if (row.id > after && (includeEnded || !row.ended) && (user === undefined || row.user === user)) {
        group.push(row);
      }
    }
    endGroup();
    return rows.slice(0, limit);
  }

  function changesAfter(origin: string, sequence: number, limit: number): readonly SessionRow[] {
    const number = origins.known(origin);
    if (number === undefined) return [];
    const found = sql.changes.all(number, sequence, limit) as unknown as Columns[];
    return found.map((row) => stored(row).row);
  }

  function verifyEach(): void {
    for (let last = -1; ; ) {
      const batch = sql.each.all(last, 500) as unknown as Columns[];
      for (const found of batch) last = stored(found).facts.row;
      if (batch.length < 500) return;
    }
  }

  return { find, runningOf, write, removeEnded, list, changesAfter, verifyEach };
}
