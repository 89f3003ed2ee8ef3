/**
 * What the store knows about its rows without asking SQLite: where each id and each user's running sessions are, and the
 * counts. Made when a database is opened, kept with every change, and taken back with a transaction that is rolled back.
 */

import { createKeyedRows, type KeyedRows } from "./keyed-rows.js";

/** What of a row the catalog depends on. */
export interface RowFacts {
  readonly row: number;
  readonly idKey: number;
  readonly userKey: number;
  readonly agent: number;
  readonly ended: boolean;
}

export interface RowCatalog {
  readonly byId: KeyedRows;
  readonly runningByUser: KeyedRows;
  readonly running: number;
  readonly ended: number;
  /** By the agent's number; agents without a running session may be there with 0. */
  readonly runningByAgent: ReadonlyMap<number, number>;
  appear(facts: RowFacts): void;
  vanish(facts: RowFacts): void;
  /** What happened so far stays. */
  settle(): void;
  /** Takes back all since the last `settle`. */
  takeBack(): void;
}

/** Collects the rows of a database that is being opened. */
export interface CatalogBuilder {
  add(row: number, idKey: number, userKey: number, agent: number, ended: boolean): void;
  build(): RowCatalog;
}

/** Grows by doubling: the number of rows is not known before they are read. */
function entryList() {
  let keys = new Uint32Array(1024);
  let rows = new Float64Array(1024);
  let count = 0;
  return {
    push(key: number, row: number): void {
      if (count === keys.length) {
        const [oldKeys, oldRows] = [keys, rows];
        keys = new Uint32Array(count * 2);
        rows = new Float64Array(count * 2);
        keys.set(oldKeys);
        rows.set(oldRows);
      }
      keys[count] = key;
      rows[count] = row;
      count += 1;
    },
    index: () => createKeyedRows({ keys: keys.subarray(0, count), rows: rows.subarray(0, count) }),
  };
}

export function createCatalogBuilder(): CatalogBuilder {
  const ids = entryList();
  const users = entryList();
  const agents = new Map<number, number>();
  let running = 0;
  let ended = 0;
  return {
    add(row, idKey, userKey, agent, hasEnded) {
      ids.push(idKey, row);
      if (hasEnded) {
        ended += 1;
        return;
      }
      users.push(userKey, row);
      agents.set(agent, (agents.get(agent) ?? 0) + 1);
      running += 1;
    },
    build: () => catalogOf(ids.index(), users.index(), agents, running, ended),
  };
}

function catalogOf(
  byId: KeyedRows,
  runningByUser: KeyedRows,
  runningByAgent: Map<number, number>,
  runningAtFirst: number,
  endedAtFirst: number,
): RowCatalog {
  let running = runningAtFirst;
  let ended = endedAtFirst;
  let appeared: { readonly facts: RowFacts; readonly back: boolean }[] = [];

  function count(facts: RowFacts, difference: 1 | -1): void {
    if (facts.ended) ended += difference;
    else {
      running += difference;
      runningByAgent.set(facts.agent, (runningByAgent.get(facts.agent) ?? 0) + difference);
    }
  }

  function enter(facts: RowFacts): void {
    byId.add(facts.idKey, facts.row);
    if (!facts.ended) runningByUser.add(facts.userKey, facts.row);
    count(facts, 1);
  }

  function leave(facts: RowFacts): void {
    const known =
      byId.remove(facts.idKey, facts.row) && (facts.ended || runningByUser.remove(facts.userKey, facts.row));
    if (!known) throw new Error(`row ${facts.row} is not where the index should have it`);
    count(facts, -1);
  }

  return {
    byId,
    runningByUser,
    runningByAgent,
    get running() {
      return running;
    },
    get ended() {
      return ended;
    },
    appear(facts) {
      enter(facts);
      appeared.push({ facts, back: false });
    },
    vanish(facts) {
      leave(facts);
      appeared.push({ facts, back: true });
    },
    settle() {
      if (appeared.length > 0) appeared = [];
    },
    takeBack() {
      for (const { facts, back } of appeared.reverse()) {
        if (back) enter(facts);
        else leave(facts);
      }
      appeared = [];
    },
  };
}
