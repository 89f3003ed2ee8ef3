/**
 * The node process as pulse sees it: there or not, answering or hung, in step with the other one or not. It says only
 * what the other node process could have told it.
 */

import type { NodeReport } from "@understudy/core/internal/failover/event";

export interface NodeModel {
  readonly up: boolean;
  readonly hung: boolean;
  /** What the store and the services can do; set by scenarios. */
  services: boolean;
  store: boolean;
  kill(): void;
  start(nowMs: number): void;
  hang(): void;
  resume(): void;
  /** The TLS link between the node processes came or went. */
  linkChanged(up: boolean, nowMs: number): void;
  report(nowMs: number): NodeReport;
  readonly linked: boolean;
}

/** Vectors are exchanged and merged within this time after the link is up. */
const mergeMs = 20;
const inSyncMs = 60;
/** The standby calls itself stale after this long without a stream (rule R20). */
const staleAfterMs = 500;

export function makeNodeModel(): NodeModel {
  let linkedSinceMs: number | undefined;
  let unlinkedSinceMs = 0;
  let verified = false;
  let wasInSync = false;
  const model = {
    up: true,
    hung: false,
    services: true,
    store: true,
    get linked() {
      return linkedSinceMs !== undefined;
    },
    kill: () => {
      model.up = false;
      model.hung = false;
      verified = false;
      wasInSync = false;
    },
    start: (nowMs: number) => {
      model.up = true;
      unlinkedSinceMs = nowMs;
    },
    hang: () => {
      model.hung = true;
    },
    resume: () => {
      model.hung = false;
    },
    linkChanged: (up: boolean, nowMs: number) => {
      if (up === (linkedSinceMs !== undefined)) return;
      linkedSinceMs = up ? nowMs : undefined;
      if (!up) unlinkedSinceMs = nowMs;
    },
    report: (nowMs: number): NodeReport => {
      if (linkedSinceMs !== undefined) {
        if (nowMs - linkedSinceMs >= mergeMs) verified = true;
        wasInSync = nowMs - linkedSinceMs >= inSyncMs;
      }
      const inSync = wasInSync && (linkedSinceMs !== undefined || nowMs - unlinkedSinceMs < staleAfterMs);
      const { services, store } = model;
      return { services, store, verified, inSync, waitingFor: verified ? undefined : "the other node" };
    },
  };
  return model;
}
