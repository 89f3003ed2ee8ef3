/**
 * Who serves when nobody does: after a start, after a goodbye, when the one that served is gone for good. Both nodes
 * must have met and merged first, or the one must have waited alone (rules R15, R24, R29).
 */

import type { Side } from "../plugin/contract.js";
import { askArbiters } from "./arbiters.js";
import { claim, mayClaim } from "./claim.js";
import type { Draft } from "./draft.js";
import { clearAlarm, enterRole, momentMs, raiseAlarm } from "./draft.js";
import { claimedBy } from "./epochs.js";
import { ownScore, peerScore } from "./health.js";
import { waitsToBeHeard } from "./mutual.js";
import { holdsAddress, peerReachable, serves } from "./peer.js";
import { keepClaim, pendingNow } from "./permission.js";
import type { Claim, State } from "./state.js";

/** Before a first claim the segment is asked this often, so many milliseconds apart, who has the address (R15). */
const conflictProbes = 3;
const conflictProbeEveryMs = 8;
const strangerRemembersMs = 1000;
/** A first claim that waits for an arbiter or a fence looks this often whether it still has its reason. */
const permissionEveryMs = 50;
/** Both had merged and nobody serves: long enough for a restart of pulse, short enough for people. */
const mergedWaitMs = 2000;
/** The address answered from the other node so lately that it serves, although its beats do not arrive. */
const peerAnsweredMs = 200;

export function preferredSide(state: State): Side {
  return state.intents.preference.side ?? "primary";
}

function verified(state: State): boolean {
  return state.report?.verified ?? false;
}

/** A node that has met a serving peer, or a peer as verified as itself, is a standby. */
export function leaveJoining(draft: Draft): void {
  const { state } = draft;
  if (state.role === "failed" && (state.report?.database ?? "open") === "open")
    enterRole(draft, "joining", "the session database is whole again", ["R22"]);
  const looking = state.role === "joining" || state.role === "failed";
  if (!looking || state.startedAtMs === undefined || !peerReachable(state)) return;
  if (serves(state.peer.beat)) {
    enterRole(draft, "standby", "the other node serves", ["R24"]);
  } else if (verified(state)) {
    enterRole(draft, "standby", "both nodes have met and merged", ["R24"]);
  }
}

export function takeOnGoodbye(draft: Draft, epoch: number, loss: { readonly involuntary: boolean }): void {
  const { state, atMs } = draft;
  if (epoch < state.highestEpoch || !mayClaim(state, atMs) || !verified(state)) return;
  const claimed: Claim = {
    why: `the other node gave the address up, epoch ${epoch}`,
    rules: ["R12"],
    involuntary: loss.involuntary,
    stale: false,
    word: true,
  };
  if (!claim(draft, claimed)) keepClaim(draft, claimed);
}

/** What the other node's word allowed and the arbiters did not yet. */
export function retryPendingClaim(draft: Draft): void {
  const { state, atMs } = draft;
  const claimed = pendingNow(state, atMs);
  if (claimed === undefined) return;
  const standsBy = state.role === "standby" || state.role === "joining";
  const served = holdsAddress(state.peer.beat) && !state.peer.dead;
  if (!standsBy || served || state.intents.maintenance || state.stopping) state.pendingClaim = undefined;
  else if (mayClaim(state, atMs) && verified(state)) claim(draft, claimed);
}

/** Decides nothing while anybody is known to serve. */
export function elect(draft: Draft): void {
  const { state, atMs } = draft;
  const peerServes = holdsAddress(state.peer.beat);
  const busy = state.suspicion !== undefined || state.pendingClaim !== undefined;
  if (!mayClaim(state, atMs) || (peerServes && !state.peer.dead) || busy) {
    state.firstClaim = undefined;
    return;
  }
  if (state.firstClaim !== undefined) {
    continueFirstClaim(draft);
    return;
  }
  if (atMs < state.reclaimNotBeforeMs) return;
  const reason = reasonToServe(state, atMs);
  if (reason === undefined) return;
  if (state.report?.database === "opening") return;
  if (state.report?.database === "lost") {
    const why = "the session database was lost, and no other node is there to refill it: nothing to serve";
    enterRole(draft, "failed", why, ["R22"]);
    return;
  }
  state.firstClaim = {
    startedMs: atMs,
    nextProbeMs: atMs,
    probesLeft: conflictProbes,
    why: reason.why,
    stale: reason.stale,
  };
  // Their answers are in when the segment has been asked.
  askArbiters(draft);
  continueFirstClaim(draft);
}

function reasonToServe(state: State, atMs: number): Reason | undefined {
  return peerReachable(state) ? electWithPeer(state, atMs) : electAlone(state, atMs);
}

interface Reason {
  readonly why: string;
  readonly stale: boolean;
}

function electWithPeer(state: State, atMs: number): Reason | undefined {
  const beat = state.peer.beat;
  if (beat === undefined) return undefined;
  const preferred = firstToServe(state) === state.settings.self;
  const peerAble = beat.role === "standby" || beat.role === "joining";
  if (!verified(state)) return waitedAlone(state, atMs, preferred);
  if (!peerAble) return { why: `nobody serves and the other node is in ${beat.role}`, stale: false };
  // A peer that has not merged yet may know sessions that we lack only if we have not merged either; we have.
  const own = ownScore(state);
  const other = peerScore(state);
  if (own > other) return { why: "nobody serves and this node is the healthier one", stale: false };
  if (own === other && preferred) return { why: whyFirst(state), stale: false };
  // The one that should serve may be the one that the arbiters do not let: after a while the other one asks them.
  const patienceMs = 1.5 * mergedWaitMs;
  if (state.settings.arbiters.length > 0 && atMs - state.nobodySinceMs >= patienceMs)
    return { why: `nobody has served for ${patienceMs / 1000} s`, stale: false };
  return waitedAlone(state, atMs, preferred);
}

/**
 * Of two that could serve alike. While their node processes cannot meet, only the one that served last is known to have
 * every acknowledged session, whichever is preferred (promise G4).
 */
function firstToServe(state: State): Side {
  const preferred = preferredSide(state);
  return state.peer.linkUp ? preferred : (claimedBy(state.highestEpoch) ?? preferred);
}

function whyFirst(state: State): string {
  return firstToServe(state) === preferredSide(state)
    ? "nobody serves and this node is the preferred one"
    : "nobody serves, and this node did last: the other one may lack sessions";
}

function electAlone(state: State, atMs: number): Reason | undefined {
  return waitedAlone(state, atMs, true);
}

/**
 * R24: nobody has served for `aloneAfter`, so this node does, and says so. One that has merged need not wait so long, nor
 * one without sessions that has met the other node.
 */
function waitedAlone(state: State, atMs: number, first: boolean): Reason | undefined {
  const { aloneAfterMs } = state.settings;
  // A peer that is there is the one to serve: it gets its full time.
  const merged = verified(state) && (state.report?.met ?? true) && !peerReachable(state);
  const aloneMs = merged ? Math.min(mergedWaitMs, aloneAfterMs ?? mergedWaitMs) : aloneAfterMs;
  if (aloneMs === null) return undefined;
  // The other side waits a little longer, so that two that wait alone do not claim together.
  const waitMs = first ? aloneMs : 1.5 * aloneMs;
  if (atMs - state.nobodySinceMs < waitMs) return undefined;
  return { why: `nobody has served for ${Math.round(waitMs / 100) / 10} s`, stale: !verified(state) };
}

/** Nobody was seen serving, so a third machine may own the address: ask the segment before taking it. */
function continueFirstClaim(draft: Draft): void {
  const { state, atMs } = draft;
  const first = state.firstClaim;
  if (first === undefined || atMs < first.nextProbeMs) return;
  if (atMs < state.foreignUntilMs) return;
  if (waitsToBeHeard(draft, first)) {
    const reason = reasonToServe(state, atMs);
    const nextProbeMs = atMs + conflictProbeEveryMs;
    state.firstClaim = reason === undefined ? undefined : { ...first, ...reason, nextProbeMs };
    return;
  }
  if (state.link.addressSilenceMs < peerAnsweredMs) {
    state.firstClaim = undefined;
    state.nobodySinceMs = atMs;
    return;
  }
  const { stranger } = state.link;
  if (stranger !== undefined && atMs - stranger.atMs < strangerRemembersMs) {
    raiseAlarm(
      draft,
      "ADDRESS_CONFLICT",
      `a third machine, ${stranger.mac}, answers for the HA address: not taking it`,
      momentMs,
    );
    state.firstClaim = { ...first, nextProbeMs: atMs + strangerRemembersMs, probesLeft: conflictProbes };
    draft.actions.push({ type: "probe", round: 0 });
    return;
  }
  if (state.settings.canProbeAddress && first.probesLeft > 0) {
    draft.actions.push({ type: "probe", round: 0 });
    state.firstClaim = {
      ...first,
      probesLeft: first.probesLeft - 1,
      nextProbeMs: atMs + conflictProbeEveryMs,
    };
    return;
  }
  clearAlarm(draft, "ADDRESS_CONFLICT");
  // Asking took its time: a node that has met the other one meanwhile, and not merged yet, must not serve (rule R24).
  const reason = reasonToServe(state, atMs);
  if (reason === undefined) {
    state.firstClaim = undefined;
    return;
  }
  const word = peerReachable(state);
  const rules = ["R15", "R24"];
  if (claim(draft, { ...reason, rules, involuntary: false, word })) return;
  state.firstClaim = { ...first, nextProbeMs: atMs + permissionEveryMs };
}
