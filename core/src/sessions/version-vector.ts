/**
 * What a database holds, as the highest sequence of each origin (rules R17 and R18). A vector that covers another lacks
 * nothing that the other has; two equal ones mean equal rows.
 */

import { hash64, type Sum64 } from "./digest.js";
import { isOrigin } from "./row-codec.js";

export type VersionVector = ReadonlyMap<string, number>;

/** Whether whoever has `a` has everything of `b`. */
export function covers(a: VersionVector, b: VersionVector): boolean {
  for (const [origin, sequence] of b) if ((a.get(origin) ?? 0) < sequence) return false;
  return true;
}

/** Changes named by `of` that `has` does not name: an upper bound of the rows that are missing. */
export function missing(has: VersionVector, of: VersionVector): number {
  let count = 0;
  for (const [origin, sequence] of of) count += Math.max(0, sequence - (has.get(origin) ?? 0));
  return count;
}

export function vectorText(vector: VersionVector): string {
  return [...vector]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([origin, sequence]) => `${origin}:${sequence}`)
    .join(" ");
}

const mostShown = 8;

/** For people: the origins of many starts ago are only counted. */
export function shortVectorText(vector: VersionVector): string {
  if (vector.size <= mostShown) return vectorText(vector);
  const latest = new Map([...vector].slice(-mostShown));
  return `${vectorText(latest)} and ${vector.size - mostShown} older`;
}

/**
 * Where two databases stand that have exchanged everything: since then only these two origins grow. Older ones are left
 * out, since each node folds them in its own time.
 */
export function positionHash(has: (origin: string) => number, origins: readonly [string, string]): Sum64 {
  const text = [...origins]
    .sort()
    .map((origin) => `${origin}:${has(origin)}`)
    .join(" ");
  const bytes = Buffer.from(text, "latin1");
  return hash64(bytes, 0, bytes.length, { high: 0, low: 0 });
}

export type VectorEntries = readonly (readonly [string, number])[];

/** From JSON of a peer or a disk; undefined when it is no vector. */
export function parseVector(value: unknown): Map<string, number> | undefined {
  if (!Array.isArray(value)) return undefined;
  const vector = new Map<string, number>();
  for (const entry of value as unknown[]) {
    if (!Array.isArray(entry) || entry.length !== 2) return undefined;
    const [origin, sequence] = entry as [unknown, unknown];
    if (typeof origin !== "string" || !isOrigin(origin)) return undefined;
    if (typeof sequence !== "number" || !Number.isSafeInteger(sequence) || sequence < 0) return undefined;
    vector.set(origin, sequence);
  }
  return vector;
}
