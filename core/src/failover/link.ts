/**
 * What is heard on the client side beside beats: the peer's kernel, whoever answers for the HA address, neighbours,
 * the carrier (rules R7, R9 and R15). Each is a fact about one side only, and is noted as such.
 */

import { announceAgain } from "./announcements.js";
import type { Draft } from "./draft.js";
import { clearAlarm, momentMs, raiseAlarm, record } from "./draft.js";
import { standDown } from "./release.js";
import { deadTimeMs, endJointSilence } from "./silence.js";
import { addressAnswered, kernelAnswered } from "./suspicion.js";

export function heardKernel(draft: Draft, path: string, round: number): void {
  const { state } = draft;
  endJointSilence(draft);
  if (state.suspicion !== undefined) state.suspicion = kernelAnswered(state.suspicion, path, round);
}

export function heardAddress(draft: Draft, from: "peer" | "stranger" | "unknown", mac: string): void {
  const { state, atMs } = draft;
  if (from === "stranger") {
    heardStranger(draft, mac);
    return;
  }
  state.link = { ...state.link, addressSilenceMs: 0, addressHeardMs: atMs };
  endJointSilence(draft);
  if (state.suspicion !== undefined) state.suspicion = addressAnswered(state.suspicion, atMs);
  // We hold the address and the other node answers for it too: tell the segment again.
  announceAgain(draft);
}

function heardStranger(draft: Draft, mac: string): void {
  const { state, atMs } = draft;
  const known = state.link.stranger;
  if (known === undefined || known.mac !== mac) {
    record(draft, "conflict", `a third machine, ${mac}, answers for the HA address`, ["R15"]);
  }
  state.link = { ...state.link, stranger: { mac, atMs } };
  if (state.role !== "active") return;
  const what = `a third machine, ${mac}, answers for the HA address that we hold`;
  raiseAlarm(draft, "ADDRESS_CONFLICT", what, momentMs);
  announceAgain(draft);
}

export function heardNeighbour(draft: Draft): void {
  const { state, atMs } = draft;
  const deadMs = deadTimeMs(state);
  const wasLost = state.suspicion?.linkWasLost === true || state.link.neighbourSilenceMs >= deadMs;
  const wasDeaf = wasLost && state.peer.lifeSilenceMs >= deadMs;
  if (state.suspicion !== undefined && wasDeaf) hearAnew(draft);
  state.link = {
    ...state.link,
    neighbourSilenceMs: 0,
    neighbourHeardMs: atMs,
    worriedForMs: 0,
    unprovenForMs: 0,
  };
  // What was still queued when the carrier went proves nothing.
  if (state.link.carrier) clearAlarm(draft, "CLIENT_LINK_LOST");
}

/** What was silent while our own link was down proves nothing: it gets the whole dead time again (rule R9, promise G7). */
function hearAnew(draft: Draft): void {
  const { state, atMs } = draft;
  state.suspicion = undefined;
  state.peer = { ...state.peer, lifeSilenceMs: 0, lifeHeardMs: atMs, fastSilenceMs: 0 };
}

export function heardCarrier(draft: Draft, up: boolean): void {
  const { state } = draft;
  if (state.link.carrier === up) return;
  // A carrier that is back gets its time to show who is there.
  state.link = { ...state.link, carrier: up, worriedForMs: 0, unprovenForMs: 0 };
  record(draft, "carrier", up ? "the carrier is back" : "the carrier is lost", ["R5"]);
  if (up) {
    hearAnew(draft);
    clearAlarm(draft, "CLIENT_LINK_LOST");
    announceAgain(draft);
    return;
  }
  raiseAlarm(draft, "CLIENT_LINK_LOST", "the interface of the HA address has no carrier");
  // An egress refresh still fires without carrier, so the kernel would go on answering when it returns (rule R5). A lease
  // once dropped does not revive (rule R1): whoever serves then must take the address anew.
  if (state.role === "active" || state.role === "claiming")
    standDown(draft, "the carrier of the client side is lost", ["R5", "R27"], "unwell");
}
