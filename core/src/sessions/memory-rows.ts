/**
 * The rows of a session store in memory, with every look-up of the contract and one transaction that can be taken back.
 * What makes them durable, or says that they are not, is the business of whoever keeps them.
 */

import { type RowFilter, type SessionRow, StoreFailure } from "./store.js";

export interface MemoryRows {
  /** Throws StoreFailure "broken" when a transaction is open already. */
  begin(): void;
  /** Throws StoreFailure "broken" when no transaction is open. */
  commit(): void;
  /** Takes back all changes since `begin`; without a transaction it does nothing. */
  rollback(): void;
  readonly inTransaction: boolean;

  get(id: string): SessionRow | undefined;
  runningOf(user: string): readonly SessionRow[];
  put(row: SessionRow): void;
  removeEnded(origin: string, throughSequence: number): number;
  list(filter: RowFilter): readonly SessionRow[];
  changesAfter(origin: string, sequence: number, limit: number): readonly SessionRow[];
  countByAgent(): ReadonlyMap<string, number>;
  readonly running: number;
  readonly ended: number;
  getMeta(key: string): string | undefined;
  setMeta(key: string, value: string): void;

  /** Everything, in no order. Not for the middle of a transaction. */
  rows(): Iterable<SessionRow>;
  meta(): Iterable<readonly [key: string, value: string]>;
  /** Replaces everything, without a transaction. */
  replaceAll(rows: Iterable<SessionRow>, meta: Iterable<readonly [key: string, value: string]>): void;
  /** Changes or removes a row outside of any transaction, for what reads a journal. */
  set(id: string, row: SessionRow | undefined): void;
}

export function createMemoryRows(): MemoryRows {
  let byId = new Map<string, SessionRow>();
  let values = new Map<string, string>();
  let index = createIndex(byId);
  let undo: (() => void)[] | undefined;

  function changes(): (() => void)[] {
    if (undo === undefined) throw new StoreFailure("broken", "no transaction is open");
    return undo;
  }

  function set(id: string, row: SessionRow | undefined): void {
    const old = byId.get(id);
    if (row === undefined) byId.delete(id);
    else byId.set(id, row);
    if (old !== undefined) index.removed(old);
    if (row !== undefined) index.added(row, old === undefined);
  }

  const found = (ids: readonly string[]) => ids.flatMap((id) => byId.get(id) ?? []);

  return {
    begin() {
      if (undo !== undefined) throw new StoreFailure("broken", "a transaction is open already");
      undo = [];
    },
    commit() {
      changes();
      undo = undefined;
    },
    rollback() {
      for (const action of (undo ?? []).reverse()) action();
      undo = undefined;
    },
    get inTransaction() {
      return undo !== undefined;
    },
    get: (id) => byId.get(id),
    runningOf: (user) => found(index.runningOf(user)),
    put(row) {
      const old = byId.get(row.id);
      changes().push(() => set(row.id, old));
      set(row.id, row);
    },
    removeEnded(origin, throughSequence) {
      const actions = changes();
      const gone = found(index.after(origin, 0, Number.POSITIVE_INFINITY)).filter(
        ({ ended, sequence }) => ended && sequence <= throughSequence,
      );
      for (const row of gone) {
        actions.push(() => set(row.id, row));
        set(row.id, undefined);
      }
      return gone.length;
    },
    list: (filter) => listRows(byId, index.ids(), filter),
    changesAfter: (origin, sequence, limit) => found(index.after(origin, sequence, limit)),
    countByAgent: () => index.agents(),
    get running() {
      return index.running;
    },
    get ended() {
      return byId.size - index.running;
    },
    getMeta: (key) => values.get(key),
    setMeta(key, value) {
      const old = values.get(key);
      changes().push(() => (old === undefined ? values.delete(key) : values.set(key, old)));
      values.set(key, value);
    },
    rows: () => byId.values(),
    meta: () => values.entries(),
    replaceAll(rows, meta) {
      undo = undefined;
      byId = new Map();
      for (const row of rows) byId.set(row.id, row);
      values = new Map(meta);
      index = createIndex(byId);
    },
    set,
  };
}

function listRows(
  byId: ReadonlyMap<string, SessionRow>,
  ids: readonly string[],
  { after = "", limit, includeEnded, user, agent }: RowFilter,
): readonly SessionRow[] {
  const listed: SessionRow[] = [];
  for (let at = firstAbove(ids, after); at < ids.length && listed.length < limit; at += 1) {
    const row = byId.get(ids[at] ?? "");
    if (row === undefined || (row.ended && !includeEnded)) continue;
    if (user !== undefined && row.user !== user) continue;
    if (agent !== undefined && row.agent !== agent) continue;
    listed.push(row);
  }
  return listed;
}

/** The place of the first value above `value` in a sorted list. */
function firstAbove<T>(sorted: readonly T[], value: T): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as T) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Index {
  /** `fresh`: there was no row with this id. The map has it already. */
  added(row: SessionRow, fresh: boolean): void;
  removed(row: SessionRow): void;
  readonly running: number;
  runningOf(user: string): readonly string[];
  agents(): ReadonlyMap<string, number>;
  /** Sorted; among them may be some that are gone. */
  ids(): readonly string[];
  after(origin: string, sequence: number, limit: number): readonly string[];
}

/** Lists grow at their end and are put in order when somebody reads them, so that a change costs little among a million. */
function createIndex(byId: ReadonlyMap<string, SessionRow>): Index {
  const users = new Map<string, Set<string>>();
  const agents = new Map<string, number>();
  const origins = new Map<string, OriginIndex>();
  let running = 0;
  let sorted: string[] = [];
  let fresh: string[] = [];

  const count = (agent: string, by: 1 | -1) => {
    const now = (agents.get(agent) ?? 0) + by;
    if (now === 0) agents.delete(agent);
    else agents.set(agent, now);
    running += by;
  };

  const index: Index = {
    added(row, isFresh) {
      if (isFresh) fresh.push(row.id);
      const origin = origins.get(row.origin) ?? createOriginIndex(row.origin, byId);
      origins.set(row.origin, origin);
      origin.add(row);
      if (row.ended) return;
      count(row.agent, 1);
      users.set(row.user, (users.get(row.user) ?? new Set()).add(row.id));
    },
    removed(row) {
      origins.get(row.origin)?.dropped();
      if (row.ended) return;
      count(row.agent, -1);
      const ids = users.get(row.user);
      ids?.delete(row.id);
      if (ids?.size === 0) users.delete(row.user);
    },
    get running() {
      return running;
    },
    runningOf: (user) => [...(users.get(user) ?? [])].sort(),
    agents: () => new Map(agents),
    ids() {
      if (fresh.length === 0 && sorted.length < 2 * byId.size + 1000) return sorted;
      // Two sorted runs are merged in one pass; one that came back after it had gone stands in both.
      const merged = [...sorted, ...fresh.sort()].sort();
      sorted = merged.filter((id, at) => byId.has(id) && id !== merged[at - 1]);
      fresh = [];
      return sorted;
    },
    after: (origin, sequence, limit) => origins.get(origin)?.after(sequence, limit) ?? [],
  };
  for (const row of byId.values()) index.added(row, true);
  return index;
}

interface OriginIndex {
  add(row: SessionRow): void;
  dropped(): void;
  after(sequence: number, limit: number): readonly string[];
}

/** The ids of one origin by sequence; what has changed since is passed over, and thrown out when it is the greater part. */
function createOriginIndex(origin: string, byId: ReadonlyMap<string, SessionRow>): OriginIndex {
  let sequences: number[] = [];
  let ids: string[] = [];
  let stale = 0;

  const isLive = (at: number) => {
    const row = byId.get(ids[at] ?? "");
    return row !== undefined && row.origin === origin && row.sequence === sequences[at];
  };

  function compact(): void {
    const live = sequences.map((_, at) => at).filter(isLive);
    sequences = live.map((at) => sequences[at] ?? 0);
    ids = live.map((at) => ids[at] ?? "");
    stale = 0;
  }

  return {
    add({ id, sequence }) {
      const at = (sequences.at(-1) ?? 0) < sequence ? sequences.length : firstAbove(sequences, sequence);
      for (let same = at - 1; sequences[same] === sequence; same -= 1) {
        // It was there, went, and comes back by a rollback.
        if (ids[same] === id) return;
      }
      if (at === sequences.length) {
        sequences.push(sequence);
        ids.push(id);
      } else {
        sequences.splice(at, 0, sequence);
        ids.splice(at, 0, id);
      }
    },
    dropped() {
      stale += 1;
      if (stale > 1000 && 2 * stale > sequences.length) compact();
    },
    after(sequence, limit) {
      const found: string[] = [];
      for (let at = firstAbove(sequences, sequence); at < sequences.length && found.length < limit; at += 1) {
        if (isLive(at)) found.push(ids[at] ?? "");
      }
      return found;
    },
  };
}
