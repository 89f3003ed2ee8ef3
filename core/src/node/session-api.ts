/**
 * What a service may do with sessions: the API that service-vsm puts on HTTP. It is the boundary at which an
 * acknowledgement is a promise (G3): whatever resolves here as `replicated` is durable on both disks.
 */

export interface Session {
  /** Derived from user and idempotency key (rule R23), 26 characters of Crockford base32, never reused. */
  readonly id: string;
  readonly user: string;
  readonly agent: string;
  /** Wall clock of the node that made it, ISO 8601, for people; nothing is ordered by it. */
  readonly createdAt: string;
  /** Free text pairs of the broker (display, client, geometry); at most 4 KiB as JSON. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly state: "running" | "ended";
  /** Set when a merge after a split left this user with more sessions than one (G5). */
  readonly overLimit: boolean;
  /** The epoch under which it was created or last changed. */
  readonly epoch: number;
}

/** How far a change is safe when it is acknowledged (G3). */
export type Acknowledgement = "replicated" | "solo";

export type Refusal =
  /** This node has no permit: ask the HA address again. */
  | "notActive"
  /** The disk is full here; sessions can still be looked up and ended. */
  | "diskFull"
  /** Writes are frozen for a handover of at most 50 ms. */
  | "frozen"
  /** R24: this node is not sure that it knows every session. */
  | "notKnownYet"
  | "notFound"
  /** More waits than the node will queue. */
  | "overloaded"
  | "invalid";

export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
  /** A sentence for the caller. */
  readonly message: string;
  /** When trying again makes sense; undefined when it does not. */
  readonly retryAfterMs: number | undefined;
}

export interface Acknowledged {
  readonly ok: true;
  readonly session: Session;
  readonly acknowledgement: Acknowledgement;
  /** False when the user or the key already had this session. */
  readonly created: boolean;
}

export interface CreateRequest {
  readonly user: string;
  /** Idempotency key, 1 to 128 characters. */
  readonly key: string;
  readonly agent: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ListRequest {
  readonly user?: string;
  readonly agent?: string;
  readonly includeEnded?: boolean;
  /** The last id of the page before. */
  readonly after?: string;
  /** 1 to 1000 */
  readonly limit: number;
}

export interface SessionApi {
  /** One running session a user: a create by a user who has one returns that one. */
  create(request: CreateRequest): Promise<Acknowledged | Refused>;
  end(id: string): Promise<Acknowledged | Refused>;
  get(id: string): Promise<{ readonly ok: true; readonly session: Session } | Refused>;
  list(
    request: ListRequest,
  ): Promise<
    { readonly ok: true; readonly sessions: readonly Session[]; readonly next: string | undefined } | Refused
  >;
  /** Running sessions per agent, for placement; may lag by a second. */
  countByAgent(): Promise<ReadonlyMap<string, number>>;
  /** Whether answers are marked stale now (rule R24). */
  readonly stale: boolean;
}
