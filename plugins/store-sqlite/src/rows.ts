/** The rows of an open database: how a session row becomes columns and comes back, checked each time it is read. */

import type { DatabaseSync } from "node:sqlite";
import { type RowFilter, type SessionRow, StoreFailure } from "@understudy/core/public";
import { type Contents, endedFlag } from "./contents.js";
import type { RowFacts } from "./row-catalog.js";
import {
  firstKeyOf,
  headCheck,
  idKey,
  nameCheck,
  orderOf,
  orderOfKey,
  rowCheck,
  textKey,
} from "./session-keys.js";

const overLimitFlag = 2;
const columns = "row, id, user, agent, created, attributes, flags, epoch, origin, sequence, proof";

type Columns = [
  row: number,
  id: string,
  user: string,
  agent: number,
  created: string,
  attributes: string,
  flags: number,
  epoch: number,
  origin: number,
  sequence: number,
  proof: number,
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
    // All the user's or agent's rows, ended ones too: no index serves this, so it reads the table.
    scan: returning(
      `SELECT ${columns} FROM sessions WHERE id > ?1 AND (?2 IS NULL OR user = ?2)
       AND (?3 IS NULL OR agent = ?3) AND (?4 OR NOT flags & 1) ORDER BY id LIMIT ?5`,
    ),
    insert: database.prepare(
      `INSERT INTO sessions (id, user, agent, created, attributes, flags, epoch, origin, sequence, proof)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    update: database.prepare(
      `UPDATE sessions SET user = ?, agent = ?, created = ?, attributes = ?, flags = ?, epoch = ?, origin = ?,
       sequence = ?, proof = ? WHERE row = ?`,
    ),
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
    const [number, id, user, agent, createdAt, attributes, flags, epoch, origin, sequence, proof] = found;
    const ended = (flags & endedFlag) !== 0;
    const row: SessionRow = {
      id,
      user,
      agent: agents.name(agent) ?? "",
      createdAt,
      attributes,
      ended,
      overLimit: (flags & overLimitFlag) !== 0,
      epoch,
      origin: origins.name(origin) ?? "",
      sequence,
    };
    const userKey = textKey(user);
    if (proofOf(row, userKey, agent, flags) !== proof) {
      throw new StoreFailure("corrupt", `the row of session ${id} does not match its check`);
    }
    return { row, facts: { row: number, idKey: idKey(id), userKey, agent, ended } };
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
    const { id, createdAt, attributes, ended, epoch, sequence } = row;
    // What is no well-formed text would come back as another one, and its check would not match.
    const user = row.user.toWellFormed();
    const agent = agents.number(row.agent, insertAgent);
    const origin = origins.number(row.origin, insertOrigin);
    const flags = (ended ? endedFlag : 0) | (row.overLimit ? overLimitFlag : 0);
    const userKey = textKey(user);
    const proof = proofOf(row, userKey, agent, flags);
    if (known === undefined) {
      const { lastInsertRowid } = sql.insert.run(
        ...[id, user, agent, createdAt, attributes, flags, epoch, origin, sequence, proof],
      );
      catalog.appear({ row: Number(lastInsertRowid), idKey: idKey(id), userKey, agent, ended });
    } else {
      const number = known.facts.row;
      sql.update.run(...[user, agent, createdAt, attributes, flags, epoch, origin, sequence, proof, number]);
      catalog.vanish(known.facts);
      catalog.appear({ row: number, idKey: known.facts.idKey, userKey, agent, ended });
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
    if (filter.agent === undefined && filter.user === undefined) return inOrder(filter);
    if (filter.user !== undefined && !filter.includeEnded) {
      const { after = "", agent, limit } = filter;
      return runningOf(filter.user)
        .filter((row) => row.id > after && (agent === undefined || row.agent === agent))
        .slice(0, limit);
    }
    const agent = filter.agent === undefined ? null : agents.known(filter.agent);
    if (agent === undefined) return [];
    const { after = "", user = null, includeEnded, limit } = filter;
    const found = sql.scan.all(after, user, agent, includeEnded ? 1 : 0, limit) as unknown as Columns[];
    return found.map((row) => stored(row).row);
  }

  /** Walks the index, which orders ids by their first characters, and sorts those that begin alike. */
  function inOrder({ after = "", includeEnded, limit }: RowFilter): readonly SessionRow[] {
    const rows: SessionRow[] = [];
    let group: SessionRow[] = [];
    let order = -1;
    const endGroup = () => {
      rows.push(...group.sort(byIdUpwards));
      group = [];
    };
    for (const entry of catalog.byId.walk(after === "" ? 0 : firstKeyOf(orderOf(after)))) {
      if (orderOfKey(entry.key) !== order) {
        endGroup();
        if (rows.length >= limit) break;
        order = orderOfKey(entry.key);
      }
      const { row } = at(entry.row);
      if (row.id > after && (includeEnded || !row.ended)) group.push(row);
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

  return { find, runningOf, write, removeEnded, list, changesAfter };
}

function proofOf(row: SessionRow, userKey: number, agent: number, flags: number): number {
  const text = `${row.user}\0${row.agent}\0${row.createdAt}\0${row.attributes}\0${row.origin}\0${row.epoch}.${row.sequence}`;
  return rowCheck(headCheck(row.id, userKey, agent, flags), text);
}
