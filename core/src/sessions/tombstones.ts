/**
 * When ended sessions leave the database (rule R19): when the other node has them too, or the operator said that it is
 * gone for good; never by time. The latest are kept longer, so that a late retry still finds what became of its session.
 */

import type { Ledger } from "./ledger.js";
import type { SessionStore } from "./store.js";

/** Changes of each origin in use whose ended rows are kept, whatever the other node has. */
export const keptChanges = 50_000;
const mostAtOnce = 2000;

export interface Tombstones {
  /** Removes a few. In no transaction. Returns whether there may be more. */
  work(covered: (origin: string) => number, inUse: ReadonlySet<string>): boolean;
}

export function createTombstones(options: {
  readonly ledger: Ledger;
  readonly store: SessionStore;
  readonly kept?: number;
}): Tombstones {
  const { ledger, store } = options;
  const kept = options.kept ?? keptChanges;
  const done = new Map<string, number>();

  return {
    work(covered, inUse) {
      if (store.size().ended <= kept) return false;
      for (const [origin, sequence] of ledger.vector()) {
        const safe = Math.min(sequence, covered(origin));
        const limit = inUse.has(origin) ? safe - kept : safe;
        const begun = done.get(origin) ?? 0;
        if (limit <= begun) continue;
        const through = Math.min(limit, begun + mostAtOnce);
        ledger.begin();
        try {
          ledger.prune(origin, through);
          ledger.commit();
        } catch (error) {
          ledger.rollback();
          throw error;
        }
        done.set(origin, through);
        return true;
      }
      return false;
    },
  };
}
