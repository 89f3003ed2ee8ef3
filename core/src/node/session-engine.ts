/**
 * The sessions of a node as the rest of node sees them: the API of the services, and what pulse and the operator want of
 * it. The work is done in the session thread; everything here answers from the main thread.
 */

import type { DatabaseState } from "../failover/event.js";
import type { Outcome } from "../plugin/contract.js";
import type { Permit } from "./permit.js";
import type { SessionApi } from "./session-api.js";

/** What the node report and status say about sessions. */
export interface SessionStatus {
  /** The store can make a new session durable. */
  readonly store: boolean;
  /** R24: merged with the other node since the start. */
  readonly verified: boolean;
  /** R20: this node believes that both have every acknowledged session. */
  readonly inSync: boolean;
  /** What it waits for, one sentence; undefined when it waits for nothing. */
  readonly waitingFor: string | undefined;
  readonly running: number;
  readonly ended: number;
  readonly bytes: number;
  readonly storeDescription: string;
  readonly database: DatabaseState;
  /** Why the store cannot, or what was set aside (rule R22). */
  readonly problem: string | undefined;
  readonly link: "connected" | "connecting" | "none";
  /** Own changes that the other node has not confirmed. */
  readonly unconfirmed: number;
  /** Set while a database is sent or received. */
  readonly transfer:
    | { readonly direction: "sending" | "receiving"; readonly doneBytes: number; readonly totalBytes: number }
    | undefined;
  /** Acknowledged since the start. */
  readonly acknowledged: { readonly replicated: number; readonly solo: number };
  /** The version vector as text, for people. */
  readonly vector: string;
}

export interface SessionEngine {
  readonly api: SessionApi;
  /** Opens the store and the link. Rejects only for what makes a start impossible (a bad plugin config). */
  start(): Promise<void>;
  /** From pulse, with every beat while active; undefined revokes. */
  setPermit(permit: Permit | undefined): void;
  /** Whether this node serves, with which epoch, and whether its answers are marked stale (rule R24). */
  setServing(serving: { readonly epoch: number; readonly stale: boolean } | undefined): void;
  /**
   * Rule R25: stops acknowledging for at most `freezeMs`, and compares vectors with the other node. `confirmed`: equal,
   * and still frozen; `refused` or `unknown`: unfrozen again, `detail` says why.
   */
  freeze(freezeMs: number): Promise<{ readonly outcome: Outcome; readonly detail: string }>;
  unfreeze(): void;
  status(): SessionStatus;
  /** Called at every change of `store`, `verified` or `inSync`. */
  onChange(listener: () => void): void;
  /** Rule R19: the other node is gone for good; its confirmations are no longer waited for. */
  forgetPeer(): Promise<{ readonly ok: boolean; readonly message: string }>;
  /** Keys changed (rule R29): secrets for "tls". */
  setKeys(keys: readonly { readonly id: number; readonly secret: Uint8Array }[], signWith: number): void;
  /** For the operator: rows in pages as JSON text lines, and back in; import adds what is missing, ends nothing. */
  exportPage(
    after: string | undefined,
  ): Promise<{ readonly lines: readonly string[]; readonly next: string | undefined }>;
  importLines(
    lines: readonly string[],
  ): Promise<{ readonly added: number; readonly known: number; readonly wrong: readonly string[] }>;
  stop(): Promise<void>;
}
