/**
 * A session store in memory that keeps the contract of `sessions/store.ts` to the letter: for tests and the simulator.
 * What is committed survives `crash`; faults are chosen by the test, never by chance.
 */

import { createMemoryRows } from "../sessions/memory-rows.js";
import { type SessionRow, type SessionStore, StoreFailure, type StoreOpening } from "../sessions/store.js";

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
  const rows = createMemoryRows();
  let found = false;
  let damaged: string | undefined;

  const store: MemoryStore = {
    fault: undefined,
    open(): StoreOpening {
      if (rows.inTransaction) throw new StoreFailure("broken", "opened twice");
      if (damaged === undefined) {
        const opening = { found, setAside: undefined };
        found = true;
        return opening;
      }
      const setAside = { movedTo: "memory.aside", why: damaged };
      damaged = undefined;
      rows.replaceAll([], []);
      return { found: false, setAside };
    },
    close() {},
    begin: rows.begin,
    commit() {
      if (store.fault !== undefined && rows.inTransaction) {
        rows.rollback();
        throw new StoreFailure(store.fault.kind, `a commit fails for the test: ${store.fault.kind}`);
      }
      rows.commit();
    },
    rollback() {
      if (!rows.inTransaction) throw new StoreFailure("broken", "no transaction is open");
      rows.rollback();
    },
    get: rows.get,
    runningOf: rows.runningOf,
    put(row) {
      if (store.fault?.inPut === true && rows.inTransaction) {
        rows.rollback();
        throw new StoreFailure(store.fault.kind, "a write fails for the test");
      }
      rows.put(row);
    },
    removeEnded: rows.removeEnded,
    list: rows.list,
    changesAfter: rows.changesAfter,
    countByAgent: rows.countByAgent,
    size() {
      const { running, ended } = rows;
      return { running, ended, bytes: (running + ended) * 300 };
    },
    getMeta: rows.getMeta,
    setMeta: rows.setMeta,
    async snapshot(file, progress) {
      options.files.set(file, store.image());
      progress(1);
    },
    replaceWith(file) {
      const image = options.files.get(file);
      if (image === undefined) throw new StoreFailure("corrupt", `there is no copy at ${file}`);
      store.restore(image);
    },
    describe: () => `${rows.running + rows.ended} rows in memory`,
    crash: rows.rollback,
    image: () => ({
      rows: new Map([...rows.rows()].map((row) => [row.id, row] as const)),
      meta: new Map(rows.meta()),
    }),
    restore: (image) => rows.replaceAll(image.rows.values(), image.meta),
    damage(why) {
      damaged = why;
    },
    allRows: rows.rows,
    tamper: rows.set,
  };
  return store;
}
