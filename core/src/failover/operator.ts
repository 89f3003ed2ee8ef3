/**
 * What an operator asks for (rule R26): the intent is written down first, then it takes effect, then it is answered.
 */

import type { Side } from "../plugin/contract.js";
import type { Draft } from "./draft.js";
import { enterRole, nextId, record } from "./draft.js";
import type { Intents, OperatorRequest } from "./event.js";
import { countAsDead } from "./fencing.js";
import { beginHandover, peerCanServe } from "./handover.js";
import { standDown } from "./release.js";
import type { OperatorWait, State } from "./state.js";

const moveLimitMs = 10_000;

export function operatorAsked(draft: Draft, requestId: string, request: OperatorRequest): void {
  const { state } = draft;
  if (request.kind === "confirmDead") {
    confirmDead(draft, requestId);
    return;
  }
  if (state.operator !== undefined) {
    answer(draft, requestId, false, "another request is being carried out: try again in a moment");
    return;
  }
  const objection = objectionTo(state, request);
  if (objection !== undefined) {
    answer(draft, requestId, false, objection);
    return;
  }
  const intents = intentsAfter(state, request);
  const persistId = nextId(draft);
  state.operator = {
    requestId,
    kind: request.kind,
    persistId,
    intents,
    phase: "persisting",
    deadlineMs: draft.atMs + moveLimitMs,
  };
  draft.actions.push({ type: "persistIntents", id: persistId, intents });
}

function answer(draft: Draft, requestId: string, ok: boolean, message: string): void {
  draft.actions.push({ type: "answerOperator", requestId, ok, message });
}

/** Where no fence can confirm it, a person can who has seen to it (rule R32). Nothing is written down: it is soon used. */
function confirmDead(draft: Draft, requestId: string): void {
  const { state } = draft;
  if (state.settings.fences.length === 0) {
    answer(draft, requestId, false, "no fences are configured, so nothing waits for this");
  } else if (state.peer.beat !== undefined && !state.peer.dead) {
    answer(draft, requestId, false, "the other node is heard: it is not dead");
  } else {
    countAsDead(draft, "the operator has confirmed it");
    answer(draft, requestId, true, "the other node counts as dead until it is heard after a restart");
  }
}

type Lasting = Exclude<OperatorRequest, { readonly kind: "confirmDead" }>;

function otherSide(side: Side): Side {
  return side === "primary" ? "secondary" : "primary";
}

/** Where the service is now, as far as this node knows. */
function servingSide(state: State): Side | undefined {
  if (state.role === "active" || state.role === "claiming") return state.settings.self;
  const { beat, dead } = state.peer;
  if (beat !== undefined && !dead && (beat.role === "active" || beat.role === "claiming")) return beat.sender;
  return undefined;
}

function targetOf(state: State, request: { readonly to: Side | undefined }): Side {
  return request.to ?? otherSide(servingSide(state) ?? state.settings.self);
}

function objectionTo(state: State, request: Lasting): string | undefined {
  if (request.kind === "switchover") {
    const target = targetOf(state, request);
    if (request.force || target === servingSide(state)) return undefined;
    if (target !== state.settings.self && !peerCanServe(state)) {
      return "the other node cannot serve now: it is not there, not in standby or has not merged its sessions";
    }
    if (target === state.settings.self && (state.role !== "standby" || state.report?.verified !== true)) {
      return `this node cannot serve now: it is in ${state.role}`;
    }
  }
  if (
    request.kind === "maintenance" &&
    request.on &&
    state.role === "active" &&
    !request.force &&
    !peerCanServe(state)
  ) {
    return "the other node cannot serve now, so nobody would: use --force to stop serving all the same";
  }
  return undefined;
}

function intentsAfter(state: State, request: Lasting): Intents {
  const { intents } = state;
  const version = intents.preference.version + 1;
  if (request.kind === "maintenance") return { ...intents, maintenance: request.on };
  if (request.kind === "clearPreference") return { ...intents, preference: { side: undefined, version } };
  return { ...intents, preference: { side: targetOf(state, request), version } };
}

export function intentsPersisted(draft: Draft, ok: boolean, detail: string): void {
  const { state, atMs } = draft;
  const wait = state.operator;
  if (wait === undefined) return;
  if (!ok) {
    state.operator = undefined;
    answer(
      draft,
      wait.requestId,
      false,
      `nothing was changed: the intent could not be written down: ${detail}`,
    );
    return;
  }
  state.intents = wait.intents;
  state.operator = { ...wait, phase: "moving" };
  if (wait.kind === "maintenance") applyMaintenance(draft);
  else {
    state.preferenceChangedMs = atMs;
    state.failback = { ...state.failback, eligibleSinceMs: undefined, lossesMs: [], retryNotBeforeMs: 0 };
    const side = wait.intents.preference.side;
    record(
      draft,
      "preference",
      `the operator wants the service on: ${side ?? "primary, as the config says"}`,
      ["R26"],
    );
  }
  settleOperator(draft);
}

function applyMaintenance(draft: Draft): void {
  const { state } = draft;
  if (!state.intents.maintenance) {
    if (state.role !== "maintenance") return;
    state.nobodySinceMs = draft.atMs;
    enterRole(draft, "joining", "the operator ended maintenance", ["R26"]);
  } else if (state.role === "active" && peerCanServe(state)) {
    beginHandover(draft, "maintenance", "the operator put this node into maintenance", ["R26"]);
  } else if (state.role === "active" || state.role === "claiming") {
    standDown(draft, "the operator put this node into maintenance", ["R26"], "asked");
  } else if (state.role !== "releasing") {
    state.firstClaim = undefined;
    enterRole(draft, "maintenance", "the operator put this node into maintenance", ["R26"]);
  }
}

/** Answers once the wish has come true, or once its time is over. */
export function settleOperator(draft: Draft): void {
  const { state, atMs } = draft;
  const wait = state.operator;
  if (wait === undefined) return;
  if (wait.phase === "persisting") {
    if (atMs >= wait.deadlineMs) intentsPersisted(draft, false, "the disk did not answer in time");
    return;
  }
  const done = fulfilled(state, wait);
  if (done === undefined && atMs < wait.deadlineMs) return;
  state.operator = undefined;
  const late = state.failback.waiting ?? "it goes on in the background";
  answer(
    draft,
    wait.requestId,
    done !== undefined,
    done ?? `not done after ${moveLimitMs / 1000} s: ${late}`,
  );
}

function fulfilled(state: State, wait: OperatorWait): string | undefined {
  if (wait.kind === "clearPreference") return "the preference is cleared: the primary is preferred again";
  if (wait.kind === "maintenance") {
    if (wait.intents.maintenance)
      return state.role === "maintenance" ? "this node is in maintenance" : undefined;
    return "this node takes part again";
  }
  const target = wait.intents.preference.side;
  if (servingSide(state) !== target) return undefined;
  const settled =
    target === state.settings.self ? state.role === "active" : state.peer.beat?.role === "active";
  return settled ? `the ${target} node serves` : undefined;
}
