/**
 * The session store contract, a plugin kind. A store keeps rows and says when they are durable; what a row means, which
 * of two wins and who must be sent what is the business of `sessions/`, so that every store merges alike.
 *
 * A store runs in a thread of its own, the session thread of node, and is synchronous: it may block, since nothing but
 * sessions waits for it. All methods may throw a `StoreFailure`; anything else thrown ends the session thread.
 */

/** Everything of a session's latest change: what a store keeps, and what travels between the nodes. */
export interface SessionRow {
  /** 26 characters of Crockford base32; the primary key. */
  readonly id: string;
  readonly user: string;
  readonly agent: string;
  /** ISO 8601, for people. */
  readonly createdAt: string;
  /** JSON text of an object with string values, at most 4 KiB. */
  readonly attributes: string;
  readonly ended: boolean;
  readonly overLimit: boolean;
  /** The epoch of the latest change; below 2^53. */
  readonly epoch: number;
  /** Who made the latest change: "p" or "s" and 12 hex digits of the incarnation (rule R17). */
  readonly origin: string;
  /** Counts the changes of its origin from 1; below 2^53. */
  readonly sequence: number;
}

/** What kind of failure it was decides what the node does (rule R22). */
export type StoreFailureKind =
  /** No room: the transaction was rolled back, earlier ones stand; reads still work. */
  | "full"
  /** The database does not verify: nothing read from it may be believed. */
  | "corrupt"
  /** Any other error of the disk or the file; the transaction may or may not be durable. */
  | "broken";

export class StoreFailure extends Error {
  readonly kind: StoreFailureKind;

  constructor(kind: StoreFailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "StoreFailure";
    this.kind = kind;
  }
}

export interface StoreOpening {
  /** Whether a database was there: an empty start is told from a lost one. */
  readonly found: boolean;
  /** Set when a database did not verify and was moved aside; `found` is false then, and the store is empty. */
  readonly setAside: { readonly movedTo: string; readonly why: string } | undefined;
}

export interface RowFilter {
  readonly user?: string | undefined;
  readonly agent?: string | undefined;
  readonly includeEnded: boolean;
  /** Only ids above this one. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface StoreSize {
  readonly running: number;
  readonly ended: number;
  /** Of all files on the disk. */
  readonly bytes: number;
}

export interface SessionStore {
  /** Opens or makes the database and verifies it. Called once, before anything else. */
  open(): StoreOpening;
  close(): void;

  /** Begins a transaction; there is never more than one. Reads see its writes. */
  begin(): void;
  /** Durable on this disk when it returns. A `full` failure has rolled back. */
  commit(): void;
  rollback(): void;

  get(id: string): SessionRow | undefined;
  /** The user's rows that are not ended, lowest id first: one, unless a merge brought more. */
  runningOf(user: string): readonly SessionRow[];
  /** Adds or replaces the row with this id. Only within a transaction. */
  put(row: SessionRow): void;
  /** Removes ended rows of an origin with sequences up to and including this one. Returns how many. In a transaction. */
  removeEnded(origin: string, throughSequence: number): number;
  /** Ordered by id. */
  list(filter: RowFilter): readonly SessionRow[];
  /** Rows of one origin with a sequence above `sequence`, lowest first, at most `limit`. */
  changesAfter(origin: string, sequence: number, limit: number): readonly SessionRow[];
  /** Rows that are not ended, by agent. */
  countByAgent(): ReadonlyMap<string, number>;
  /** Cheap: kept, not counted. */
  size(): StoreSize;

  /** A few small values beside the rows (vectors, incarnation), in the same transactions. */
  getMeta(key: string): string | undefined;
  setMeta(key: string, value: string): void;

  /** Writes a consistent copy to a new file while the store goes on; may be slow, never blocks for more than 10 ms. */
  snapshot(file: string, progress: (fraction: number) => void): Promise<void>;
  /** Takes the place of everything kept so far, durably: the counterpart of `snapshot`. Verifies it first. */
  replaceWith(file: string): void;

  /** One line for status. */
  describe(): string;
}
