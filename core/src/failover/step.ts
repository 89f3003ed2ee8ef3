/**
 * The decision core's one door: `step` takes what is known and what has happened, and returns what is known now and what
 * to do. It is synchronous and total, reads no clock and changes nothing outside, so that the daemon, the simulator and
 * `understudy replay` run the same code.
 */

import type { Action } from "./action.js";
import { announceAgain, heardSegment, keepAnnouncing } from "./announcements.js";
import { arbiterRuled, keepAsking } from "./arbiters.js";
import { grantPermit, keepRhythm, leaseEnded } from "./beats.js";
import { endBlocking, pluginBlocked } from "./blocking.js";
import { addressAcquired, addressNotAcquired, persistEpoch, promoteWhenReady } from "./claim.js";
import { noteClientLink } from "./client-side.js";
import type { Draft } from "./draft.js";
import { clearAlarm, endMomentaryAlarms, enterRole, momentMs, raiseAlarm, record } from "./draft.js";
import { elect, leaveJoining, retryPendingClaim, takeOnGoodbye } from "./election.js";
import type { Event, EventType } from "./event.js";
import { considerHandover } from "./failback.js";
import { fenceFinished } from "./fencing.js";
import { watchGrant } from "./grant.js";
import { beginHandover, boundHandover, frozen, leave, peerCanServe } from "./handover.js";
import { assertSound } from "./invariants.js";
import { heardAddress, heardCarrier, heardKernel, heardNeighbour } from "./link.js";
import { noteOwnScore } from "./mutual.js";
import { intentsPersisted, operatorAsked, settleOperator } from "./operator.js";
import { lateMs, newPathView } from "./paths.js";
import { beatReceived, serves } from "./peer.js";
import { endUnwanted } from "./permission.js";
import { addressReleased, goodbyeMs, releaseFailed, retryRelease, standDown } from "./release.js";
import { accrueSilence, forgetOldSilences } from "./silence.js";
import type { State } from "./state.js";
import { askUnanswered, beginSuspicion } from "./suspicion.js";
import { wakeAtMs } from "./wake.js";
import { peerRoleAnswered, probeRoutinely, watchPaths, watchPeer } from "./watch.js";

export interface Step {
  readonly state: State;
  /** To be performed in this order. */
  readonly actions: readonly Action[];
  /** Monotonic milliseconds at which the next `tick`, followed by a poll pass, is wanted at the latest. */
  readonly wakeAtMs: number;
}

const persistRetryMs = 1000;
/** A goodbye is on a fast wire some five times before the process may end. */
const goodbyeBeforeStopMs = 20;

/** Where only slow media are left, one beat of the fastest must have had its time. */
function goodbyeTakesMs(state: State): number {
  const fastest = Math.min(...state.paths.filter(({ twoWay }) => twoWay).map(({ intervalMs }) => intervalMs));
  if (!Number.isFinite(fastest) || fastest <= state.settings.intervalMs) return goodbyeBeforeStopMs;
  return Math.min(goodbyeMs, Math.max(goodbyeBeforeStopMs, lateMs(fastest)));
}

export function step(state: State, event: Event): Step {
  const draft: Draft = { atMs: event.atMs, state: { ...state }, actions: [] };
  handle(draft, event);
  if (draft.state.startedAtMs !== undefined) upkeep(draft);
  assertSound(state, draft.state);
  return { state: draft.state, actions: draft.actions, wakeAtMs: wakeAtMs(draft.state, event.atMs) };
}

type EventOf<T extends EventType> = Extract<Event, { type: T }>;

type Handlers = { readonly [T in EventType]: (draft: Draft, event: EventOf<T>) => void };

const handlers: Handlers = {
  started,
  // Only the upkeep below: a tick judges nothing (rule R10).
  tick: () => {},
  polled,
  beatReceived: (draft, event) => beatReceived(draft, event.path, event.beat, event.echoAgeMs),
  foreignBeatReceived: (draft, event) => foreignBeatReceived(draft, event.path),
  kernelAnswered: (draft, event) => heardKernel(draft, event.path, event.round),
  addressAnswered: (draft, event) => heardAddress(draft, event.from, event.mac),
  neighbourHeard: (draft) => heardNeighbour(draft),
  segmentAgreed: (draft, event) => heardSegment(draft, event.agreement, event.refreshMs, event.detail),
  carrierChanged: (draft, event) => heardCarrier(draft, event.up),
  addressRemoved: (draft, event) =>
    addressTampered(draft, `something else removed ${event.address} from this machine`),
  addressAdded: (draft, event) =>
    addressTampered(draft, `something else put ${event.address} on this machine`),
  leaseEnded: (draft, event) => leaseEnded(draft, event.detail),
  actionFinished,
  nodeReported,
  nodeLost,
  peerSaidGoodbye: (draft, event) => takeOnGoodbye(draft, event.epoch, { involuntary: true }),
  peerLinkChanged: (draft, event) => peerLinkChanged(draft, event.up),
  peerRoleAnswered: (draft, event) => peerRoleAnswered(draft, event.id, event.active, event.epoch),
  arbiterRuled,
  pluginBlocked: (draft, event) => pluginBlocked(draft, event.plugin, event.what, event.forMs),
  operatorAsked: (draft, event) => operatorAsked(draft, event.requestId, event.request),
  stopAsked,
  settingsChanged,
};

function handle(draft: Draft, event: Event): void {
  // The table pairs every type with its own event; the compiler cannot follow that through an index.
  const handler = handlers[event.type] as (draft: Draft, event: Event) => void;
  handler(draft, event);
}

/** What time alone brings, after every event: none of it judges silence. */
function upkeep(draft: Draft): void {
  noteOwnScore(draft);
  retryPersist(draft);
  retryRelease(draft);
  boundHandover(draft);
  leaveJoining(draft);
  retryPendingClaim(draft);
  keepAsking(draft);
  watchGrant(draft);
  keepRhythm(draft);
  keepAnnouncing(draft);
  settleOperator(draft);
  settleStop(draft);
  endMomentaryAlarms(draft);
  endBlocking(draft);
}

function started(draft: Draft, event: EventOf<"started">): void {
  const { state, atMs } = draft;
  if (state.startedAtMs !== undefined) return;
  state.startedAtMs = atMs;
  state.roleSinceMs = atMs;
  state.nonce = event.nonce;
  state.highestEpoch = Math.max(state.highestEpoch, event.epoch);
  state.persistedEpoch = event.epoch;
  state.intents = event.intents;
  state.nobodySinceMs = atMs;
  state.lastPolledMs = atMs;
  state.nextBeatMs = atMs;
  state.paths = state.settings.paths.map((path) => newPathView(path, atMs));
  record(draft, "start", `pulse started, highest epoch on disk ${event.epoch}`, ["R6", "R16"], {
    nonce: event.nonce,
  });
  if (event.intents.maintenance)
    enterRole(draft, "maintenance", "maintenance was on before the start", ["R26"]);
  else enterRole(draft, "joining", "just started: looking for the other node", ["R24"]);
}

/** The only event after which silence means something (rule R10). */
function polled(draft: Draft): void {
  const { state } = draft;
  if (state.startedAtMs === undefined) return;
  accrueSilence(draft);
  noteClientLink(draft);
  forgetOldSilences(draft);
  noticeHungNode(draft);
  noteOwnScore(draft);
  watchPeer(draft);
  watchPaths(draft);
  probeRoutinely(draft);
  elect(draft);
  considerHandover(draft);
  endUnwanted(draft);
}

function noticeHungNode(draft: Draft): void {
  const { state } = draft;
  if (!state.nodeUp || state.nodeSilenceMs < state.settings.hangLimitMs) return;
  raiseAlarm(draft, "NODE_HUNG", `the node process has not answered for ${state.settings.hangLimitMs} ms`);
}

function foreignBeatReceived(draft: Draft, path: string): void {
  const { state, atMs } = draft;
  state.foreignUntilMs = atMs + state.settings.foreignHoldMs;
  // The first path is named for as long as it lasts: with several the words would be other ones with every beat.
  const standing = state.alarms.find(({ code }) => code === "FOREIGN_BEATS");
  raiseAlarm(
    draft,
    "FOREIGN_BEATS",
    standing?.detail ??
      `beats of this cluster arrive on ${path} that our key does not verify: compare the key files`,
    state.settings.foreignHoldMs,
  );
}

function addressTampered(draft: Draft, what: string): void {
  record(draft, "address", what, ["R7"]);
  raiseAlarm(draft, "ADDRESS_TAMPERED", what, momentMs);
  announceAgain(draft);
}

function actionFinished(draft: Draft, event: EventOf<"actionFinished">): void {
  const { state } = draft;
  const { id, outcome } = event;
  const ok = outcome === "confirmed";
  const detail = event.detail || (ok ? "" : "no reason given");
  if (id === state.acquireId) {
    if (ok) addressAcquired(draft);
    else addressNotAcquired(draft, outcome, detail);
  } else if (id === state.release?.id) {
    if (ok) addressReleased(draft);
    else releaseFailed(draft, detail);
  } else if (id === state.persist?.id) {
    persisted(draft, ok, detail);
  } else if (id === state.operator?.persistId && state.operator.phase === "persisting") {
    intentsPersisted(draft, ok, detail);
  } else if (id === state.handover?.id) {
    if (state.handover.phase === "freezing") frozen(draft, outcome, detail);
    else if (state.handover.phase === "demoting") leave(draft);
  } else if (id === state.promoteId) {
    promoted(draft, ok, detail);
  } else if (id === state.fencing?.id) {
    fenceFinished(draft, outcome, detail);
  } else if (id === state.suspicion?.askId) {
    askUnanswered(draft);
  }
}

function persisted(draft: Draft, ok: boolean, detail: string): void {
  const { state, atMs } = draft;
  const { persist } = state;
  if (persist === undefined) return;
  state.persistFails = !ok;
  if (!ok) {
    record(draft, "epoch", `epoch ${persist.epoch} could not be written down: ${detail}`, ["R16"]);
    state.persist = { ...persist, id: undefined, retryAtMs: atMs + persistRetryMs };
    return;
  }
  state.persist = undefined;
  state.persistedEpoch = Math.max(state.persistedEpoch, persist.epoch);
  grantPermit(draft);
  promoteWhenReady(draft);
}

function retryPersist(draft: Draft): void {
  const { persist } = draft.state;
  if (persist !== undefined && draft.atMs >= persist.retryAtMs) persistEpoch(draft);
}

function promoted(draft: Draft, ok: boolean, detail: string): void {
  const { state } = draft;
  state.promoteId = undefined;
  const what = ok ? "the services serve" : `the services did not all start: ${detail || "no reason given"}`;
  record(draft, "services", what, ["R27"], { epoch: state.epoch });
}

function nodeReported(draft: Draft, event: EventOf<"nodeReported">): void {
  const { state } = draft;
  if (!state.nodeUp) record(draft, "node", "the node process is there", ["R27"]);
  state.nodeUp = true;
  state.nodeSilenceMs = 0;
  state.nodeHeardMs = draft.atMs;
  state.report = event.report;
  clearAlarm(draft, "NODE_HUNG");
  if (event.report.verified && state.servingStale) endStaleServing(draft);
  promoteWhenReady(draft);
}

/** The peers have met and merged, or the operator has forgotten the other one: answers need no mark any more (R24). */
function endStaleServing(draft: Draft): void {
  const { state } = draft;
  state.servingStale = false;
  state.promotedEpoch = 0;
  clearAlarm(draft, "SERVING_STALE");
}

function nodeLost(draft: Draft): void {
  const { state } = draft;
  if (!state.nodeUp) return;
  state.nodeUp = false;
  state.report = undefined;
  state.nodeSilenceMs = 0;
  state.promotedEpoch = 0;
  record(draft, "node", "the node process is gone", ["R27"]);
  considerHandover(draft);
}

function peerLinkChanged(draft: Draft, up: boolean): void {
  const { state } = draft;
  if (state.peer.linkUp === up) return;
  state.peer = { ...state.peer, linkUp: up };
  // A process that ends closes its connections: a hint to ask the kernel now, never a proof (rule R12).
  if (!up && state.role === "standby" && serves(state.peer.beat)) beginSuspicion(draft);
}

function stopAsked(draft: Draft): void {
  const { state } = draft;
  if (state.stopping) return;
  state.stopping = true;
  state.firstClaim = undefined;
  record(draft, "stop", "pulse was asked to end", ["R12"]);
  if (state.role === "active" && peerCanServe(state)) {
    if (state.handover === undefined) beginHandover(draft, "stop", "this node is asked to stop", ["R12"]);
  } else if (state.role === "active" || state.role === "claiming") {
    standDown(draft, "this node is asked to stop", ["R12"], "asked");
  }
}

function settleStop(draft: Draft): void {
  const { state, atMs } = draft;
  if (!state.stopping || state.role === "active" || state.role === "claiming" || state.role === "releasing")
    return;
  const { goodbye } = state;
  if (goodbye !== undefined && atMs < goodbye.untilMs - goodbyeMs + goodbyeTakesMs(state)) return;
  if (draft.actions.some((action) => action.type === "stopped")) return;
  draft.actions.push({ type: "stopped" });
}

function settingsChanged(draft: Draft, event: EventOf<"settingsChanged">): void {
  const { state } = draft;
  const { settings } = event;
  state.settings = settings;
  state.paths = settings.paths.map((path) => ({
    ...newPathView(path, draft.atMs),
    ...state.paths.find((view) => view.name === path.name),
    ...path,
  }));
  state.failback = { ...state.failback, eligibleSinceMs: undefined };
  record(draft, "config", `a changed config is in force, ${settings.configDigest}`, ["R28"]);
}
