/**
 * A standby watches the node that serves (rules R9 to R15); every node watches whether the other is there at all.
 * Nothing here runs but after a poll pass that delivered no frame.
 */

import { askAgain } from "./asking.js";
import { claim, mayClaim } from "./claim.js";
import { silentSide } from "./client-side.js";
import type { Draft } from "./draft.js";
import { clearAlarm, raiseAlarm, record } from "./draft.js";
import { describeDirection, directionOf, pathAlive, pathDeadMs } from "./paths.js";
import { holdsAddress, peerReachable, releaseOverdue, serves } from "./peer.js";
import { keepClaim } from "./permission.js";
import { deadTimeMs } from "./silence.js";
import type { Claim, PathView, State } from "./state.js";
import { askWhenDue, beginSuspicion, judge, probe, suspectAfterMs } from "./suspicion.js";

/** An address that was seen lately makes a silent one mean something; neighbours likewise. */
const routineProbeMs = 1000;
const worriedProbeMs = 50;
const unprovenProbeMs = 250;

export function watchPeer(draft: Draft): void {
  const { state } = draft;
  if (state.peer.beat === undefined) return;
  if (state.peer.dead && state.report?.verified !== true) {
    // The verdict is out and this node may not act on it: the election decides, there is nothing more to ask (rule R24).
    state.suspicion = undefined;
    return;
  }
  // A claim under way needs no suspicion: however long the kernel takes, the verdict has been spoken.
  const watches = state.role !== "claiming" && state.role !== "active" && state.role !== "maintenance";
  if (!watches || !holdsAddress(state.peer.beat)) {
    noticeDeath(draft);
    return;
  }
  if (state.peer.silenceMs > suspectAfterMs(state) || releaseOverdue(state, draft.atMs))
    beginSuspicion(draft);
  if (state.suspicion === undefined) return;
  probe(draft);
  askAgain(draft);
  askWhenDue(draft);
  actOnVerdict(draft);
}

function actOnVerdict(draft: Draft): void {
  const { state, atMs } = draft;
  const verdict = judge(state, atMs);
  if (verdict.kind === "dead") {
    declareDead(draft, `nothing was heard of it for ${Math.round(state.peer.lifeSilenceMs)} ms`);
    if (!mayClaim(state, atMs) || !trusted(draft)) return;
    claim(draft, {
      why: `the active node is dead: beats, kernel and address silent for ${Math.round(state.peer.lifeSilenceMs)} ms, own link proven by ${verdict.proof}`,
      rules: ["R9", "R10", "R11", "R13"],
      involuntary: true,
      stale: false,
      word: false,
    });
  } else if (verdict.kind === "lapsed") {
    if (!mayClaim(state, atMs) || !trusted(draft) || atMs < state.reclaimNotBeforeMs) return;
    claim(draft, {
      why: "the active node's kernel answers but its address is silent: its lease has lapsed",
      rules: ["R9"],
      involuntary: true,
      stale: false,
      word: false,
    });
  } else if (verdict.kind === "deaf") {
    raiseAlarm(draft, "CLIENT_LINK_LOST", silentSide);
  }
}

/** A standby that never merged must wait alone first (rule R24): the election sees to that. */
function trusted(draft: Draft): boolean {
  const { state } = draft;
  if (state.report?.verified === true) return true;
  state.suspicion = undefined;
  state.peer = { ...state.peer, dead: true };
  return false;
}

function noticeDeath(draft: Draft): void {
  const { state } = draft;
  state.suspicion = undefined;
  if (state.peer.silenceMs >= deadTimeMs(state) && !state.paths.some((path) => pathAlive(state, path)))
    declareDead(draft, `silent for ${Math.round(state.peer.silenceMs)} ms`);
}

function declareDead(draft: Draft, detail: string): void {
  const { state } = draft;
  if (state.peer.dead) return;
  state.peer = { ...state.peer, dead: true };
  state.paths = state.paths.map((path) => ({ ...path, twoWay: false }));
  record(draft, "peer", `the other node is gone: ${detail}`, ["R9"]);
  raiseAlarm(draft, "PEER_DEAD", `the other node is gone: ${detail}`);
}

/** R9 over TLS: it serves, so something eats our beats; or it does not, so the address is free. */
export function peerRoleAnswered(draft: Draft, id: number, active: boolean, epoch: number): void {
  const { state, atMs } = draft;
  if (state.suspicion === undefined || state.suspicion.askId !== id) return;
  state.suspicion = { ...state.suspicion, askId: undefined };
  state.highestEpoch = Math.max(state.highestEpoch, epoch);
  if (active) {
    raiseAlarm(
      draft,
      "BEATS_EATEN",
      "the other node serves and answers over TLS, but its beats do not arrive: look for a filter",
    );
  } else if (mayClaim(state, atMs) && trusted(draft)) {
    const claimed: Claim = {
      why: "the other node says over TLS that it does not serve, and its beats do not arrive",
      rules: ["R9"],
      involuntary: true,
      stale: false,
      word: true,
    };
    if (!claim(draft, claimed)) keepClaim(draft, claimed);
  }
}

/** So long a new standby asks often: until it has heard the address, its silence would prove nothing (rule R9). */
const learnForMs = 2000;

function learnsAddress(state: State, atMs: number): boolean {
  const { settings, role, roleSinceMs, link } = state;
  return (
    settings.canProbeAddress &&
    role === "standby" &&
    atMs - roleSinceMs < learnForMs &&
    link.addressHeardMs < roleSinceMs
  );
}

/** Which of the two has lost the client side shows as soon as a neighbour answers one of them. */
function unhurriedMs(state: State): number {
  return state.link.unprovenForMs > 0 ? unprovenProbeMs : routineProbeMs;
}

/** Keeps proofs fresh: neighbours for the own link, the address for "it used to answer". */
export function probeRoutinely(draft: Draft): void {
  const { state, atMs } = draft;
  const soonMs =
    state.link.worriedForMs > 0 || learnsAddress(state, atMs) ? worriedProbeMs : unhurriedMs(state);
  if (atMs < state.link.lastProbeMs + soonMs) return;
  state.link = { ...state.link, lastProbeMs: atMs };
  if (state.role === "standby" && serves(state.peer.beat) && state.suspicion === undefined) {
    draft.actions.push({ type: "probe", round: 0 });
  } else {
    draft.actions.push({ type: "probeNeighbours" });
  }
}

/** A path that is one beat late is not degraded, nor is one over which the nodes are only just meeting: one that stays so is. */
export function watchPaths(draft: Draft): void {
  const { state, atMs } = draft;
  const apart = !peerReachable(state);
  state.paths = state.paths.map((path) =>
    apart || directionOf(state, path) === "two-way" ? { ...path, workedMs: atMs } : path,
  );
  const lost = state.paths.filter((path) => path.workedMs < atMs);
  if (lost.length === 0) {
    clearAlarm(draft, "PATH_DEGRADED");
    return;
  }
  const lasting = lost.filter((path) => atMs - path.workedMs > degradedAfterMs(state, path));
  if (lasting.length === 0) return;
  const names = lasting.map((path) => `${path.name} (${describeDirection(directionOf(state, path))})`);
  raiseAlarm(draft, "PATH_DEGRADED", `the other node is there, but not on every path: ${names.join(", ")}`);
}

/** As long as the longest dead time again, and for a slow path what one beat there and one back need. */
function degradedAfterMs(state: State, path: PathView): number {
  return Math.max(2 * state.settings.deadCeilingMs, pathDeadMs(state, path) + path.intervalMs);
}
