/**
 * From the first late beat to a verdict (rules R9 and R13): the peer's kernel and the HA address are asked every few
 * milliseconds, and what their silence proves is judged only after a poll pass that delivered nothing.
 */

import { askArbiters } from "./arbiters.js";
import { beginAsking, slowPathsSilent } from "./asking.js";
import { clientLinkWorks } from "./client-side.js";
import type { Draft } from "./draft.js";
import { nextId } from "./draft.js";
import { lateMs, pathAlive } from "./paths.js";
import { deadTimeMs } from "./silence.js";
import type { ProbeRound, State, Suspicion } from "./state.js";

/** Signs heard within this time before the suspicion count as "was answering". */
const freshMs = 3000;
const roundsKept = 8;
const waitsLongMs = 1000;
const seldomProbeMs = 25;

/** A late beat of the quickest path that is alive: where a slow one alone is left, its rhythm is no reason to suspect. */
export function suspectAfterMs(state: State): number {
  const alive = state.paths.filter((path) => pathAlive(state, path));
  const intervals = (alive.length > 0 ? alive : state.paths).map(({ intervalMs }) => intervalMs);
  return lateMs(Math.min(...intervals));
}

export function beginSuspicion(draft: Draft): void {
  const { state, atMs } = draft;
  if (state.suspicion !== undefined) return;
  state.suspicion = {
    sinceMs: atMs,
    round: 0,
    nextProbeMs: atMs,
    rounds: [],
    addressWasHeard: state.settings.canProbeAddress && state.link.addressSilenceMs < freshMs,
    neighbourWasHeard: state.link.neighbourSilenceMs < freshMs,
    linkWasLost: !clientLinkWorks(state),
    nextAskMs: atMs + state.settings.askAfterMs,
    askId: undefined,
    unansweredAsks: 0,
    asked: [],
  };
  state.suspicion = { ...state.suspicion, asked: beginAsking(draft) };
  // Rule R13: asked now, so that the answers are in when the dead time ends.
  askArbiters(draft);
  probe(draft);
}

export function probe(draft: Draft): void {
  const { state, atMs } = draft;
  const { suspicion } = state;
  if (suspicion === undefined || atMs < suspicion.nextProbeMs) return;
  const round = suspicion.round + 1;
  const rounds = [{ round, sentAtMs: atMs, kernelOn: [], address: false }, ...suspicion.rounds].slice(
    0,
    roundsKept,
  );
  // A verdict that waits for an arbiter or a fence may wait for minutes.
  const waitsLong = state.wait !== undefined && atMs - state.wait.sinceMs > waitsLongMs;
  const everyMs = waitsLong ? seldomProbeMs : state.settings.probeEveryMs;
  state.suspicion = { ...suspicion, round, rounds, nextProbeMs: atMs + everyMs };
  draft.actions.push({ type: "probe", round });
}

export function kernelAnswered(suspicion: Suspicion, path: string, round: number): Suspicion {
  return {
    ...suspicion,
    rounds: suspicion.rounds.map((entry) =>
      entry.round === round && !entry.kernelOn.includes(path)
        ? { ...entry, kernelOn: [...entry.kernelOn, path] }
        : entry,
    ),
  };
}

/** An answer for the address carries no round: it speaks for every round it may belong to. */
export function addressAnswered(suspicion: Suspicion, atMs: number): Suspicion {
  return {
    ...suspicion,
    rounds: suspicion.rounds.map((entry) =>
      atMs - entry.sentAtMs <= 20 ? { ...entry, address: true } : entry,
    ),
  };
}

export type Verdict =
  | { readonly kind: "alive" }
  /** Kernel and address silent for the dead time, own link proven. */
  | { readonly kind: "dead"; readonly proof: "neighbour" | "carrier" }
  /** The dead time is over but nobody else answers either: our own link is the likelier culprit. */
  | { readonly kind: "deaf" }
  /** The kernel lives and the address is silent: its lease has lapsed. */
  | { readonly kind: "lapsed" }
  | { readonly kind: "waiting" };

export function judge(state: State, atMs: number): Verdict {
  const { suspicion, peer } = state;
  if (suspicion === undefined) return { kind: "alive" };
  if (peer.lifeSilenceMs >= deadTimeMs(state) && slowPathsSilent(state, suspicion)) {
    if (!state.link.carrier || suspicion.linkWasLost) return { kind: "deaf" };
    if (!suspicion.neighbourWasHeard) return { kind: "dead", proof: "carrier" };
    const proven = state.link.neighbourSilenceMs < deadTimeMs(state);
    return proven ? { kind: "dead", proof: "neighbour" } : { kind: "deaf" };
  }
  // Whoever cannot hear the address cannot judge its silence, and could not serve it either.
  if (suspicion.linkWasLost) return { kind: "waiting" };
  return { kind: addressLapsed(state, suspicion, atMs) ? "lapsed" : "waiting" };
}

/** Rounds old enough to be judged that the peer's kernel answered, back to the last in which the address did too. */
function addressSilentIn(state: State, suspicion: Suspicion, atMs: number): readonly ProbeRound[] {
  const answered = suspicion.rounds.findIndex((round) => round.address);
  const since = answered === -1 ? suspicion.rounds : suspicion.rounds.slice(0, answered);
  const { probeEveryMs } = state.settings;
  return since.filter((round) => round.kernelOn.length > 0 && atMs - round.sentAtMs >= probeEveryMs);
}

const roundsThatProve = 2;
/** A peer that nobody can ask twice running, and whose address was never heard: waited for no longer. */
const asksThatProve = 2;

/**
 * Two rounds that the kernel answered and the address did not (rule R9). The address is on one of the client paths, so
 * its silence says most when the kernel answers on all of them. If it answers elsewhere only, the way to the address may
 * be what is broken: then beats must also have been missing for longer than any lease lasts, since a pulse that lives
 * sends them where its kernel answers; and a neighbour must have answered since, or it is our own link that is broken. An
 * address that was never heard proves nothing by its silence at all.
 */
function addressLapsed(state: State, suspicion: Suspicion, atMs: number): boolean {
  const silent = addressSilentIn(state, suspicion, atMs);
  if (silent.length < roundsThatProve) return false;
  if (!suspicion.addressWasHeard && suspicion.unansweredAsks < asksThatProve) return false;
  const client = state.paths.filter((path) => path.class === "client");
  const beside = silent.filter((round) => client.every(({ name }) => round.kernelOn.includes(name)));
  if (client.length > 0 && beside.length >= roundsThatProve) return true;
  const sinceMs = silent[roundsThatProve - 1]?.sentAtMs ?? atMs;
  if (suspicion.neighbourWasHeard && state.link.neighbourHeardMs < sinceMs) return false;
  return state.peer.silenceMs >= state.settings.leaseMs + suspectAfterMs(state);
}

/** After 2.5 s of beats that do not come while all else answers, the peer is asked over TLS. */
export function askWhenDue(draft: Draft): void {
  const { state, atMs } = draft;
  const { suspicion } = state;
  if (suspicion === undefined || atMs < suspicion.nextAskMs) return;
  const askId = nextId(draft);
  state.suspicion = { ...suspicion, askId, nextAskMs: atMs + state.settings.askAfterMs };
  draft.actions.push({ type: "askPeerRole", id: askId });
}

/** Nobody is there to answer: the node process is gone, hangs, or cannot be reached. */
export function askUnanswered(draft: Draft): void {
  const { state } = draft;
  const { suspicion } = state;
  if (suspicion === undefined) return;
  state.suspicion = { ...suspicion, askId: undefined, unansweredAsks: suspicion.unansweredAsks + 1 };
}
