/**
 * The session database with its meaning: local changes get their stamp here, changes of the other node are merged here,
 * and the vector and digest follow in the same transaction. Everything is synchronous; durable means after `commit`.
 */

import type { ByteWriter } from "./bytes.js";
import { add, type Sum64, subtract } from "./digest.js";
import {
  dropFolded,
  foldInto,
  type LedgerState,
  readState,
  writeArchive,
  writeIncarnation,
  writeIntents,
  writeLive,
  writePruned,
} from "./ledger-state.js";
import { hashRow, putRow } from "./row-codec.js";
import { beyondLimit, compareChanges } from "./row-order.js";
import { type SessionRow, type SessionStore, StoreFailure, type StoreOpening } from "./store.js";
import type { VersionVector } from "./version-vector.js";

export type NewSession = Pick<SessionRow, "id" | "user" | "agent" | "createdAt" | "attributes">;

export interface Ledger {
  readonly origin: string;
  /** Changes of this origin so far, those of the open transaction included. */
  readonly sequence: number;
  readonly epoch: number;
  readonly digest: Readonly<Sum64>;
  readonly pruned: VersionVector;
  readonly dropped: number;
  readonly mustRefill: string;
  readonly peerForgotten: boolean;
  /** Counts what could change a digest or vector; to see cheaply that nothing has. */
  readonly version: number;
  vector(): VersionVector;
  has(origin: string): number;

  begin(): void;
  commit(): void;
  /** Takes back what the open transaction did. Also after a failure that has rolled back already. */
  rollback(): void;

  /** The three below only within a transaction; they append the row to `out`. */
  create(session: NewSession, out: ByteWriter): SessionRow;
  end(row: SessionRow, out: ByteWriter): SessionRow;
  importRow(row: SessionRow, out: ByteWriter): SessionRow;
  /** Merges a change of the other node. `settled`: its sender knew all of the user's sessions (see replica.ts). */
  merge(row: SessionRow, hash: Readonly<Sum64>, settled: boolean): boolean;
  /** Everything of `origin` up to `sequence` is here, or superseded by what is on its way. */
  advance(origin: string, sequence: number): void;
  raiseEpoch(epoch: number): void;
  /** Removes ended rows (rule R19). */
  prune(origin: string, throughSequence: number): number;
  setDigest(digest: Readonly<Sum64>): void;
  /** Called with every row written, and the one it replaces. */
  observe(listener: (before: SessionRow | undefined, after: SessionRow) => void): void;

  /** A transaction of its own: from now on changes carry a new origin (rule R17). */
  renew(): void;
  /** To be called before the first change: makes the origin durable if a full disk kept it from being so. */
  ensureOrigin(): void;
  /** The same: what is only history goes to the archive. */
  fold(peerOrigin: string, peerHas: (origin: string) => number): void;
  /** Whether a new session could be made durable now; leaves nothing behind. Throws a `full` failure when not. */
  probe(): void;
  setIntents(intents: { readonly mustRefill?: string; readonly peerForgotten?: boolean }): void;
  /** The store was replaced by a copy of the other node's: read everything anew. */
  reread(): void;
}

export interface LedgerOptions {
  readonly store: SessionStore;
  readonly side: "primary" | "secondary";
  /** Twelve random hex digits, other ones at every call. */
  readonly incarnation: () => string;
  /** Origins of earlier starts that the vector names at most, once both nodes have them. Each made changes, so there are few. */
  readonly mostArchived?: number;
}

/** Opens the store and makes this start's incarnation durable. */
export function openLedger(options: LedgerOptions): { ledger: Ledger; opening: StoreOpening } {
  const opening = options.store.open();
  const ledger = createLedger(options);
  if (opening.setAside !== undefined) {
    const { movedTo, why } = opening.setAside;
    ledger.setIntents({ mustRefill: `the database did not verify (${why}) and was moved to ${movedTo}` });
  }
  return { ledger, opening };
}

function createLedger(options: LedgerOptions): Ledger {
  const { store, mostArchived = 1024 } = options;
  const newOrigin = () => (options.side === "primary" ? "p" : "s") + options.incarnation();
  let state: LedgerState = { origin: newOrigin(), ...readState(store) };
  let version = 0;
  let cached: { readonly version: number; readonly vector: VersionVector } | undefined;
  let before: { state: LedgerState; version: number } | undefined;
  let written = true;
  let originDurable = false;
  let observer: ((before: SessionRow | undefined, after: SessionRow) => void) | undefined;
  const hash: Sum64 = { high: 0, low: 0 };
  const oldHash: Sum64 = { high: 0, low: 0 };

  const has = (origin: string) => Math.max(state.live.get(origin) ?? 0, state.archive.get(origin) ?? 0);

  function touch(): void {
    version += 1;
    written = false;
  }

  function begin(): void {
    store.begin();
    before = {
      version,
      state: {
        ...state,
        digest: { ...state.digest },
        live: new Map(state.live),
        archive: state.archive,
        pruned: state.pruned,
      },
    };
    written = true;
  }

  function commit(): void {
    if (!written) writeLive(store, state);
    store.commit();
    before = undefined;
  }

  function rollback(): void {
    try {
      store.rollback();
    } catch {
      // A failure may have rolled back already: then there is no transaction any more.
    }
    if (before === undefined) return;
    // What is known about epochs is no part of a transaction: it never goes back (rule R16).
    state = { ...before.state, epoch: Math.max(before.state.epoch, state.epoch) };
    version += 1;
    before = undefined;
  }

  function within(action: () => void): void {
    begin();
    try {
      action();
      commit();
    } catch (error) {
      rollback();
      throw error;
    }
  }

  function stamp(): Pick<SessionRow, "epoch" | "origin" | "sequence"> {
    const sequence = has(state.origin) + 1;
    state.live.set(state.origin, sequence);
    touch();
    return { epoch: state.epoch, origin: state.origin, sequence };
  }

  function write(row: SessionRow, old: SessionRow | undefined, out: ByteWriter): SessionRow {
    putRow(out, row, hash);
    store.put(row);
    count(row, hash, old);
    return row;
  }

  /** Only running rows count, so that a pruned tombstone changes nothing (rule R19 beside R22). */
  function count(row: SessionRow, rowHash: Readonly<Sum64>, old: SessionRow | undefined): void {
    if (old !== undefined && !old.ended) subtract(state.digest, hashRow(old, oldHash));
    if (!row.ended) add(state.digest, rowHash);
    observer?.(old, row);
    touch();
  }

  function markBeyondLimit(user: string): void {
    const running = store.runningOf(user);
    const beyond = beyondLimit(running);
    for (const row of running) {
      if (row.overLimit !== beyond.has(row.id)) store.put({ ...row, overLimit: !row.overLimit });
    }
  }

  function renew(): void {
    const origin = newOrigin();
    originDurable = false;
    within(() => {
      state.origin = origin;
      writeIncarnation(store, state);
    });
    originDurable = true;
  }

  function reread(): void {
    state = { origin: newOrigin(), ...readState(store) };
    version += 1;
    renew();
  }

  // A full disk at the start must not keep the node from showing what it has; nothing is changed before `renew` works.
  try {
    foldAll();
    originDurable = true;
  } catch (error) {
    if (!(error instanceof StoreFailure) || error.kind !== "full") throw error;
  }

  function foldAll(): void {
    within(() => {
      writeIncarnation(store, state);
      if (state.live.size === 0) return;
      state.archive = new Map(state.archive);
      foldInto(state, new Set());
      writeArchive(store, state);
      touch();
    });
  }

  return {
    get origin() {
      return state.origin;
    },
    get sequence() {
      return has(state.origin);
    },
    get epoch() {
      return state.epoch;
    },
    get digest() {
      return state.digest;
    },
    get pruned() {
      return state.pruned;
    },
    get dropped() {
      return state.dropped;
    },
    get mustRefill() {
      return state.mustRefill;
    },
    get peerForgotten() {
      return state.peerForgotten;
    },
    get version() {
      return version;
    },
    has,
    vector() {
      if (cached?.version !== version) {
        const vector = new Map(state.archive);
        for (const [origin, sequence] of state.live) {
          vector.set(origin, Math.max(sequence, vector.get(origin) ?? 0));
        }
        cached = { version, vector };
      }
      return cached.vector;
    },
    begin,
    commit,
    rollback,
    create: (session, out) =>
      write({ ...session, ended: false, overLimit: false, ...stamp() }, undefined, out),
    end(row, out) {
      const ended = write({ ...row, ended: true, overLimit: false, ...stamp() }, row, out);
      markBeyondLimit(row.user);
      return ended;
    },
    importRow(row, out) {
      const added = write({ ...row, overLimit: false, ...stamp() }, undefined, out);
      if (!row.ended) markBeyondLimit(row.user);
      return added;
    },
    merge(row, rowHash, settled) {
      const old = store.get(row.id);
      if (old !== undefined && compareChanges(row, old) <= 0) return false;
      store.put(row.ended || !row.overLimit ? row : { ...row, overLimit: false });
      count(row, rowHash, old);
      const mayChangeLimit = row.ended
        ? old?.ended === false
        : !settled || row.overLimit || old !== undefined;
      if (mayChangeLimit) markBeyondLimit(row.user);
      return true;
    },
    advance(origin, sequence) {
      if (sequence <= has(origin)) return;
      state.live.set(origin, sequence);
      touch();
    },
    raiseEpoch(epoch) {
      if (epoch > state.epoch) state.epoch = epoch;
    },
    prune(origin, throughSequence) {
      const removed = store.removeEnded(origin, throughSequence);
      if (removed > 0) {
        state.pruned = new Map(state.pruned).set(origin, throughSequence);
        writePruned(store, state);
      }
      return removed;
    },
    setDigest(digest) {
      state.digest = { ...digest };
      touch();
    },
    observe(listener) {
      observer = listener;
    },
    renew,
    ensureOrigin() {
      if (!originDurable) renew();
    },
    fold(peerOrigin, peerHas) {
      const inUse = new Set([state.origin, peerOrigin]);
      const foldable = [...state.live.keys()].some((origin) => !inUse.has(origin));
      if (!foldable && state.archive.size <= mostArchived) return;
      within(() => {
        state.archive = new Map(state.archive);
        state.pruned = new Map(state.pruned);
        foldInto(state, inUse);
        if (dropFolded(state, peerHas, mostArchived)) writePruned(store, state);
        writeArchive(store, state);
        touch();
      });
    },
    probe() {
      const stampless = { epoch: state.epoch, origin: state.origin, sequence: 0 };
      const row = { id: "0".repeat(26), user: "", agent: "", createdAt: "", attributes: "{}", ended: false };
      begin();
      try {
        store.put({ ...row, ...stampless, overLimit: false });
      } finally {
        rollback();
      }
      within(() => writeIntents(store, state));
    },
    setIntents(intents) {
      within(() => {
        state.mustRefill = intents.mustRefill ?? state.mustRefill;
        state.peerForgotten = intents.peerForgotten ?? state.peerForgotten;
        writeIntents(store, state);
      });
    },
    reread,
  };
}
