/**
 * When the decision core wants to be called next at the latest: the soonest of everything that time alone brings.
 * Waking too early costs a little work, waking too late costs an outage.
 */

import { grantNeededAtMs, nextAskMs } from "./arbiters.js";
import { slowSilenceLeftMs } from "./asking.js";
import { isSlow } from "./paths.js";
import { holdsAddress } from "./peer.js";
import { permissionWakeMs } from "./permission.js";
import { deadTimeMs } from "./silence.js";
import type { State } from "./state.js";
import { suspectAfterMs } from "./suspicion.js";

/** A call is never asked for sooner than this, so that no loop can spin. */
const soonestMs = 0.5;

export function wakeAtMs(state: State, atMs: number): number {
  const wanted = [
    state.nextBeatMs,
    state.announce?.dueMs,
    state.handover?.deadlineMs,
    state.release?.id === undefined ? state.release?.retryAtMs : undefined,
    state.persist?.retryAtMs,
    state.firstClaim?.nextProbeMs,
    state.operator?.deadlineMs,
    state.suspicion?.nextProbeMs,
    nextAskMs(state),
    grantNeededAtMs(state, atMs),
    permissionWakeMs(state, atMs),
    ...(state.suspicion?.asked.map(({ nextAskMs }) => nextAskMs) ?? []),
    ...state.paths.filter((path) => isSlow(state, path)).map(({ nextBeatMs }) => nextBeatMs),
    ...predictedVerdicts(state, atMs),
  ];
  const soonest = wanted.reduce<number>((least, at) => Math.min(least, at ?? Infinity), Infinity);
  return Math.max(atMs + soonestMs, soonest);
}

/** If nothing is heard from now on: when the beats are late, when the dead time is over. */
function predictedVerdicts(state: State, atMs: number): readonly number[] {
  if (!holdsAddress(state.peer.beat) || state.peer.dead) return [];
  if (state.suspicion === undefined) return [atMs + suspectAfterMs(state) - state.peer.silenceMs];
  const leftMs = Math.max(
    deadTimeMs(state) - state.peer.lifeSilenceMs,
    slowSilenceLeftMs(state, state.suspicion),
  );
  // A verdict that is overdue waits for something else than time: the next round of probes is soon enough.
  return leftMs > 0 ? [atMs + leftMs] : [];
}
