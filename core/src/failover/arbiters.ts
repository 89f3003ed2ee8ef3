/**
 * What the arbiters are asked and what they said (rules R13, R30, R31). Asking begins at suspicion, so that the answers
 * are in when the dead time ends; a grant that is not used is given back.
 */

import type { Draft } from "./draft.js";
import { nextEpoch } from "./epochs.js";
import type { Event } from "./event.js";
import type { Settings } from "./settings.js";
import type { ArbiterView, Arbitration, State } from "./state.js";

/** Rule R30: asked again this often while an answer matters. */
const askEveryMs = 250;
/** A suspicion that lasts is asked about less often until a verdict is out. */
const askSeldomMs = 1000;
const oftenForMs = 2000;
/** After a goodbye the grant is on its way back to the granter: a planned move need not wait for the usual round. */
const askQuicklyMs = 20;
const quicklyForMs = 300;
/** Rule R31: an advisory arbiter that has not answered holds a claim up for so long, and no longer. */
export const adviceLimitMs = 20;
/** A grant is prolonged once this share of it has passed. */
const renewAfter = 1 / 3;

/** Clocks of node and granter may drift apart by 500 parts in a million, the most that NTP slews: 30 ms in a minute's grant. */
const driftMarginMs = 50;
/** What pulse gives the kernel to take an address: a lease may begin so late (see pulse/address-chain.ts). */
const takeLimitMs = 1000;

export function isExclusive(settings: Settings): boolean {
  return settings.arbiters.some(({ exclusive }) => exclusive);
}

/** The epoch a claim would have now, and the one to ask about; of an active node its own, or a raised one. */
export function wantedEpoch(state: State): number {
  const { settings, role, epoch, highestEpoch, arbiterEpoch } = state;
  const serving = role === "active" || role === "claiming";
  if (serving && arbiterEpoch <= epoch) return epoch;
  return nextEpoch(settings.self, Math.max(highestEpoch, arbiterEpoch));
}

/** Until when every exclusive arbiter lets this node serve; Infinity with none, -Infinity when one never granted. */
export function grantEndMs(state: State): number {
  const views = state.arbitration?.views;
  if (views === undefined) return isExclusive(state.settings) ? Number.NEGATIVE_INFINITY : Infinity;
  return views.reduce((end, view) => (view.exclusive ? Math.min(end, view.untilMs) : end), Infinity);
}

/**
 * Whether the kernel lease may be prolonged now. A refresh that this process was kept from sending still counts when it
 * reaches the kernel before the lease before it ends, so the kernel may answer for two leases from now.
 */
export function grantCoversLease(state: State, atMs: number): boolean {
  return atMs + 2 * state.settings.leaseMs + driftMarginMs <= grantEndMs(state);
}

/** Whether the address may be taken: the kernel has its time for that, and then a whole lease. */
export function grantCoversClaim(state: State, atMs: number): boolean {
  return atMs + takeLimitMs + state.settings.leaseMs + driftMarginMs <= grantEndMs(state);
}

/** When a node that serves must have been granted more time; Infinity when that is past, and said. */
export function grantNeededAtMs(state: State, atMs: number): number {
  if (state.role !== "active" && state.role !== "claiming") return Infinity;
  const neededMs = grantEndMs(state) - 2 * state.settings.leaseMs - driftMarginMs;
  return neededMs >= atMs ? neededMs : Infinity;
}

// ------------------------------------------------------------------------------------------------------- asking

/** Begins to ask; without arbiters nothing happens. */
export function askArbiters(draft: Draft): void {
  const { state, atMs } = draft;
  const { arbiters } = state.settings;
  if (arbiters.length === 0) return;
  state.arbitration ??= {
    epoch: wantedEpoch(state),
    sinceMs: atMs,
    views: arbiters.map((arbiter) => unasked(arbiter, atMs)),
  };
  keepAsking(draft);
}

function unasked({ name, exclusive }: Settings["arbiters"][number], atMs: number): ArbiterView {
  return {
    name,
    exclusive,
    dueMs: atMs,
    verdict: undefined,
    why: "it has not answered yet",
    epoch: 0,
    grantedMs: Number.NEGATIVE_INFINITY,
    untilMs: Number.NEGATIVE_INFINITY,
  };
}

/** A node that serves has the advice behind it; the exclusive ones prolong what they granted. */
function concerns({ role }: State, view: ArbiterView): boolean {
  if (role === "releasing") return false;
  return view.exclusive || (role !== "active" && role !== "claiming");
}

/** When the next question is due; Infinity while nobody is to be asked. */
export function nextAskMs(state: State): number {
  const due = state.arbitration?.views.filter((view) => concerns(state, view)) ?? [];
  return due.reduce((soonest, { dueMs }) => Math.min(soonest, dueMs), Infinity);
}

export function keepAsking(draft: Draft): void {
  const { state, atMs } = draft;
  askAboutWanted(draft);
  const { arbitration } = state;
  if (arbitration === undefined || atMs < nextAskMs(state)) return;
  const asked = arbitration.views.filter((view) => concerns(state, view) && view.dueMs <= atMs);
  const dueMs = atMs + askIntervalMs(state, arbitration, atMs);
  state.arbitration = {
    ...arbitration,
    views: arbitration.views.map((view) => (asked.includes(view) ? { ...view, dueMs } : view)),
  };
  const names = asked.map(({ name }) => name);
  draft.actions.push({ type: "askArbiters", epoch: arbitration.epoch, names });
}

/** The epoch has risen, here or at the granter: what was said about the one before does not hold for it. */
function askAboutWanted({ state, atMs }: Draft): void {
  const { arbitration } = state;
  if (arbitration === undefined || state.role === "releasing") return;
  const epoch = wantedEpoch(state);
  if (epoch === arbitration.epoch) return;
  const views = arbitration.views.map((view) => ({ ...view, dueMs: atMs }));
  state.arbitration = { ...arbitration, epoch, views };
}

function askIntervalMs(state: State, { sinceMs }: Arbitration, atMs: number): number {
  const { pendingClaim, wait } = state;
  if (pendingClaim !== undefined && atMs - pendingClaim.sinceMs < quicklyForMs) return askQuicklyMs;
  const serving = state.role === "active" || state.role === "claiming";
  const often = serving || pendingClaim !== undefined || wait !== undefined || atMs - sinceMs < oftenForMs;
  return often ? askEveryMs : askSeldomMs;
}

/** Nobody wants to claim any more, or the kernel has confirmed that the address is gone: the grant goes back. */
export function endArbitration(draft: Draft): void {
  const { state } = draft;
  const { arbitration } = state;
  if (arbitration === undefined) return;
  state.arbitration = undefined;
  if (isExclusive(state.settings)) draft.actions.push({ type: "releaseGrant", epoch: arbitration.epoch });
}

// ------------------------------------------------------------------------------------------------------ answers

type Ruled = Extract<Event, { type: "arbiterRuled" }>;

export function arbiterRuled(draft: Draft, ruled: Ruled): void {
  const { state, atMs } = draft;
  if (state.arbitration === undefined) {
    // It comes too late to be wanted: nobody shall wait for the end of it.
    if (ruled.verdict === "granted" && isExclusive(state.settings))
      draft.actions.push({ type: "releaseGrant", epoch: ruled.epoch });
    return;
  }
  const view = state.arbitration.views.find(({ name }) => name === ruled.name);
  if (view === undefined) return;
  state.arbiterEpoch = Math.max(state.arbiterEpoch, ruled.seenEpoch ?? 0);
  const changed = changedView(view, ruled, atMs);
  const { views } = state.arbitration;
  state.arbitration = {
    ...state.arbitration,
    views: views.map((each) => (each === view ? changed : each)),
  };
}

function changedView(view: ArbiterView, ruled: Ruled, atMs: number): ArbiterView {
  const { verdict, why, epoch } = ruled;
  const said = { ...view, verdict, why, epoch };
  if (!view.exclusive || verdict !== "granted") return said;
  const untilMs = ruled.untilMs ?? Number.NEGATIVE_INFINITY;
  if (untilMs <= atMs)
    return { ...said, verdict: "unknown", why: "its grant had ended before it arrived here" };
  // A grant runs to its end also when a later question is refused: nobody else has it before (rule R30).
  const dueMs = Math.max(atMs + (untilMs - atMs) * renewAfter, atMs + askQuicklyMs);
  return { ...said, dueMs, grantedMs: atMs, untilMs: Math.max(untilMs, view.untilMs) };
}

/** What holds a claim up, or undefined. `kind` tells a refusal from a silence. */
export interface Obstacle {
  readonly kind: "denied" | "silent";
  readonly name: string;
  readonly why: string;
}

export function arbiterObstacle(state: State, atMs: number): Obstacle | undefined {
  const { arbitration } = state;
  if (arbitration === undefined) return undefined;
  for (const view of arbitration.views) {
    const obstacle = view.exclusive ? exclusiveObstacle(state, view, atMs) : adviceAgainst(state, view, atMs);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}

function exclusiveObstacle(state: State, view: ArbiterView, atMs: number): Obstacle | undefined {
  const { name, verdict, why, epoch } = view;
  if (verdict === "granted" && epoch === state.arbitration?.epoch && grantCoversClaim(state, atMs))
    return undefined;
  if (verdict === "denied") return { kind: "denied", name, why: `${name} denies it: ${why}` };
  return { kind: "silent", name, why: `${name} has not granted it: ${why}` };
}

function adviceAgainst({ wait }: State, view: ArbiterView, atMs: number): Obstacle | undefined {
  const { name, verdict, why } = view;
  if (verdict === "denied") return { kind: "denied", name, why: `${name} denies it: ${why}` };
  // From when the claim is wanted: its question has been under way since the suspicion.
  if (verdict !== undefined || atMs - (wait?.sinceMs ?? atMs) >= adviceLimitMs) return undefined;
  return { kind: "silent", name, why: `${name} is asked first` };
}
