/** Since when this node has seen the same record in etcd, by its own clock: what a dead holder's time is reckoned from. */

import type { Snapshot } from "./record.js";

export interface Sightings {
  /** `receivedMs`: when the answer was here. It shows a state no younger than that. */
  note(snapshot: Snapshot, receivedMs: number): void;
  unchangedMs(nowMs: number): number;
  /** What was seen before says nothing any more. */
  forget(): void;
}

export function makeSightings(): Sightings {
  let seen: { readonly what: string; readonly sinceMs: number } | undefined;
  return {
    note({ record }, receivedMs) {
      const what = record === undefined ? "nothing" : String(record.modRevision);
      if (seen?.what !== what) seen = { what, sinceMs: receivedMs };
    },
    unchangedMs: (nowMs) => (seen === undefined ? 0 : Math.max(0, nowMs - seen.sinceMs)),
    forget() {
      seen = undefined;
    },
  };
}
