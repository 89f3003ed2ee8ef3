/**
 * What a beat of the other node changes: its view, our epochs, and whose address it is. The higher epoch wins
 * everywhere (rule R16); the loser leaves at once, the winner tells the segment again (rule R7).
 */

import type { Beat, Preference } from "../heartbeat/beat.js";
import { announceAgain } from "./announcements.js";
import { answer, measured } from "./asking.js";
import { sendBeatAgain } from "./beats.js";
import { raiseEpoch } from "./claim.js";
import type { Draft } from "./draft.js";
import { clearAlarm, nextId, raiseAlarm, record } from "./draft.js";
import { takeOnGoodbye } from "./election.js";
import { heardFenced } from "./fencing.js";
import { echoLimitMs, heardByPeer, isSlow, pathAlive, saidLater } from "./paths.js";
import { standDown } from "./release.js";
import { endJointSilence, expectFirstSign, heardSlowly } from "./silence.js";
import type { State } from "./state.js";

export function serves(beat: Beat | undefined): boolean {
  return beat !== undefined && (beat.role === "claiming" || beat.role === "active");
}

/** It serves or is about to stop: its death leaves the address to us. */
export function holdsAddress(beat: Beat | undefined): boolean {
  return serves(beat) || beat?.role === "releasing";
}

/** It gives the address up for longer than its lease lasts, which it renews no more: its kernel does not confirm. */
export function releaseOverdue(state: State, atMs: number): boolean {
  const { releasingSinceMs } = state.peer;
  return releasingSinceMs !== undefined && atMs - releasingSinceMs > state.settings.leaseMs;
}

/** The other node was heard lately and hears us. */
export function peerReachable(state: State): boolean {
  return !state.peer.dead && state.paths.some((path) => path.twoWay && pathAlive(state, path));
}

export function beatReceived(draft: Draft, path: string, beat: Beat, echoAgeMs: number | undefined): void {
  const { state } = draft;
  const before = state.peer.beat;
  const news = isNews(before, beat);
  notePath(draft, path, beat, echoAgeMs);
  if (beat.asks) answer(draft, path);
  if (!news) return;
  const releasingSinceMs =
    beat.role === "releasing" ? (state.peer.releasingSinceMs ?? draft.atMs) : undefined;
  state.peer = { ...state.peer, beat, releasingSinceMs };
  const restarted = before?.nonce !== beat.nonce;
  if (restarted) expectFirstSign(draft);
  noteLife(draft, path, beat);
  if (restarted) {
    const what =
      before === undefined ? "the other node was heard for the first time" : "the other node has restarted";
    record(draft, "peer", what, ["R8"], { role: beat.role, epoch: beat.epoch });
  }
  adoptPreference(draft, beat);
  compareConfig(draft, beat);
  compareEpochs(draft, beat);
  if (beat.goodbye) takeOnGoodbye(draft, beat.epoch, { involuntary: beat.unwell });
}

/** It lives, now: no suspicion, no silence. A beat that was under way on a slow path says so of the past alone. */
function noteLife(draft: Draft, name: string, beat: Beat): void {
  const { state, atMs } = draft;
  const path = state.paths.find((view) => view.name === name);
  if (path === undefined || !isSlow(state, path)) endJointSilence(draft);
  else if (saidLater(state, beat.sequence)) heardSlowly(draft);
  else return;
  state.peer = { ...state.peer, silenceMs: 0, heardMs: atMs, dead: false };
  if (!releaseOverdue(state, atMs)) state.suspicion = undefined;
  heardFenced(draft, beat);
  clearAlarm(draft, "PEER_DEAD");
  clearAlarm(draft, "BEATS_EATEN");
}

/** Sequences count over all paths: a slow path brings what a fast one has overtaken, which says nothing of the present. */
function isNews(before: Beat | undefined, beat: Beat): boolean {
  return before === undefined || before.nonce !== beat.nonce || beat.sequence > before.sequence;
}

function notePath(draft: Draft, name: string, beat: Beat, echoAgeMs: number | undefined): void {
  const { state, atMs } = draft;
  const before = state.peer.beat;
  const told = isNews(before, beat) ? heardByPeer(state, beat) : state.paths;
  state.paths = told.map((path) => {
    if (path.name !== name) return before?.nonce === beat.nonce ? path : { ...path, sequence: 0 };
    const twoWay = echoAgeMs !== undefined && echoAgeMs < echoLimitMs(state, path);
    const latencyMs = echoAgeMs ?? path.latencyMs;
    const heard = { silenceMs: 0, heardMs: atMs, sequence: beat.sequence, twoWay, latencyMs };
    return measured({ ...path, ...heard }, beat, echoAgeMs);
  });
}

/**
 * Two operators may ask for different things while the nodes are apart, and both wishes get the same version. Which of
 * the two wins matters less than that both nodes choose alike: a side before none, the secondary before the primary.
 */
function outranks(one: Preference, other: Preference): boolean {
  const rank = ({ side }: Preference) => (side === undefined ? 0 : side === "primary" ? 1 : 2);
  return one.version > other.version || (one.version === other.version && rank(one) > rank(other));
}

function adoptPreference(draft: Draft, beat: Beat): void {
  const { state } = draft;
  // One wish after the other is written down: the next beat brings this one again (rule R26).
  if (state.operator?.phase === "persisting") return;
  if (!outranks(beat.preference, state.intents.preference)) return;
  state.intents = { ...state.intents, preference: beat.preference };
  state.preferenceChangedMs = draft.atMs;
  const wanted = beat.preference.side ?? "primary, as the config says";
  record(draft, "preference", `the operator wants the service on: ${wanted}`, ["R26"]);
  draft.actions.push({ type: "persistIntents", id: nextId(draft), intents: state.intents });
}

function compareConfig(draft: Draft, beat: Beat): void {
  if (beat.configDigest === draft.state.settings.configDigest) clearAlarm(draft, "CONFIG_DIFFERS");
  else
    raiseAlarm(draft, "CONFIG_DIFFERS", "the two nodes have different configs: roles stay, failback is off");
}

function compareEpochs(draft: Draft, beat: Beat): void {
  const { state, atMs } = draft;
  const own = state.epoch;
  state.highestEpoch = Math.max(state.highestEpoch, beat.epoch);
  if (serves(beat)) {
    state.nobodySinceMs = atMs;
  }
  // Whoever has seen a higher epoch waits for that one's goodbye: ours gives away what was no longer ours.
  if (state.goodbye !== undefined && beat.epoch > state.goodbye.epoch) state.goodbye = undefined;
  if (state.role !== "claiming" && state.role !== "active") return;
  if (serves(beat) && beat.epoch > own) {
    state.reclaimNotBeforeMs = atMs + state.settings.reclaimHoldMs;
    standDown(
      draft,
      `the other node claimed with epoch ${beat.epoch}, above ours, ${own}`,
      ["R5", "R16"],
      "silent",
    );
  } else if (serves(beat)) {
    record(draft, "overlap", `the other node still serves with epoch ${beat.epoch}, below ours, ${own}`, [
      "R7",
    ]);
    announceAgain(draft);
    sendBeatAgain(draft);
  } else if (beat.epoch > own && state.role === "active") {
    raiseEpoch(draft);
  }
}
