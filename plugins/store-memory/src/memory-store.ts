/**
 * A session store that lives as long as its process. It never says that a database was found, so a node that restarts is
 * unverified and takes everything from the other one before it serves (rules R22, R24).
 */

import { createMemoryRows, type SessionStore, StoreFailure } from "@understudy/core/public";
import { readCopy, writeCopy } from "./copies.js";

/** Measured with 100,000 rows of three short attributes each: 560 bytes of heap a row, indexes included. */
const bytesPerRow = 600;

export function createMemoryStore(mostSessions: number): SessionStore {
  const rows = createMemoryRows();
  const count = () => rows.running + rows.ended;

  return {
    open: () => ({ found: false, setAside: undefined }),
    close() {
      rows.replaceAll([], []);
    },
    begin: rows.begin,
    commit: rows.commit,
    rollback: rows.rollback,
    get: rows.get,
    runningOf: rows.runningOf,
    put(row) {
      // An ended session takes the place of the running one, so there is always room for an end.
      if (count() >= mostSessions && rows.inTransaction && rows.get(row.id) === undefined) {
        rows.rollback();
        throw new StoreFailure("full", `there are ${count()} sessions in memory, the most that are allowed`);
      }
      rows.put(row);
    },
    removeEnded: rows.removeEnded,
    list: rows.list,
    changesAfter: rows.changesAfter,
    countByAgent: rows.countByAgent,
    size: () => ({ running: rows.running, ended: rows.ended, bytes: count() * bytesPerRow }),
    getMeta: rows.getMeta,
    setMeta: rows.setMeta,
    snapshot: (file, progress) => writeCopy(file, rows.rows(), rows.meta(), progress),
    replaceWith(file) {
      if (rows.inTransaction) throw new StoreFailure("broken", "a transaction is open");
      const copy = readCopy(file);
      rows.replaceAll(copy.rows, copy.meta);
    },
    describe: () =>
      `${rows.running} sessions in memory, at most ${mostSessions}; on no disk: gone when both nodes are down`,
  };
}
