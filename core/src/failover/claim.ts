/**
 * Taking the address: a new epoch, the claim frame, the kernel, then the services (rules R5, R14 and R16). The address
 * does not wait for the disk; acknowledging does.
 */

import { startAnnouncing } from "./announcements.js";
import { sendBeatNow } from "./beats.js";
import { clientLinkWorks } from "./client-side.js";
import type { Draft } from "./draft.js";
import { clearAlarm, enterRole, momentMs, nextId, raiseAlarm, record } from "./draft.js";
import { claimsAgainst, nextEpoch } from "./epochs.js";
import { watchGrant } from "./grant.js";
import { permitted } from "./permission.js";
import { releaseAddress } from "./release.js";
import type { Claim, State } from "./state.js";

/**
 * Whether this node may take the address at all, leaving aside whether it should. One that knows it can reach no client
 * takes nothing; whoever can is elected (promise G6).
 */
export function mayClaim(state: State, atMs: number): boolean {
  return (
    (state.role === "standby" || state.role === "joining") &&
    !state.intents.maintenance &&
    !state.stopping &&
    clientLinkWorks(state) &&
    state.nodeUp &&
    state.release === undefined &&
    atMs >= state.blockedUntilMs
  );
}

/** False: the arbiters or a fence are waited for, and whoever has the reason must come again. */
export function claim(draft: Draft, claimed: Claim): boolean {
  if (!permitted(draft, claimed)) return false;
  take(draft, claimed);
  return true;
}

function take(draft: Draft, claimed: Claim): void {
  const { state, atMs } = draft;
  const epoch = nextEpoch(state.settings.self, Math.max(state.highestEpoch, state.arbiterEpoch));
  state.epoch = epoch;
  state.highestEpoch = epoch;
  state.suspicion = undefined;
  state.firstClaim = undefined;
  state.goodbye = undefined;
  state.pendingClaim = undefined;
  state.fencing = undefined;
  state.servingStale = claimed.stale;
  if (claimed.involuntary) {
    const hourAgo = atMs - 3_600_000;
    const lossesMs = [...state.failback.lossesMs.filter((lossMs) => lossMs > hourAgo), atMs];
    state.failback = { ...state.failback, lossesMs };
  }
  enterRole(draft, "claiming", claimed.why, claimed.rules);
  state.acquireId = nextId(draft);
  // The claim frame goes first: it ends the old lease in the old node's kernel while ours is being made.
  sendBeatNow(draft);
  draft.actions.push({ type: "acquireAddress", id: state.acquireId, epoch });
  draft.actions.push({ type: "armClaims", epochs: claimsAgainst(state.settings.self, epoch) });
  persistEpoch(draft);
  if (claimed.stale)
    raiseAlarm(
      draft,
      "SERVING_STALE",
      "serving alone: the other node may know sessions that this one does not",
    );
}

export function persistEpoch(draft: Draft): void {
  const { state } = draft;
  const id = nextId(draft);
  state.persist = { id, epoch: state.highestEpoch, retryAtMs: Infinity };
  draft.actions.push({ type: "persistEpoch", id, epoch: state.highestEpoch });
}

/** The other node remembers a higher epoch than ours without serving: serve on, above it (rule R16). */
export function raiseEpoch(draft: Draft): void {
  const { state } = draft;
  const from = state.epoch;
  state.epoch = nextEpoch(state.settings.self, Math.max(state.highestEpoch, state.arbiterEpoch));
  state.highestEpoch = state.epoch;
  record(draft, "epoch", `epoch ${from} -> ${state.epoch}: the other node had seen a higher one`, ["R16"]);
  draft.actions.push({ type: "armClaims", epochs: claimsAgainst(state.settings.self, state.epoch) });
  draft.actions.push({ type: "revokePermit" });
  persistEpoch(draft);
  sendBeatNow(draft);
}

export function addressAcquired(draft: Draft): void {
  const { state, atMs } = draft;
  watchGrant(draft);
  if (state.role !== "claiming") return;
  state.acquireId = undefined;
  state.leaseRenewedMs = atMs;
  enterRole(draft, "active", state.reason, []);
  clearAlarm(draft, "ADDRESS_REFUSED");
  draft.actions.push({ type: "renewLease" });
  startAnnouncing(draft);
  sendBeatNow(draft);
  state.nextBeatMs = atMs + state.settings.intervalMs;
  promoteWhenReady(draft);
}

export function addressNotAcquired(draft: Draft, outcome: string, detail: string): void {
  const { state, atMs } = draft;
  state.acquireId = undefined;
  state.blockedUntilMs = atMs + 1000;
  raiseAlarm(draft, "ADDRESS_REFUSED", `the address could not be taken (${outcome}): ${detail}`, momentMs);
  enterRole(draft, "releasing", `the address could not be taken: ${detail}`, ["R14"]);
  releaseAddress(draft, "unwell");
}

/** Services start once the epoch is written and the node process is there; once for each epoch. */
export function promoteWhenReady(draft: Draft): void {
  const { state } = draft;
  if (state.role !== "active" || !state.nodeUp || state.persistedEpoch < state.epoch) return;
  if (state.promotedEpoch === state.epoch) return;
  state.promotedEpoch = state.epoch;
  state.promoteId = nextId(draft);
  draft.actions.push({ type: "promote", id: state.promoteId, epoch: state.epoch, stale: state.servingStale });
}
