/**
 * Silence and the dead time (rules R10 and R11). Silence is what our own ticks have witnessed, not what the clock says:
 * a judge that stalled has seen little of it.
 */

import { linkUnproven, neighboursLost } from "./client-side.js";
import type { Draft } from "./draft.js";
import type { State } from "./state.js";

const minutesKept = 10;
const margin = 1.25;

/** The dead time now: the worst joint silence of ten minutes with a margin, between the profile's floor and ceiling. */
export function deadTimeMs(state: State): number {
  const { deadFloorMs, deadCeilingMs } = state.settings;
  return Math.min(deadCeilingMs, Math.max(deadFloorMs, margin * worstSilenceMs(state)));
}

export function worstSilenceMs(state: State): number {
  return state.deadTime.worstByMinute.reduce((worst, bucket) => Math.max(worst, bucket.worstMs), 0);
}

/** Adds to every silence what this poll pass may witness: at most one and a half intervals. */
export function accrueSilence(draft: Draft): void {
  const { state } = draft;
  const seenMs = Math.min(draft.atMs - state.lastPolledMs, 1.5 * state.settings.intervalMs);
  state.lastPolledMs = draft.atMs;
  if (seenMs <= 0) return;
  // What was heard since the last pass was not silent before it was heard.
  const longer = (silenceMs: number, heardMs: number) => Math.min(silenceMs + seenMs, draft.atMs - heardMs);
  const { peer, link } = state;
  state.peer = {
    ...peer,
    silenceMs: longer(peer.silenceMs, peer.heardMs),
    lifeSilenceMs: longer(peer.lifeSilenceMs, peer.lifeHeardMs),
    fastSilenceMs: longer(peer.fastSilenceMs, peer.fastHeardMs),
  };
  state.paths = state.paths.map((path) => ({ ...path, silenceMs: longer(path.silenceMs, path.heardMs) }));
  state.link = {
    ...link,
    neighbourSilenceMs: longer(link.neighbourSilenceMs, link.neighbourHeardMs),
    addressSilenceMs: longer(link.addressSilenceMs, link.addressHeardMs),
    worriedForMs: neighboursLost(state) ? link.worriedForMs + seenMs : 0,
    unprovenForMs: linkUnproven(state) ? link.unprovenForMs + seenMs : 0,
  };
  if (state.nodeUp) state.nodeSilenceMs = longer(state.nodeSilenceMs, state.nodeHeardMs);
}

/** A sign of life on a fast medium ends the joint silence; how long it had been teaches the dead time (rule R11). */
export function endJointSilence(draft: Draft): void {
  const { state, atMs } = draft;
  const { fastSilenceMs, lifeSilenceMs, fastHeardMs } = state.peer;
  const deadMs = deadTimeMs(state);
  state.peer = {
    ...state.peer,
    lifeSilenceMs: 0,
    lifeHeardMs: atMs,
    fastSilenceMs: 0,
    fastHeardMs: atMs,
  };
  // The wait for the first sign of a life is no silence of anybody: it taught a fresh pair to wait four times as long.
  if (fastHeardMs === Number.NEGATIVE_INFINITY) return;
  // A slow path spoke meanwhile and the dead time went by: the fast ones were lost, nobody was late.
  if (lifeSilenceMs < fastSilenceMs && fastSilenceMs > deadMs) return;
  learnFrom(draft, fastSilenceMs);
}

/**
 * The other node is in a new life: how long it was silent before says when it was started, and not how late its signs may
 * be. What lay in queues since it lost its network or its power comes shortly before, and made that silence look like a
 * near miss.
 */
export function expectFirstSign(draft: Draft): void {
  draft.state.peer = { ...draft.state.peer, fastHeardMs: Number.NEGATIVE_INFINITY };
}

/** A beat of a slow path is a sign of life, and no measure of how late signs may be: its rhythm is its medium's. */
export function heardSlowly(draft: Draft): void {
  draft.state.peer = { ...draft.state.peer, lifeSilenceMs: 0, lifeHeardMs: draft.atMs };
}

function learnFrom(draft: Draft, silenceMs: number): void {
  const { state } = draft;
  // The wait for a peer that was away is no near miss: only a silence within reach of the ceiling teaches anything.
  if (silenceMs > state.settings.deadCeilingMs || silenceMs <= 2 * state.settings.intervalMs) return;
  const minute = Math.floor(draft.atMs / 60_000);
  const kept = state.deadTime.worstByMinute.filter((bucket) => minute - bucket.minute < minutesKept);
  const current = kept.find((bucket) => bucket.minute === minute);
  const worstMs = Math.max(silenceMs, current?.worstMs ?? 0);
  state.deadTime = {
    worstByMinute: [{ minute, worstMs }, ...kept.filter((bucket) => bucket.minute !== minute)],
  };
}

export function forgetOldSilences(draft: Draft): void {
  const { state } = draft;
  const minute = Math.floor(draft.atMs / 60_000);
  if (state.deadTime.worstByMinute.every((bucket) => minute - bucket.minute < minutesKept)) return;
  state.deadTime = {
    worstByMinute: state.deadTime.worstByMinute.filter((bucket) => minute - bucket.minute < minutesKept),
  };
}
