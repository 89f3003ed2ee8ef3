/**
 * Which of two changes of one session wins (rule R18). A total order, so that merging is commutative, associative and
 * idempotent whatever the path on which changes arrive; no wall clock takes part.
 */

import type { SessionRow } from "./store.js";

/** Positive when `a` wins, negative when `b` does, 0 when they are the same change. */
export function compareChanges(a: SessionRow, b: SessionRow): number {
  if (a.ended !== b.ended) return a.ended ? 1 : -1;
  return compareStamps(a, b) || compareContents(a, b);
}

type Stamp = Pick<SessionRow, "epoch" | "origin" | "sequence">;

/** By (epoch, origin, sequence). Running rows never change, so among them the lowest stamp is the oldest. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  return a.sequence - b.sequence;
}

/** One change with two contents: a disk lied. Both nodes must still choose the same one. */
function compareContents(a: SessionRow, b: SessionRow): number {
  return (
    compareTexts(a.user, b.user) ||
    compareTexts(a.agent, b.agent) ||
    compareTexts(a.createdAt, b.createdAt) ||
    compareTexts(a.attributes, b.attributes)
  );
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Which of a user's running sessions exceed the limit of one (G5): all but the oldest. It follows from the set of rows
 * alone, so both nodes find the same without telling each other, and it is no change of its own.
 */
export function beyondLimit(running: readonly SessionRow[]): ReadonlySet<string> {
  let oldest = running[0];
  if (oldest === undefined || running.length < 2) return new Set();
  for (const row of running) if (compareStamps(row, oldest) < 0) oldest = row;
  const kept = oldest.id;
  return new Set(running.map(({ id }) => id).filter((id) => id !== kept));
}
