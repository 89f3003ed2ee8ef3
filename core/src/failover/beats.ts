/**
 * What goes out with every beat: the beat itself, the lease of an active node and the permit that hangs on it. A lease
 * that has lapsed is never renewed: the node stalled and gives the address up (promise G7, rules R1 and R21).
 */

import type { BeatBody } from "./action.js";
import { asked, routineAsks } from "./asking.js";
import type { Draft } from "./draft.js";
import { momentMs, raiseAlarm, record } from "./draft.js";
import { ownHealth } from "./health.js";
import { heardOn, isSlow } from "./paths.js";
import { standDown } from "./release.js";
import type { PathView, State } from "./state.js";

export function beatBody(state: State): BeatBody {
  return {
    epoch: state.epoch || state.highestEpoch,
    role: state.role,
    health: ownHealth(state),
    // A node that is ending serves nobody: the other one must not hand the address back to it, not even when preferred.
    verified: !state.stopping && (state.report?.verified ?? false),
    inSync: state.report?.inSync ?? false,
    goodbye: state.goodbye !== undefined,
    unwell: state.goodbye?.unwell ?? false,
    preference: state.intents.preference,
    configDigest: state.settings.configDigest,
    asks: false,
    answers: false,
    heardOn: heardOn(state),
  };
}

/** A beat outside the rhythm, on every path whatever it carries: a claim, a goodbye, a new epoch. */
export function sendBeatNow(draft: Draft): void {
  const { state } = draft;
  sendOn(draft, state.paths, { asks: false });
}

/** The same where the other node must be told again and again: a slow path keeps to its own rhythm. */
export function sendBeatAgain(draft: Draft): void {
  const { state, atMs } = draft;
  const due = state.paths.filter((path) => !isSlow(state, path) || atMs >= path.nextBeatMs);
  sendOn(draft, due, { asks: false });
}

function sendOn(draft: Draft, paths: readonly PathView[], { asks }: { readonly asks: boolean }): void {
  if (paths.length === 0) return;
  const { state, atMs } = draft;
  draft.actions.push({
    type: "sendBeat",
    body: { ...beatBody(state), asks },
    paths: paths.map(({ name }) => name),
  });
  if (!paths.some((path) => isSlow(state, path))) return;
  state.paths = state.paths.map((path) => {
    if (!isSlow(state, path) || !paths.includes(path)) return path;
    const sent = { ...path, nextBeatMs: atMs + path.intervalMs };
    return asks ? asked(sent, atMs) : sent;
  });
}

export function holdsLease(state: State): boolean {
  return state.role === "active" && state.leaseRenewedMs !== undefined;
}

export function leaseLapsed(state: State, atMs: number): boolean {
  return state.leaseRenewedMs !== undefined && atMs - state.leaseRenewedMs >= state.settings.leaseMs;
}

function renewLease(draft: Draft): void {
  const { state, atMs } = draft;
  if (!holdsLease(state)) return;
  if (leaseLapsed(state, atMs)) {
    const stalledMs = Math.round(atMs - (state.leaseRenewedMs ?? atMs));
    record(
      draft,
      "stall",
      `this node stalled for ${stalledMs} ms and its lease of ${state.settings.leaseMs} ms ended`,
      ["G7", "R1"],
    );
    raiseAlarm(draft, "STALLED", `stalled for ${stalledMs} ms while active`, momentMs);
    standDown(draft, "it stalled for longer than its lease", ["G7"], "unwell");
    return;
  }
  state.leaseRenewedMs = atMs;
  draft.actions.push({ type: "renewLease" });
  grantPermit(draft);
}

/** Whoever ended it, an active node that may not answer serves nobody; it says so and lets the other one serve. */
export function leaseEnded(draft: Draft, detail: string): void {
  if (!holdsLease(draft.state)) return;
  standDown(draft, `its lease ended in the kernel: ${detail}`, ["R1", "R5"], "unwell");
}

/** Only for an epoch that is written down, with a node process to use it. */
export function grantPermit(draft: Draft): void {
  const { state } = draft;
  if (!holdsLease(state) || state.leaseRenewedMs === undefined) return;
  if (!state.nodeUp || state.persistedEpoch < state.epoch) return;
  draft.actions.push({
    type: "grantPermit",
    epoch: state.epoch,
    untilMs: state.leaseRenewedMs + state.settings.leaseMs,
  });
}

/** Sends what the rhythm is due; a late tick sends one beat, never the missed ones. */
export function keepRhythm(draft: Draft): void {
  keepFastRhythm(draft);
  keepSlowRhythms(draft);
}

/** No more often than its medium carries; some of these beats ask for an answer. */
function keepSlowRhythms(draft: Draft): void {
  const { state, atMs } = draft;
  const due = state.paths.filter((path) => isSlow(state, path) && atMs >= path.nextBeatMs);
  for (const asks of [false, true])
    sendOn(
      draft,
      due.filter((path) => routineAsks(state, path, atMs) === asks),
      { asks },
    );
}

function keepFastRhythm(draft: Draft): void {
  const { state, atMs } = draft;
  if (atMs < state.nextBeatMs) return;
  renewLease(draft);
  const fast = state.paths.filter((path) => !isSlow(state, path));
  sendOn(draft, fast, { asks: false });
  const next = state.nextBeatMs + state.settings.intervalMs;
  state.nextBeatMs = next > atMs ? next : atMs + state.settings.intervalMs;
  if (state.goodbye !== undefined) {
    // A lost goodbye costs the whole dead time, three more bytes on the wire cost nothing: repeat it quickly.
    state.nextBeatMs = Math.min(state.nextBeatMs, atMs + 2);
  }
  if (state.goodbye !== undefined && atMs >= state.goodbye.untilMs) state.goodbye = undefined;
}
