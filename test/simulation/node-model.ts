/**
 * The node process as pulse sees it: there or not, answering or hung, in step with the other one or not. It says only
 * what the other node process could have told it.
 */

import type { DatabaseState, NodeReport } from "@understudy/core/internal/failover/event";
import type { MachineClock } from "./clock.js";
import type { SessionModel } from "./session-model.js";

export interface Serving {
  readonly epoch: number;
  readonly stale: boolean;
}

export interface NodeModel {
  readonly up: boolean;
  readonly hung: boolean;
  /** Counts its lives: a connection ends with the process that had it. */
  readonly lives: number;
  /** What the store and the services can do; set by scenarios. */
  services: boolean;
  store: boolean;
  /** R22: set by scenarios; over when the other node has refilled it. */
  database: DatabaseState;
  kill(): void;
  start(): void;
  hang(): void;
  resume(): void;
  /** From pulse, in order; a hung process reads it when it goes on, a dead one never. */
  take(message: () => void): void;
  /** The TLS link between the node processes came or went. */
  linkChanged(up: boolean): void;
  report(): NodeReport;
  readonly linked: boolean;
  readonly serving: Serving | undefined;
  promote(epoch: number, stale: boolean): void;
  demote(): void;
  grant(epoch: number, untilMs: number): void;
  revoke(): void;
  /** The epoch under which it may acknowledge now (rule R21). */
  permitted(): number | undefined;
  /** Whether a change could be acknowledged `solo` now (rule R20). */
  mayGoSolo(): boolean;
}

/** Vectors are exchanged and merged within this time after the link is up. */
const mergeMs = 20;
const inSyncMs = 60;
/** The standby calls itself stale after this long without a stream (rule R20). */
const staleAfterMs = 500;
/** The active answers `solo` after this long without a stream (rule R20). */
const soloAfterMs = 1000;

export function makeNodeModel(clock: MachineClock, sessions: () => SessionModel | undefined): NodeModel {
  let linkedSinceMs: number | undefined;
  let unlinkedSinceMs = 0;
  let verified = false;
  let wasInSync = false;
  let serving: Serving | undefined;
  let unread: (() => void)[] = [];
  let permit: { readonly epoch: number; readonly untilMs: number } | undefined;
  const model: { -readonly [K in keyof NodeModel]: NodeModel[K] } = {
    up: false,
    hung: false,
    lives: 0,
    services: true,
    store: true,
    database: "open",
    get linked() {
      return linkedSinceMs !== undefined;
    },
    kill: () => {
      model.up = false;
      model.hung = false;
      verified = false;
      wasInSync = false;
      serving = undefined;
      permit = undefined;
      unread = [];
      sessions()?.kill();
    },
    start: () => {
      model.up = true;
      model.lives += 1;
      unlinkedSinceMs = clock.nowMs;
      sessions()?.start();
    },
    take: (message) => {
      if (!model.up) return;
      if (model.hung) unread.push(message);
      else message();
    },
    hang: () => {
      model.hung = true;
    },
    resume: () => {
      model.hung = false;
      for (const message of unread.splice(0)) message();
    },
    linkChanged: (up) => {
      const { nowMs } = clock;
      if (up === (linkedSinceMs !== undefined)) return;
      linkedSinceMs = up ? nowMs : undefined;
      if (!up) unlinkedSinceMs = nowMs;
      model.take(() => sessions()?.linkChanged(up));
    },
    get serving() {
      return serving;
    },
    promote: (epoch, stale) => {
      serving = { epoch, stale };
      sessions()?.setServing(serving);
    },
    demote: () => {
      serving = undefined;
      sessions()?.setServing(undefined);
    },
    grant: (epoch, untilMs) => {
      permit = { epoch, untilMs };
    },
    revoke: () => {
      permit = undefined;
    },
    permitted: () => {
      if (!model.up || model.hung || permit === undefined || clock.nowMs >= permit.untilMs) return undefined;
      return serving?.epoch === permit.epoch ? permit.epoch : undefined;
    },
    mayGoSolo: () => linkedSinceMs === undefined && clock.nowMs - unlinkedSinceMs >= soloAfterMs,
    report: (): NodeReport => {
      const replicated = sessions()?.report();
      if (replicated !== undefined) {
        const store = model.store && replicated.store;
        const waitingFor = replicated.verified ? undefined : "the other node";
        const database = replicated.lost ? "lost" : "open";
        const { verified: merged, inSync: joined } = replicated;
        return { services: model.services, store, verified: merged, inSync: joined, waitingFor, database };
      }
      const { nowMs } = clock;
      if (linkedSinceMs !== undefined) {
        if (nowMs - linkedSinceMs >= mergeMs) {
          verified = true;
          model.database = "open";
        }
        wasInSync = nowMs - linkedSinceMs >= inSyncMs;
      }
      const inSync = wasInSync && (linkedSinceMs !== undefined || nowMs - unlinkedSinceMs < staleAfterMs);
      const { services, database } = model;
      const store = model.store && database === "open";
      const waitingFor = verified ? undefined : "the other node";
      return { services, store, verified, inSync, waitingFor, database };
    },
  };
  return model;
}
