/**
 * Epochs (rule R16): the primary claims odd ones, the secondary even ones, so that two nodes can never claim the same.
 */

import type { Side } from "../plugin/contract.js";

/**
 * A higher one is damage and is believed from nobody: no pair comes near it in a thousand years, and whoever went on from
 * a number at the end of what a double holds exactly could claim nothing more.
 */
export const mostEpoch = 2 ** 52;

/** The next epoch of a side's own parity above every epoch seen. */
export function nextEpoch(side: Side, highest: number): number {
  const wanted = side === "primary" ? 1 : 0;
  const next = highest + 1;
  return next % 2 === wanted ? next : next + 1;
}

/** Whose claim an epoch is; undefined: nobody has claimed yet. */
export function claimedBy(epoch: number): Side | undefined {
  if (epoch === 0) return undefined;
  return epoch % 2 === 1 ? "primary" : "secondary";
}

/** The epochs by which the other side may depose `epoch` next: those whose claim frames the kernel must know (R5). */
export function claimsAgainst(side: Side, epoch: number, count = 4): readonly number[] {
  const other: Side = side === "primary" ? "secondary" : "primary";
  const first = nextEpoch(other, epoch);
  return Array.from({ length: count }, (_, index) => first + 2 * index);
}
