/**
 * Giving the service to the other node on purpose: freeze and compare, answer what is in flight, release, say goodbye
 * (rules R25 to R27). Each phase is bounded; a handover that does not succeed leaves everything as it was.
 */

import type { Outcome } from "../plugin/contract.js";
import type { Draft } from "./draft.js";
import { enterRole, nextId, record } from "./draft.js";
import { heardJustNow } from "./paths.js";
import { peerReachable } from "./peer.js";
import { releaseAddress } from "./release.js";
import type { HandoverKind, State } from "./state.js";

/** Requests in flight are answered or reset within this time, then the address goes (rule R26). */
const demoteLimitMs = 250;
const retryMs = 1000;

/** The other node would serve: it stands by, has merged, and both hear each other, now and not a slow beat ago. */
export function peerCanServe(state: State): boolean {
  const { beat } = state.peer;
  return (
    peerReachable(state) &&
    heardJustNow(state) &&
    beat !== undefined &&
    beat.role === "standby" &&
    beat.verified
  );
}

/** Equal vectors are demanded of a handover nobody is in a hurry for. */
function mustBeEqual(kind: HandoverKind): boolean {
  return kind === "failback" || kind === "switchover";
}

export function beginHandover(draft: Draft, kind: HandoverKind, why: string, rules: readonly string[]): void {
  const { state, atMs } = draft;
  if (state.role !== "active" || state.handover !== undefined) return;
  record(draft, "handover", `${kind} begins: ${why}`, rules);
  const id = nextId(draft);
  const { freezeMs } = state.settings.failback;
  state.handover = { kind, phase: "freezing", id, startedMs: atMs, deadlineMs: atMs + 2 * freezeMs, why };
  if (state.nodeUp && state.nodeSilenceMs < state.settings.hangLimitMs) {
    draft.actions.push({ type: "freeze", id, freezeMs });
  } else {
    leave(draft);
  }
}

export function frozen(draft: Draft, outcome: Outcome, detail: string): void {
  const { state, atMs } = draft;
  const { handover } = state;
  if (handover === undefined) return;
  if (outcome === "confirmed" || !mustBeEqual(handover.kind)) {
    demote(draft);
    return;
  }
  const waiting = `the last attempt found the databases unequal (${outcome}): ${detail}`;
  record(draft, "handover", `${handover.kind} put off: ${waiting}`, ["R25"]);
  draft.actions.push({ type: "unfreeze" });
  state.handover = undefined;
  state.failback = { ...state.failback, retryNotBeforeMs: atMs + retryMs, waiting };
}

function demote(draft: Draft): void {
  const { state, atMs } = draft;
  if (state.handover === undefined) return;
  const id = nextId(draft);
  state.handover = { ...state.handover, phase: "demoting", id, deadlineMs: atMs + demoteLimitMs };
  draft.actions.push({ type: "demote", id, epoch: state.epoch });
}

/** The services have let go, or had their time: now the kernel. */
export function leave(draft: Draft): void {
  const { state } = draft;
  const { handover } = state;
  if (handover === undefined) return;
  state.handover = { ...handover, phase: "releasing", deadlineMs: Infinity };
  enterRole(draft, "releasing", `${handover.kind}: ${handover.why}`, ["R12"]);
  draft.actions.push({ type: "revokePermit" });
  releaseAddress(draft, handover.kind === "health" ? "unwell" : "asked");
}

/** A phase that outlives its deadline ends as if it had been answered `unknown`. */
export function boundHandover(draft: Draft): void {
  const { state, atMs } = draft;
  const { handover } = state;
  if (handover === undefined || atMs < handover.deadlineMs) return;
  if (handover.phase === "freezing") frozen(draft, "unknown", "no answer in time");
  else if (handover.phase === "demoting") leave(draft);
}
