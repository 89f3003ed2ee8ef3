/** What is counted out of the timeline. It begins at zero with the node process, as Prometheus expects of a counter. */

import type { TimelineEntry } from "@understudy/core/public";

export interface Counters {
  readonly entries: number;
  /** By the role that was entered. */
  readonly roleChanges: ReadonlyMap<string, number>;
  /** Times this node became active. */
  readonly takeovers: number;
}

export interface Counting extends Counters {
  count(entry: TimelineEntry): void;
}

export function createCounters(): Counting {
  const roleChanges = new Map<string, number>();
  let entries = 0;
  return {
    get entries() {
      return entries;
    },
    roleChanges,
    get takeovers() {
      return roleChanges.get("active") ?? 0;
    },
    count({ kind, details }) {
      // What the queue in front had to drop happened too, but nobody knows what it was.
      entries += 1 + (typeof details.droppedBefore === "number" ? details.droppedBefore : 0);
      const { to } = details;
      if (kind === "role" && typeof to === "string") roleChanges.set(to, (roleChanges.get(to) ?? 0) + 1);
    },
  };
}
