/**
 * From the first late beat to a verdict (rules R9 and R13): the peer's kernel and the HA address are asked every few
 * milliseconds, and what their silence proves is judged only after a poll pass that delivered nothing.
 */

import type { Draft } from "./draft.js";
import { nextId } from "./draft.js";
import { deadTimeMs } from "./silence.js";
import type { State, Suspicion } from "./state.js";

/** Signs heard within this time before the suspicion count as "was answering". */
const freshMs = 3000;
const roundsKept = 8;

export function suspectAfterMs(state: State): number {
  return 1.5 * state.settings.intervalMs + 2;
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
    neighbourHeard: false,
    nextAskMs: atMs + state.settings.askAfterMs,
    askId: undefined,
  };
  probe(draft);
}

export function probe(draft: Draft): void {
  const { state, atMs } = draft;
  const { suspicion } = state;
  if (suspicion === undefined || atMs < suspicion.nextProbeMs) return;
  const round = suspicion.round + 1;
  const rounds = [{ round, sentAtMs: atMs, kernel: false, address: false }, ...suspicion.rounds].slice(
    0,
    roundsKept,
  );
  state.suspicion = { ...suspicion, round, rounds, nextProbeMs: atMs + state.settings.probeEveryMs };
  draft.actions.push({ type: "probe", round });
}

export function kernelAnswered(suspicion: Suspicion, round: number): Suspicion {
  return {
    ...suspicion,
    rounds: suspicion.rounds.map((entry) => (entry.round === round ? { ...entry, kernel: true } : entry)),
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
  if (peer.lifeSilenceMs >= deadTimeMs(state)) {
    if (!state.link.carrier) return { kind: "deaf" };
    if (!suspicion.neighbourWasHeard) return { kind: "dead", proof: "carrier" };
    return suspicion.neighbourHeard ? { kind: "dead", proof: "neighbour" } : { kind: "deaf" };
  }
  if (suspicion.addressWasHeard && addressLapsed(suspicion, state.settings.probeEveryMs, atMs)) {
    return { kind: "lapsed" };
  }
  return { kind: "waiting" };
}

/** Two rounds that the kernel answered and the address did not, and none since in which the address did. */
function addressLapsed(suspicion: Suspicion, probeEveryMs: number, atMs: number): boolean {
  let silent = 0;
  for (const round of suspicion.rounds) {
    if (round.address) return false;
    if (round.kernel && atMs - round.sentAtMs >= probeEveryMs) silent += 1;
    if (silent === 2) return true;
  }
  return false;
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
