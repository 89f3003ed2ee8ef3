/**
 * A session store in memory that keeps the contract of `sessions/store.ts` to the letter: for tests and the simulator.
 * What is committed survives `crash`; faults are chosen by the test, never by chance.
 */

import {
  type RowFilter,
  type SessionRow,
  type SessionStore,
  StoreFailure,
  type StoreOpening,
} from "../sessions/store.js";

export interface MemoryStore extends SessionStore {
  /** Forgets the open transaction, as the loss of power does. The store can be opened again. */
  crash(): void;
  /** The disk as it is, to be put back later: a restored backup, or a disk that lost its last flushes. */
  image(): StoreImage;
  restore(image: StoreImage): void;
  /** Thrown by the next commits (and by `put`, when `inPut`), until it is cleared. */
  fault: { readonly kind: "full" | "broken" | "corrupt"; readonly inPut?: boolean } | undefined;
  /** The next `open` sets what was there aside. */
  damage(why: string): void;
  /** Every row, unsorted, for checkers. */
  allRows(): Iterable<SessionRow>;
  /** Changes a row behind the back of everybody, as a lying disk does. Undefined removes it. */
  tamper(id: string, row: SessionRow | undefined): void;
}

export interface StoreImage {
  readonly rows: ReadonlyMap<string, SessionRow>;
  readonly meta: ReadonlyMap<string, string>;
}

export interface MemoryStoreOptions {
  /** How a copy is kept where the other node's `replaceWith` finds it. */
  readonly files: Map<string, StoreImage>;
}

export function createMemoryStore(options: MemoryStoreOptions = { files: new Map() }): MemoryStore {
  let rows = new Map<string, SessionRow>();
  let meta = new Map<string, string>();
  let undo: (() => void)[] | undefined;
  let found = false;
  let damaged: string | undefined;
  let index = buildIndex(rows);

  function inTransaction(): (() => void)[] {
    if (undo === undefined) throw new StoreFailure("broken", "no transaction is open");
    return undo;
  }

  function write(id: string, row: SessionRow | undefined): void {
    const old = rows.get(id);
    if (old !== undefined) index.remove(old);
    if (row === undefined) rows.delete(id);
    else {
      rows.set(id, row);
      index.add(row);
    }
  }

  function rollback(): void {
    for (const action of (undo ?? []).reverse()) action();
    undo = undefined;
  }

  const store: MemoryStore = {
    fault: undefined,
    open(): StoreOpening {
      if (undo !== undefined) throw new StoreFailure("broken", "opened twice");
      if (damaged === undefined) {
        const opening = { found, setAside: undefined };
        found = true;
        return opening;
      }
      const setAside = { movedTo: "memory.aside", why: damaged };
      damaged = undefined;
      store.restore({ rows: new Map(), meta: new Map() });
      return { found: false, setAside };
    },
    close() {},
    begin() {
      if (undo !== undefined) throw new StoreFailure("broken", "a transaction is open already");
      undo = [];
    },
    commit() {
      inTransaction();
      if (store.fault !== undefined) {
        rollback();
        throw new StoreFailure(store.fault.kind, `a commit fails for the test: ${store.fault.kind}`);
      }
      undo = undefined;
    },
    rollback() {
      inTransaction();
      rollback();
    },
    get: (id) => rows.get(id),
    runningOf: (user) => index.runningOf(user).flatMap((id) => rows.get(id) ?? []),
    put(row) {
      const actions = inTransaction();
      if (store.fault?.inPut === true) {
        rollback();
        throw new StoreFailure(store.fault.kind, "a write fails for the test");
      }
      const old = rows.get(row.id);
      actions.push(() => write(row.id, old));
      write(row.id, row);
    },
    removeEnded(origin, throughSequence) {
      const actions = inTransaction();
      const gone = index
        .after(origin, 0, Number.POSITIVE_INFINITY)
        .flatMap((id) => rows.get(id) ?? [])
        .filter((row) => row.ended && row.sequence <= throughSequence);
      for (const row of gone) {
        actions.push(() => write(row.id, row));
        write(row.id, undefined);
      }
      return gone.length;
    },
    list: (filter) => listRows(rows, index.ids(), filter),
    changesAfter: (origin, sequence, limit) =>
      index.after(origin, sequence, limit).flatMap((id) => rows.get(id) ?? []),
    countByAgent() {
      const counts = new Map<string, number>();
      for (const { agent, ended } of rows.values()) {
        if (!ended) counts.set(agent, (counts.get(agent) ?? 0) + 1);
      }
      return counts;
    },
    size: () => ({ running: index.running(), ended: rows.size - index.running(), bytes: rows.size * 300 }),
    getMeta: (key) => meta.get(key),
    setMeta(key, value) {
      const actions = inTransaction();
      const old = meta.get(key);
      actions.push(() => {
        if (old === undefined) meta.delete(key);
        else meta.set(key, old);
      });
      meta.set(key, value);
    },
    async snapshot(file, progress) {
      options.files.set(file, store.image());
      progress(1);
    },
    replaceWith(file) {
      const image = options.files.get(file);
      if (image === undefined) throw new StoreFailure("corrupt", `there is no copy at ${file}`);
      store.restore(image);
    },
    describe: () => `${rows.size} rows in memory`,
    crash: rollback,
    image: () => ({ rows: new Map(rows), meta: new Map(meta) }),
    restore(image) {
      undo = undefined;
      rows = new Map(image.rows);
      meta = new Map(image.meta);
      index = buildIndex(rows);
    },
    damage(why) {
      damaged = why;
    },
    allRows: () => rows.values(),
    tamper: write,
  };
  return store;
}

function listRows(
  rows: ReadonlyMap<string, SessionRow>,
  ids: readonly string[],
  filter: RowFilter,
): readonly SessionRow[] {
  const found: SessionRow[] = [];
  for (
    let at = firstAfter(ids, filter.after ?? "");
    at < ids.length && found.length < filter.limit;
    at += 1
  ) {
    const row = rows.get(ids[at] ?? "");
    if (row === undefined || (row.ended && !filter.includeEnded)) continue;
    if (filter.user !== undefined && row.user !== filter.user) continue;
    if (filter.agent !== undefined && row.agent !== filter.agent) continue;
    found.push(row);
  }
  return found;
}

/** The place of the first id above `id` in a sorted list. */
function firstAfter<T>(sorted: readonly T[], value: T): number {
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
  add(row: SessionRow): void;
  remove(row: SessionRow): void;
  running(): number;
  runningOf(user: string): readonly string[];
  ids(): readonly string[];
  after(origin: string, sequence: number, limit: number): readonly string[];
}

function buildIndex(rows: ReadonlyMap<string, SessionRow>): Index {
  const users = new Map<string, Set<string>>();
  const origins = new Map<string, { readonly sequences: number[]; readonly ids: Map<number, string> }>();
  let running = 0;
  let sorted: string[] | undefined;

  const index: Index = {
    add(row) {
      sorted = undefined;
      const origin = origins.get(row.origin) ?? { sequences: [], ids: new Map<number, string>() };
      origins.set(row.origin, origin);
      if (!origin.ids.has(row.sequence)) {
        origin.sequences.splice(firstAfter(origin.sequences, row.sequence), 0, row.sequence);
      }
      origin.ids.set(row.sequence, row.id);
      if (row.ended) return;
      running += 1;
      users.set(row.user, (users.get(row.user) ?? new Set()).add(row.id));
    },
    remove(row) {
      sorted = undefined;
      const origin = origins.get(row.origin);
      if (origin?.ids.get(row.sequence) === row.id) {
        origin.ids.delete(row.sequence);
        origin.sequences.splice(firstAfter(origin.sequences, row.sequence) - 1, 1);
      }
      if (row.ended) return;
      running -= 1;
      const ids = users.get(row.user);
      ids?.delete(row.id);
      if (ids?.size === 0) users.delete(row.user);
    },
    running: () => running,
    runningOf: (user) => [...(users.get(user) ?? [])].sort(),
    ids() {
      sorted ??= [...rows.keys()].sort();
      return sorted;
    },
    after(origin, sequence, limit) {
      const entry = origins.get(origin);
      if (entry === undefined) return [];
      const start = firstAfter(entry.sequences, sequence);
      const end = Math.min(entry.sequences.length, start + limit);
      return entry.sequences.slice(start, end).flatMap((at) => entry.ids.get(at) ?? []);
    },
  };
  for (const row of rows.values()) index.add(row);
  return index;
}
