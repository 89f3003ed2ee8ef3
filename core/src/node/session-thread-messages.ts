/**
 * What the main thread and the session thread of a node say to each other. Requests and answers travel many at a time,
 * as flat arrays, because an object for each would cost more than the thread hop.
 */

import type { LocalConfig } from "../config/config.js";
import type { Outcome } from "../plugin/contract.js";
import type { ReplicaStatus } from "../sessions/replica-status.js";
import type { RefusalKind, Serving } from "../sessions/request.js";
import type { RowFilter, SessionRow } from "../sessions/store.js";
import type { LinkKey } from "./peer-link.js";

/** Given to the thread when it is made. */
export interface ThreadStart {
  readonly local: LocalConfig;
  readonly keys: readonly LinkKey[];
  readonly signWith: number;
  /** Instead of the plugin that the config names: a module that exports `createStore(options)`. */
  readonly storeModule: { readonly url: string; readonly options: unknown } | undefined;
}

/** Each request is its code, its ticket and its fields, one after the other. */
export const requestCodes = { create: 1, end: 2 } as const;
export type FlatRequests = (string | number)[];

export type ToThread =
  | { readonly type: "requests"; readonly flat: FlatRequests }
  | { readonly type: "get"; readonly ticket: number; readonly id: string }
  | { readonly type: "list"; readonly ticket: number; readonly filter: RowFilter }
  | { readonly type: "countByAgent"; readonly ticket: number }
  | { readonly type: "serving"; readonly serving: Serving | undefined }
  | { readonly type: "freeze"; readonly id: number; readonly freezeMs: number }
  | { readonly type: "unfreeze" }
  | { readonly type: "forgetPeer"; readonly ticket: number }
  | { readonly type: "importRows"; readonly ticket: number; readonly rows: readonly SessionRow[] }
  | { readonly type: "keys"; readonly keys: readonly LinkKey[]; readonly signWith: number }
  | { readonly type: "stop" };

/** For a session that was just made, the main thread knows everything but this. */
export const answerCodes = { createdReplicated: 1, createdSolo: 2 } as const;

export interface RowAnswer {
  readonly ticket: number;
  readonly row: SessionRow;
  readonly created: boolean;
  readonly acknowledgement: "replicated" | "solo";
  readonly epoch: number;
}

export interface ThreadStatus extends ReplicaStatus {
  readonly storeDescription: string;
  readonly link: "connected" | "connecting";
}

export type FromThread =
  | { readonly type: "ready" }
  /** The start is impossible: the plugin is wrong. */
  | {
      readonly type: "impossible";
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly meaning: string;
        readonly todo: string;
      };
    }
  /** The store does not work; the thread ends, and a new one is made after a pause. */
  | { readonly type: "broken"; readonly message: string }
  /** Triples of ticket, code and epoch. */
  | { readonly type: "created"; readonly flat: readonly number[] }
  | {
      readonly type: "answers";
      readonly rows: readonly RowAnswer[];
      readonly refusals: readonly (readonly [number, RefusalKind])[];
    }
  | { readonly type: "row"; readonly ticket: number; readonly row: SessionRow | undefined }
  | { readonly type: "rows"; readonly ticket: number; readonly rows: readonly SessionRow[] }
  | { readonly type: "counts"; readonly ticket: number; readonly counts: ReadonlyMap<string, number> }
  | { readonly type: "failed"; readonly ticket: number; readonly message: string }
  | { readonly type: "frozen"; readonly id: number; readonly outcome: Outcome; readonly detail: string }
  | { readonly type: "forgotten"; readonly ticket: number; readonly ok: boolean; readonly message: string }
  | { readonly type: "imported"; readonly ticket: number; readonly added: number | undefined }
  | { readonly type: "status"; readonly status: ThreadStatus }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly fields: Readonly<Record<string, unknown>>;
      readonly message: string;
    };
