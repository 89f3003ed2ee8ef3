/**
 * Making certain that the other node answers nobody before its address is taken without its word (rule R32). Only
 * `confirmed` counts; a failure goes on with the next fence, and after the last one waits a little longer each time.
 */

import type { Beat } from "../heartbeat/beat.js";
import type { Outcome } from "../plugin/contract.js";
import type { Draft } from "./draft.js";
import { clearAlarm, nextId, raiseAlarm, record } from "./draft.js";
import { preferredSide } from "./election.js";
import { holdsAddress } from "./peer.js";
import type { Claim, Fencing, State } from "./state.js";

const backoffLeastMs = 5000;
const backoffMostMs = 60_000;
const todo =
  "nobody takes the address before a fence has confirmed, or you have: `understudy peer confirm-dead` once that node is off";
/** A beat that was sent before the power went may still wait in a socket; one that comes later proves the fence wrong. */
const strayBeatMs = 1000;

/**
 * What a claim still waits for, or undefined. The fence is fired here, when the verdict is out and the arbiters let it,
 * and not at the first suspicion as rule R13 has it: to power a healthy machine off over 30 ms of silence would be worse
 * than the fault. So a fence's own time comes on top of the dead time.
 */
export function fenceObstacle(draft: Draft, claimed: Claim): string | undefined {
  const { state, atMs } = draft;
  const { fences } = state.settings;
  if (fences.length === 0 || claimed.word || state.fenced !== undefined) return undefined;
  state.fencing ??= unfenced(state, atMs);
  fireWhenDue(draft, state.fencing);
  const { id, name, detail } = state.fencing;
  if (id !== undefined) return `${name} is to confirm first that the other node is off`;
  return detail === "" ? `${name} is fired after a delay` : `${name} is tried after ${detail}`;
}

/**
 * Two that wait alone would shoot each other. The preferred side shoots first, and the other one only when the first
 * would long be done. A node that takes over from one that served need not wait: one that serves shoots at nobody.
 */
function unfenced(state: State, atMs: number): Fencing {
  const mutual = !holdsAddress(state.peer.beat) && preferredSide(state) !== state.settings.self;
  return {
    id: undefined,
    index: 0,
    name: state.settings.fences[0] ?? "",
    rounds: 0,
    dueMs: atMs + (mutual ? state.settings.fenceDelayMs : 0),
    detail: "",
    peerNonce: "",
  };
}

function fireWhenDue(draft: Draft, fencing: Fencing): void {
  const { state, atMs } = draft;
  if (fencing.id !== undefined || atMs < fencing.dueMs) return;
  const id = nextId(draft);
  state.fencing = { ...fencing, id, peerNonce: state.peer.beat?.nonce ?? "" };
  record(draft, "fence", `${fencing.name} is fired at the other node`, ["R32"]);
  draft.actions.push({ type: "fence", id, name: fencing.name });
}

export function fenceFinished(draft: Draft, outcome: Outcome, detail: string): void {
  const { state } = draft;
  const { fencing } = state;
  if (fencing === undefined) return;
  record(draft, "fence", `${fencing.name}: ${outcome}${detail === "" ? "" : `, ${detail}`}`, ["R32"]);
  if (outcome === "confirmed") confirmed(draft, fencing);
  else failed(draft, fencing, outcome, detail);
}

function confirmed(draft: Draft, { peerNonce, name }: Fencing): void {
  const { state } = draft;
  state.fencing = undefined;
  clearAlarm(draft, "FENCE_FAILED");
  // It was restarted and is there again before its fence said so: that life was not fenced.
  if ((state.peer.beat?.nonce ?? "") !== peerNonce) return;
  countAsDead(draft, `${name} has confirmed it`);
}

/** Also on the word of an operator who has seen to it. */
export function countAsDead(draft: Draft, who: string): void {
  const { state, atMs } = draft;
  state.fencing = undefined;
  state.fenced = { nonce: state.peer.beat?.nonce ?? "", atMs };
  state.peer = { ...state.peer, dead: true };
  state.paths = state.paths.map((path) => ({ ...path, twoWay: false }));
  record(draft, "fence", `the other node counts as dead until it is heard after a restart: ${who}`, ["R32"]);
}

function failed(draft: Draft, fencing: Fencing, outcome: Outcome, detail: string): void {
  const { state, atMs } = draft;
  const { fences } = state.settings;
  const index = (fencing.index + 1) % fences.length;
  const rounds = fencing.rounds + (index === 0 ? 1 : 0);
  const waitMs = index === 0 ? Math.min(backoffMostMs, backoffLeastMs * 2 ** (rounds - 1)) : 0;
  const why = `${fencing.name} failed (${outcome})${detail === "" ? "" : `: ${detail}`}`;
  state.fencing = {
    ...fencing,
    id: undefined,
    index,
    name: fences[index] ?? "",
    rounds,
    dueMs: atMs + waitMs,
    detail: why,
  };
  raiseAlarm(draft, "FENCE_FAILED", `${why}; ${todo}`);
}

/** Nobody wants to claim any more: what has not been fired is not; what was goes on, and is heard of when it is done. */
export function holdFire(draft: Draft): void {
  const { state } = draft;
  if (state.fencing === undefined || state.fencing.id !== undefined) return;
  state.fencing = undefined;
  clearAlarm(draft, "FENCE_FAILED");
}

/** The other node is heard: a new life of it was never fenced, and an old one makes a liar of the fence. */
export function heardFenced(draft: Draft, beat: Beat): void {
  const { state, atMs } = draft;
  const { fenced } = state;
  if (fenced === undefined) return;
  if (beat.nonce !== fenced.nonce) {
    state.fenced = undefined;
  } else if (atMs - fenced.atMs > strayBeatMs) {
    state.fenced = undefined;
    const what =
      "the other node is heard although it was said to be off: does the fence switch the right machine?";
    record(draft, "fence", what, ["R32"]);
    raiseAlarm(draft, "FENCE_FAILED", what, wrongMachineMs);
  }
}

const wrongMachineMs = 3_600_000;
