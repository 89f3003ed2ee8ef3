/**
 * How long a broker is left alone after a trouble: ever longer, never in step with the other node, and soon again only
 * after a connection that held.
 */

import type { Kind } from "./reasons.js";

/** First and longest pause, milliseconds. */
const pauses: Readonly<Record<Kind, readonly [first: number, longest: number]>> = {
  passing: [250, 10_000],
  refused: [5000, 60_000],
  takenOver: [15_000, 300_000],
};

/** A connection that was up for as long as the longest pause of the trouble that ends it has proven itself. */
const provenMs: Readonly<Record<Kind, number>> = { passing: 10_000, refused: 60_000, takenOver: 600_000 };

export interface Backoff {
  /** Milliseconds to wait. `upMs`: how long the connection was up that ended, 0 when it never was. */
  next(kind: Kind, upMs: number): number;
}

/** `random` gives [0, 1). The pause is between half of its nominal length and all of it. */
export function createBackoff(random: () => number = Math.random): Backoff {
  const failures: Record<Kind, number> = { passing: 0, refused: 0, takenOver: 0 };
  return {
    next(kind, upMs) {
      const [first, longest] = pauses[kind];
      const before = upMs >= provenMs[kind] ? 0 : failures[kind];
      failures[kind] = before + 1;
      const nominal = Math.min(longest, first * 2 ** Math.min(before, 20));
      return nominal * (0.5 + random() / 2);
    },
  };
}
