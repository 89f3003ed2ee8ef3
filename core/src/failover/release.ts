/**
 * Giving the address up: because the other node claimed, because this one stalled, or as the last part of a handover.
 * Only a release that the kernel confirmed is followed by a goodbye (rule R12).
 */

import { endArbitration } from "./arbiters.js";
import { sendBeatNow } from "./beats.js";
import type { Draft } from "./draft.js";
import { clearAlarm, enterRole, momentMs, nextId, raiseAlarm } from "./draft.js";
import type { Leave } from "./state.js";

/** How long a goodbye is repeated, and how long its sender leaves the address to the other node. */
export const goodbyeMs = 500;
const releaseRetryMs = 500;

/** Leaves the active role at once: the kernel first, then the services, then the address. */
export function standDown(draft: Draft, why: string, rules: readonly string[], leave: Leave): void {
  const { state } = draft;
  state.handover = undefined;
  draft.actions.push({ type: "revokePermit" }, { type: "dropLease" });
  enterRole(draft, "releasing", why, rules);
  draft.actions.push({ type: "demote", id: nextId(draft), epoch: state.epoch });
  releaseAddress(draft, leave);
}

export function releaseAddress(draft: Draft, leave: Leave): void {
  const { state, atMs } = draft;
  const id = nextId(draft);
  state.announce = undefined;
  state.leaseRenewedMs = undefined;
  state.acquireId = undefined;
  state.promotedEpoch = 0;
  state.release = { id, retryAtMs: atMs + releaseRetryMs, leave };
  draft.actions.push({ type: "releaseAddress", id, epoch: state.epoch });
}

export function addressReleased(draft: Draft): void {
  const { state, atMs } = draft;
  const leave = state.release?.leave ?? "silent";
  const epoch = state.epoch;
  state.release = undefined;
  state.handover = undefined;
  state.servingStale = false;
  state.epoch = 0;
  state.nobodySinceMs = atMs;
  clearAlarm(draft, "SERVING_STALE");
  clearAlarm(draft, "FAILBACK_MANUAL");
  // Said of one that serves; what a standby waits for it says anew.
  const lost = state.alarms.find(({ code }) => code === "ARBITER_LOST");
  if (lost?.untilMs === Infinity) clearAlarm(draft, "ARBITER_LOST");
  draft.actions.push({ type: "armClaims", epochs: [] });
  endArbitration(draft);
  const next = state.intents.maintenance ? "maintenance" : "standby";
  enterRole(draft, next, state.reason, ["R12"]);
  if (leave === "silent" || state.highestEpoch > epoch) return;
  state.goodbye = { epoch, untilMs: atMs + goodbyeMs, unwell: leave === "unwell" };
  state.reclaimNotBeforeMs = Math.max(state.reclaimNotBeforeMs, atMs + goodbyeMs);
  sendBeatNow(draft);
  state.nextBeatMs = atMs + 1;
}

/** The kernel did not confirm: never a goodbye; try again, with the lease dropped meanwhile. */
export function releaseFailed(draft: Draft, detail: string): void {
  const { state, atMs } = draft;
  raiseAlarm(draft, "ADDRESS_REFUSED", `the address could not be removed: ${detail}`, momentMs);
  if (state.release !== undefined)
    state.release = { ...state.release, id: undefined, retryAtMs: atMs + releaseRetryMs };
}

export function retryRelease(draft: Draft): void {
  const { state, atMs } = draft;
  if (state.release === undefined || state.release.id !== undefined || atMs < state.release.retryAtMs) return;
  draft.actions.push({ type: "dropLease" });
  releaseAddress(draft, state.release.leave);
}
