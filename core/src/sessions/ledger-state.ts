/**
 * What the session database knows about itself beside its rows: its vector, digest and epoch, what was pruned, and two
 * intents. Kept as small texts in the store, written in the same transactions as the rows they speak of.
 *
 * The vector is kept in two parts: `live`, which changes with every commit, and `archive`, the origins of earlier starts.
 * Only the live part is written with a commit, so its cost does not grow with every start; and the archive is bounded,
 * because an origin that both nodes have in full needs no entry (rule R17: `fold`).
 */

import { parseSum, type Sum64, sumText } from "./digest.js";
import { type SessionStore, StoreFailure } from "./store.js";
import { parseVector } from "./version-vector.js";

export interface LedgerState {
  /** Who makes changes here since this start. */
  origin: string;
  /** The highest epoch known here. */
  epoch: number;
  digest: Sum64;
  live: Map<string, number>;
  archive: Map<string, number>;
  /** How many origins were dropped from the archive for ever. */
  dropped: number;
  /** Per origin: ended rows up to this sequence may be gone (rule R19). Who lacks one of them must be refilled. */
  pruned: Map<string, number>;
  /** R22: why this database must be refilled before anything is read from it; empty when it need not. */
  mustRefill: string;
  /** R19: the operator said that the other node is gone for good. */
  peerForgotten: boolean;
}

const keys = {
  state: "state",
  archive: "archive",
  pruned: "pruned",
  incarnation: "incarnation",
  mustRefill: "mustRefill",
  peerForgotten: "peerForgotten",
} as const;

export function readState(store: SessionStore): Omit<LedgerState, "origin"> {
  const state = parse(store.getMeta(keys.state), { epoch: 0, digest: "0".repeat(16), live: [] });
  const archive = parse(store.getMeta(keys.archive), { dropped: 0, entries: [] });
  const live = parseVector(state.live);
  const archived = parseVector(archive.entries);
  const pruned = parseVector(parse<unknown>(store.getMeta(keys.pruned), []));
  const digest = parseSum(String(state.digest));
  if (live === undefined || archived === undefined || pruned === undefined || digest === undefined) {
    throw new StoreFailure("corrupt", "what the database says about itself cannot be read");
  }
  return {
    epoch: Number(state.epoch),
    digest,
    live,
    archive: archived,
    dropped: Number(archive.dropped),
    pruned,
    mustRefill: store.getMeta(keys.mustRefill) ?? "",
    peerForgotten: store.getMeta(keys.peerForgotten) === "yes",
  };
}

function parse<T>(text: string | undefined, otherwise: T): T {
  if (text === undefined) return otherwise;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new StoreFailure("corrupt", "what the database says about itself cannot be read");
  }
}

/** With every commit that changed something. */
export function writeLive(store: SessionStore, state: LedgerState): void {
  const { epoch, digest, live } = state;
  store.setMeta(keys.state, JSON.stringify({ epoch, digest: sumText(digest), live: [...live] }));
}

export function writeArchive(store: SessionStore, state: LedgerState): void {
  const { dropped, archive } = state;
  store.setMeta(keys.archive, JSON.stringify({ dropped, entries: [...archive] }));
}

export function writePruned(store: SessionStore, state: LedgerState): void {
  store.setMeta(keys.pruned, JSON.stringify([...state.pruned]));
}

export function writeIncarnation(store: SessionStore, state: LedgerState): void {
  store.setMeta(keys.incarnation, state.origin);
}

export function writeIntents(store: SessionStore, state: LedgerState): void {
  store.setMeta(keys.mustRefill, state.mustRefill);
  store.setMeta(keys.peerForgotten, state.peerForgotten ? "yes" : "no");
}

/** Moves every origin but those still in use from the live part to the archive. */
export function foldInto(state: LedgerState, inUse: ReadonlySet<string>): boolean {
  let folded = false;
  for (const [origin, sequence] of state.live) {
    if (inUse.has(origin)) continue;
    state.archive.set(origin, Math.max(sequence, state.archive.get(origin) ?? 0));
    state.live.delete(origin);
    folded = true;
  }
  return folded;
}

/**
 * Drops the oldest archived origins beyond the bound, if the peer has them in full. A node that later comes with a disk
 * from before is either so old that it is refilled, or sends those rows once more, which merging ignores.
 */
export function dropFolded(state: LedgerState, peerHas: (origin: string) => number, most: number): boolean {
  let dropped = false;
  for (const [origin, sequence] of state.archive) {
    if (state.archive.size <= most) break;
    if (peerHas(origin) < sequence) continue;
    state.archive.delete(origin);
    state.pruned.delete(origin);
    state.dropped += 1;
    dropped = true;
  }
  return dropped;
}
