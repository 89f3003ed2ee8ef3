/**
 * Whether this node can reach clients, which is another fact than that the other node lives (promise G6). Three things
 * tell: the carrier, third machines that used to be heard, and the other node, which is there and is not heard where it
 * should be.
 */

import type { Draft } from "./draft.js";
import { clearAlarm, raiseAlarm } from "./draft.js";
import { aliveOn, isSlow, pathAlive } from "./paths.js";
import type { PathView, State } from "./state.js";

/** Neighbours count as gone when none answered for so many milliseconds of probes every 50 ms. */
export const neighbourGoneMs = 300;
/** Neighbours are probed once a second, so one that missed a probe is no reason yet. */
const neighbourLateMs = 1200;
/** A neighbour heard so shortly before the client path fell silent would have gone on answering. */
const freshMs = 3000;
/** Long enough for a path and for neighbours to be heard after a start. */
const unprovenAfterMs = 1000;
/** By then a node that lost its client side in the same moment knows it too, and has said so. */
const bothKnowAfterBeats = 3;
const bothUnprovenAfterMs = 500;

function clientPaths(state: State): readonly PathView[] {
  return state.paths.filter((path) => path.class === "client");
}

/**
 * Third machines have fallen silent together with the client paths. One that left an hour before proves nothing, and
 * where no beat ever came on a client path neighbours alone tell.
 */
export function neighboursLost(state: State): boolean {
  const { neighbourSilenceMs, neighbourHeardMs } = state.link;
  if (neighbourSilenceMs === Infinity) return false;
  const known = clientPaths(state).filter((path) => path.silenceMs !== Infinity);
  if (known.length === 0) return neighbourSilenceMs > neighbourLateMs;
  if (known.some((path) => path.silenceMs <= 2 * path.intervalMs)) return false;
  const lastMs = Math.max(...known.map(({ heardMs }) => heardMs));
  return neighbourSilenceMs > 2 * state.settings.intervalMs && neighbourHeardMs >= lastMs - freshMs;
}

/**
 * The other node is heard, but not on the client side, and nobody else is heard there: one of the two has lost it. Which
 * one, a neighbour tells that hears the other; the address's own answer does not, since only one side can hear that.
 */
export function linkUnproven(state: State): boolean {
  const client = clientPaths(state);
  if (client.length === 0 || aliveOn(state, "client")) return false;
  if (state.link.neighbourSilenceMs <= neighbourLateMs) return false;
  return state.paths.some((path) => path.class !== "client" && pathAlive(state, path));
}

/** No proof that it is gone: neighbours that used to answer and do not, or no carrier. */
export function clientLinkWorks(state: State): boolean {
  if (!state.link.carrier) return false;
  return aliveOn(state, "client") || state.link.worriedForMs < neighbourGoneMs;
}

/** What this node says of itself: the one of two that can show its client side is the one to serve. */
export function saysClientLink(state: State): boolean {
  return clientLinkWorks(state) && state.link.unprovenForMs < unprovenAfterMs;
}

export const silentSide =
  "the other node is silent on the client side and so is every neighbour: this node's own link is suspected";

/** After each poll pass: since when it is said to be lost, and why, for people. */
export function noteClientLink(draft: Draft): void {
  const { state, atMs } = draft;
  const lost = !saysClientLink(state);
  if (lost && state.link.carrier) raiseAlarm(draft, "CLIENT_LINK_LOST", whyLost(state));
  if (lost === (state.link.lostSinceMs !== undefined)) return;
  state.link = { ...state.link, lostSinceMs: lost ? atMs : undefined, peerAsked: false };
  if (!lost) clearAlarm(draft, "CLIENT_LINK_LOST");
}

function whyLost(state: State): string {
  return clientLinkWorks(state)
    ? "the other node is there, but nobody is heard on the client side: nothing shows that clients reach this node"
    : silentSide;
}

/**
 * Whether what the other node says of its client side was said late enough to count. Both may have lost it in the same
 * moment, and then nothing is to move: it must have had the time to notice, and its beat the time to come.
 */
export function peerKnowsItsLink(state: State): boolean {
  const { lostSinceMs } = state.link;
  return lostSinceMs === undefined || state.peer.heardMs >= lostSinceMs + peerKnowsAfterMs(state);
}

/** How old what arrives on a path may be: half of there and back, or a beat's time where that is not known. */
function wayMs(state: State, path: PathView): number {
  if (path.roundTripMs !== undefined) return path.roundTripMs / 2;
  return isSlow(state, path) ? path.intervalMs : 0;
}

/** So long after this node the other one has noticed the same. */
export function linkNoticedAfterMs(state: State): number {
  return clientLinkWorks(state) ? bothUnprovenAfterMs : bothKnowAfterBeats * state.settings.intervalMs;
}

function peerKnowsAfterMs(state: State): number {
  const ways = state.paths
    .filter((path) => path.twoWay && pathAlive(state, path))
    .map((path) => wayMs(state, path));
  return linkNoticedAfterMs(state) + Math.min(...ways, Infinity);
}
