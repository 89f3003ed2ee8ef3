/**
 * When the segment is told where the address is (rule R7): eight times within the first second, then every second until
 * it agrees, then at an interval, and anew on any evidence of overlap. A node that hears no neighbour any more announces
 * nothing.
 */

import type { SegmentAgreement } from "../plugin/contract.js";
import { clientLinkWorks } from "./client-side.js";
import type { Draft } from "./draft.js";
import { record } from "./draft.js";

/** Milliseconds after the claim, from rule R7. */
export const announceOffsetsMs = [0, 5, 20, 50, 100, 250, 500, 1000] as const;
/** Where nobody is heard who could agree. */
export const announceEveryMs = 10_000;
/** While somebody is heard who does not agree: a switch or a neighbour may have missed all that was said so far. */
export const disagreedEveryMs = 1000;
/** Overlaps within this time of the last restart do not restart the series again. */
const restartAtMostEveryMs = 250;

export interface Announcing {
  readonly startedMs: number;
  /** The next of the offsets. */
  readonly index: number;
  readonly dueMs: number;
  /** Absent until the segment was heard. */
  readonly agreement?: SegmentAgreement;
  readonly refreshMs?: number;
}

export function startAnnouncing(draft: Draft): void {
  draft.state.announce = { ...draft.state.announce, startedMs: draft.atMs, index: 0, dueMs: draft.atMs };
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
  const dueMs = offset === undefined ? atMs + intervalMs(announce) : announce.startedMs + offset;
  state.announce = { ...announce, index, dueMs };
}

/** After the series. */
function intervalMs({ agreement, refreshMs }: Announcing): number {
  if (agreement === "disagreed") return disagreedEveryMs;
  return agreement === "agreed" ? Math.max(refreshMs ?? announceEveryMs, disagreedEveryMs) : announceEveryMs;
}

/** The series goes on whatever the segment says: it is over in a second. */
export function heardSegment(
  draft: Draft,
  agreement: SegmentAgreement,
  refreshMs: number,
  detail: string,
): void {
  const { state } = draft;
  const { announce } = state;
  if (announce === undefined || state.role !== "active") return;
  // It comes from a plugin: one without an end or that is no number would be waited for for ever, or never.
  const believedMs = Number.isFinite(refreshMs) ? refreshMs : announceEveryMs;
  const told = { ...announce, agreement, refreshMs: believedMs };
  const lastMs = announce.dueMs - intervalMs(announce);
  const inSeries = announce.index < announceOffsetsMs.length;
  state.announce = inSeries ? told : { ...told, dueMs: lastMs + intervalMs(told) };
  if (agreement === announce.agreement) return;
  if (agreement === "agreed")
    record(draft, "segment", `the segment finds the address here: ${detail}`, ["R7"]);
  else if (agreement === "disagreed" && announce.agreement === "agreed")
    record(draft, "segment", `the segment does not find the address here any more: ${detail}`, ["R7"]);
}
