/**
 * What is known of each way to the other node: its own rhythm, when its silence begins to mean something, and which
 * directions of it work (rules R8, R9, G6). A slow medium is judged by its own interval, never by that of a fast one.
 */

import type { Beat } from "../heartbeat/beat.js";
import type { PathClass } from "../plugin/contract.js";
import type { PathSettings } from "./settings.js";
import { deadTimeMs } from "./silence.js";
import type { PathView, State } from "./state.js";

/** How many beats of its rhythm a slow path may miss, as 20 ms beats have several within any dead time. */
const slowBeatsMissed = 2.5;
/** Nobody's clock and loop keep a rhythm better than that. */
const latenessMs = 2;

/** `atMs`: since when it could have carried anything. */
export function newPathView(path: PathSettings, atMs: number): PathView {
  return {
    ...path,
    silenceMs: Infinity,
    heardMs: Number.NEGATIVE_INFINITY,
    sequence: 0,
    workedMs: atMs,
    twoWay: false,
    heardByPeer: undefined,
    latencyMs: undefined,
    nextBeatMs: atMs,
    answeredMs: Number.NEGATIVE_INFINITY,
    nextAskMs: atMs,
    roundTripMs: undefined,
  };
}

/** Its medium carries fewer beats than the profile sends. */
export function isSlow(state: State, path: PathSettings): boolean {
  return path.intervalMs > state.settings.intervalMs;
}

/** A beat of that rhythm that is not there by then is late. */
export function lateMs(intervalMs: number): number {
  return 1.5 * intervalMs + latenessMs;
}

/** After so long a silence the path counts as lost: on a fast one the dead time, on a slow one long enough for two beats. */
export function pathDeadMs(state: State, path: PathSettings): number {
  const deadMs = deadTimeMs(state);
  return isSlow(state, path) ? Math.max(deadMs, slowBeatsMissed * path.intervalMs + latenessMs) : deadMs;
}

export function pathAlive(state: State, path: PathView): boolean {
  return path.silenceMs < pathDeadMs(state, path);
}

export function aliveOn(state: State, pathClass: PathClass): boolean {
  return state.paths.some((path) => path.class === pathClass && pathAlive(state, path));
}

/**
 * Sequences count over all paths, and a living node goes on sending on those that are cut. So a beat of a slow path that
 * was sent later than the round of the last fast beat that was heard is further on by more than that round; one that is
 * not was under way when that one came, and shows nothing that was not known then.
 */
export function saidLater(state: State, sequence: number): boolean {
  // Where no fast beat of this life was heard there is none that it could have been overtaken by.
  const fast = state.paths
    .filter((path) => !isSlow(state, path) && path.sequence > 0)
    .map((path) => path.sequence);
  return sequence > Math.max(...fast, Number.NEGATIVE_INFINITY) + 2 * state.paths.length;
}

/** How old an echo may be that still proves the way there: what it answers waited for a beat of the other node. */
export function echoLimitMs(state: State, path: PathSettings): number {
  return Math.max(2 * state.settings.deadCeilingMs, 4 * path.intervalMs);
}

/** Heard within the rhythm of some path that works both ways: a hint no older than one late beat. */
export function heardJustNow(state: State): boolean {
  return state.paths.some(
    (path) => path.twoWay && path.silenceMs < Math.max(deadTimeMs(state), lateMs(path.intervalMs)),
  );
}

export type Direction =
  | "two-way"
  /** We hear the other node, it does not hear us. */
  | "from-peer"
  /** It says on another path that it hears us here; we do not hear it. */
  | "to-peer"
  | "silent";

export function directionOf(state: State, path: PathView): Direction {
  // What it said while it was heard says nothing once it is not.
  if (state.peer.dead || !state.paths.some((each) => pathAlive(state, each))) return "silent";
  if (pathAlive(state, path)) return path.twoWay ? "two-way" : "from-peer";
  return path.heardByPeer === true ? "to-peer" : "silent";
}

export function describeDirection(direction: Direction): string {
  switch (direction) {
    case "two-way":
      return "two-way";
    case "from-peer":
      return "one way: the other node is heard, but does not hear this one";
    case "to-peer":
      return "one way: the other node hears this one, but is not heard";
    case "silent":
      return "nothing heard";
  }
}

/** More paths than that are not told of; nobody has them. */
const mostToldOf = 15;

/** By the place of each path in the config, which is the same on both nodes: bit 0 for the first, set when it is heard. */
export function heardOn(state: State): number {
  return state.paths
    .slice(0, mostToldOf)
    .reduce((bits, path, index) => (pathAlive(state, path) ? bits | (1 << index) : bits), 0);
}

/** What the other node says of each path; nothing that could be told apart when its config differs. */
export function heardByPeer(state: State, beat: Beat): readonly PathView[] {
  const told = beat.configDigest === state.settings.configDigest ? beat.heardOn : undefined;
  return state.paths.map((path, index) => {
    const heard = told === undefined || index >= mostToldOf ? undefined : (told & (1 << index)) !== 0;
    return path.heardByPeer === heard ? path : { ...path, heardByPeer: heard };
  });
}
