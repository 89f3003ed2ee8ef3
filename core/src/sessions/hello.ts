/**
 * What two nodes tell each other first: what they have, what they have forgotten, and whether they can be believed. From
 * the two hellos both nodes conclude the same: who must be refilled as a whole, and who sends which changes.
 */

import { Malformed } from "./bytes.js";
import { isOrigin } from "./row-codec.js";
import { covers, missing, parseVector, type VersionVector } from "./version-vector.js";

export interface Hello {
  readonly origin: string;
  readonly vector: VersionVector;
  /** Ended rows of an origin up to this sequence may be gone here (rule R19). */
  readonly pruned: VersionVector;
  /** Origins that are in no vector any more. */
  readonly dropped: number;
  /** All rows kept. */
  readonly rows: number;
  /** R22: what is here must not be read. */
  readonly mustRefill: boolean;
}

/** Fewer changes than these are sent one by one, whatever the share. */
const fewChanges = 20_000;

/**
 * Whether `poor` is to be refilled with a copy of the whole database of `rich`. Its own changes go to `rich` before that,
 * as always, so nothing is lost by it. Never true both ways: then changes are exchanged, and digests find the rest.
 */
export function needsRefill(poor: Hello, rich: Hello): boolean {
  return !rich.mustRefill && urgency(poor, rich) > urgency(rich, poor);
}

function urgency(poor: Hello, rich: Hello): number {
  if (poor.mustRefill) return 3;
  // What `poor` lacks includes tombstones that are gone: changes alone would leave their sessions running there.
  if (lacksPruned(poor, rich)) return 2;
  // An origin in no vector cannot be asked for: only a copy has its rows.
  if (poor.vector.size === 0 && rich.dropped > 0) return 1;
  const changes = missing(poor.vector, rich.vector);
  return changes > fewChanges && changes > rich.rows / 2 && rich.rows > poor.rows ? 1 : 0;
}

function lacksPruned(poor: Hello, rich: Hello): boolean {
  return !covers(poor.vector, rich.pruned);
}

export function parseHello(value: unknown): Hello {
  if (typeof value !== "object" || value === null) throw new Malformed("a hello that is none");
  const hello = value as Partial<Record<keyof Hello, unknown>>;
  const { origin, dropped, rows, mustRefill } = hello;
  if (typeof origin !== "string" || !isOrigin(origin)) throw new Malformed("a hello without origin");
  if (typeof mustRefill !== "boolean" || !isCount(dropped) || !isCount(rows)) {
    throw new Malformed("a hello with wrong fields");
  }
  return {
    origin,
    vector: parseVectorJson(hello.vector),
    pruned: parseVectorJson(hello.pruned),
    dropped,
    rows,
    mustRefill,
  };
}

export function parseVectorJson(value: unknown): VersionVector {
  const vector = parseVector(value);
  if (vector === undefined) throw new Malformed("a vector that is none");
  return vector;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
