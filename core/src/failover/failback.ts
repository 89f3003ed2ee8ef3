/**
 * Why an active node hands over by itself: the preferred one is back and equal (rules R25, R26), or the other is
 * strictly healthier (rule R27). What failback waits for is always said.
 */

import { askAboutLink } from "./asking.js";
import { peerKnowsItsLink } from "./client-side.js";
import type { Draft } from "./draft.js";
import { clearAlarm, raiseAlarm } from "./draft.js";
import { preferredSide } from "./election.js";
import { grantObstacle } from "./grant.js";
import { beginHandover, peerCanServe } from "./handover.js";
import { clientPathsTwoWay, fullHealthScore, lacking, ownHealth, ownScore, peerScore } from "./health.js";
import { peerReachable } from "./peer.js";
import type { State } from "./state.js";

/** An operator's switchover does not wait for the hold, if it was asked within this time. */
const operatorWindowMs = 10_000;

export function considerHandover(draft: Draft): void {
  const { state } = draft;
  if (state.role !== "active" || state.handover !== undefined) return;
  considerHealth(draft);
  considerFailback(draft);
}

function considerHealth(draft: Draft): void {
  const { state } = draft;
  if (state.handover !== undefined || !peerCanServe(state)) return;
  if (peerScore(state) <= ownScore(state) || grantObstacle(state, draft.atMs) !== undefined) return;
  if (!peerKnowsItsLink(state)) {
    askAboutLink(draft);
    return;
  }
  beginHandover(draft, "health", `the other node is healthier; here fails: ${lacking(ownHealth(state))}`, [
    "R27",
    "G6",
  ]);
}

function considerFailback(draft: Draft): void {
  const { state, atMs } = draft;
  if (state.handover !== undefined) return;
  if (preferredSide(state) === state.settings.self) {
    if (state.failback.waiting !== undefined) {
      state.failback = { ...state.failback, waiting: undefined, eligibleSinceMs: undefined };
    }
    clearAlarm(draft, "FAILBACK_MANUAL");
    return;
  }
  const obstacle = failbackObstacle(state, atMs);
  if (obstacle !== undefined) {
    state.failback = { ...state.failback, eligibleSinceMs: undefined, waiting: obstacle };
    if (manualByLosses(state, atMs)) raiseAlarm(draft, "FAILBACK_MANUAL", obstacle);
    else clearAlarm(draft, "FAILBACK_MANUAL");
    return;
  }
  const since = state.failback.eligibleSinceMs ?? atMs;
  const leftMs = since + holdMs(state, atMs) - atMs;
  const waiting =
    leftMs > 0 ? `conditions must hold for another ${Math.ceil(leftMs / 1000)} s` : state.failback.waiting;
  state.failback = { ...state.failback, eligibleSinceMs: since, waiting };
  if (leftMs > 0 || atMs < state.failback.retryNotBeforeMs) return;
  const kind = state.intents.preference.side === undefined ? "failback" : "switchover";
  const why = kind === "failback" ? "the primary is back and in sync" : "the operator asked for it";
  beginHandover(draft, kind, why, ["R25", "R26"]);
}

function recentLosses(state: State, atMs: number): number {
  return state.failback.lossesMs.filter((lossMs) => lossMs > atMs - 3_600_000).length;
}

function manualByLosses(state: State, atMs: number): boolean {
  return recentLosses(state, atMs) >= state.settings.failback.manualAfterLosses;
}

function operatorWaits(state: State, atMs: number): boolean {
  return state.intents.preference.side !== undefined && atMs - state.preferenceChangedMs < operatorWindowMs;
}

/** The hold, doubled for each involuntary loss beyond the first, up to an hour. */
export function holdMs(state: State, atMs: number): number {
  if (operatorWaits(state, atMs)) return 0;
  const { failback } = state.settings;
  const doublings = Math.max(0, recentLosses(state, atMs) - 1);
  return Math.min(failback.maxHoldMs, failback.holdMs * 2 ** doublings);
}

/** The first condition of rule R25 that does not hold, as a sentence. */
export function failbackObstacle(state: State, atMs: number): string | undefined {
  const { beat } = state.peer;
  const operator = state.intents.preference.side !== undefined;
  if (!operator && state.settings.failback.mode === "manual")
    return "failback is manual: use understudy switchover";
  if (!operator && manualByLosses(state, atMs)) {
    return `the preferred node was lost ${recentLosses(state, atMs)} times within an hour: use understudy switchover`;
  }
  if (beat === undefined || !peerReachable(state)) return "the preferred node is not there";
  if (beat.configDigest !== state.settings.configDigest) return "the two nodes have different configs (R28)";
  if (beat.role !== "standby") return `the preferred node is in ${beat.role}`;
  if (!beat.verified) return "the preferred node has not merged its sessions yet";
  if (!beat.inSync || !(state.report?.inSync ?? false)) return "the session databases are not in sync";
  if (peerScore(state) < fullHealthScore)
    return `the preferred node is not well, it lacks: ${lacking(beat.health)}`;
  if (!clientPathsTwoWay(state)) return "a client path does not carry beats both ways";
  return grantObstacle(state, atMs);
}
