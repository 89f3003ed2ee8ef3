/**
 * When the segment is told where the address is (rule R7): eight times within the first second, then at an interval, and
 * anew on any evidence of overlap. A node that hears no neighbour any more announces nothing.
 */

import { clientLinkWorks } from "./client-side.js";
import type { Draft } from "./draft.js";

/** Milliseconds after the claim, from rule R7. */
export const announceOffsetsMs = [0, 5, 20, 50, 100, 250, 500, 1000] as const;
export const announceEveryMs = 10_000;
/** Overlaps within this time of the last restart do not restart the series again. */
const restartAtMostEveryMs = 250;

export function startAnnouncing(draft: Draft): void {
  draft.state.announce = { startedMs: draft.atMs, index: 0, dueMs: draft.atMs };
  keepAnnouncing(draft);
}

export function announceAgain(draft: Draft): void {
  const { announce, role } = draft.state;
  if (role !== "active") return;
  if (announce !== undefined && draft.atMs - announce.startedMs < restartAtMostEveryMs) return;
  startAnnouncing(draft);
}

export function keepAnnouncing(draft: Draft): void {
  const { state, atMs } = draft;
  const { announce } = state;
  if (announce === undefined || state.role !== "active" || atMs < announce.dueMs) return;
  if (clientLinkWorks(state)) draft.actions.push({ type: "announce" });
  let index = announce.index;
  while (index < announceOffsetsMs.length && announce.startedMs + (announceOffsetsMs[index] ?? 0) <= atMs)
    index += 1;
  const offset = announceOffsetsMs[index];
  const dueMs = offset === undefined ? atMs + announceEveryMs : announce.startedMs + offset;
  state.announce = { ...announce, index, dueMs };
}
