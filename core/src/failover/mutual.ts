/**
 * What the other node knows of this one, of two that may both serve. Each decides by what it heard last, which on a slow
 * path is old: were that enough, one could claim as the preferred and the other as the healthier one in the same moment.
 * So each waits until the other one, still not serving, has answered a beat that says how this one is; then both go by
 * the same two scores (rules R15, R24, promise G1).
 */

import { askSlowPaths } from "./asking.js";
import type { Draft } from "./draft.js";
import { ownScore } from "./health.js";
import { pathAlive } from "./paths.js";
import { peerReachable } from "./peer.js";
import type { FirstClaim, State } from "./state.js";

/** A node whose health comes and goes is waited for no longer: somebody must serve, and the segment is asked as well. */
const longestWaitMs = 2000;

/** Since when this node says of its health what it says now. */
export function noteOwnScore(draft: Draft): void {
  const { state, atMs } = draft;
  const score = ownScore(state);
  if (score !== state.said.score) state.said = { score, sinceMs: atMs };
}

/** The other node must hear first how this one is. Slow paths do not wait for their rhythm with that: it is asked, once. */
export function waitsToBeHeard(draft: Draft, first: FirstClaim): boolean {
  const { state, atMs } = draft;
  if (!peerReachable(state) || isKnown(state) || atMs - first.startedMs >= longestWaitMs) return false;
  if (first.startedMs === atMs) askSlowPaths(draft);
  return true;
}

/** It echoed a beat that was sent since then. */
function isKnown(state: State): boolean {
  return state.paths.some(
    (path) =>
      path.twoWay &&
      pathAlive(state, path) &&
      path.latencyMs !== undefined &&
      path.heardMs - path.latencyMs >= state.said.sinceMs,
  );
}
