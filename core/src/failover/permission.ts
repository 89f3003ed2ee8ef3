/**
 * What a claim needs beside a reason: the arbiters' leave and, without the other node's word, a fence that has confirmed
 * (rules R30 to R32). What is waited for is said in status and, when it lasts, as an alarm.
 */

import { adviceLimitMs, arbiterObstacle, askArbiters, endArbitration, type Obstacle } from "./arbiters.js";
import type { Draft } from "./draft.js";
import { clearAlarm, raiseAlarm, record } from "./draft.js";
import { fenceObstacle, holdFire } from "./fencing.js";
import { goodbyeMs } from "./release.js";
import type { Claim, State } from "./state.js";

/** A grant that comes back after a planned release takes a moment: no alarm for that. */
const alarmAfterMs = 500;

/** Asks, fires and says what it waits for, until nothing is in the way. */
export function permitted(draft: Draft, claimed: Claim): boolean {
  const { state, atMs } = draft;
  const { arbiters, fences } = state.settings;
  if (arbiters.length === 0 && fences.length === 0) return true;
  askArbiters(draft);
  const against = arbiterObstacle(state, atMs);
  if (against !== undefined) {
    waitFor(draft, `${against.name} ${against.kind}`, against.why, against);
    return false;
  }
  const unsure = fenceObstacle(draft, claimed);
  if (unsure !== undefined) {
    waitFor(draft, unsure, unsure, undefined);
    return false;
  }
  endWait(draft);
  return true;
}

function waitFor(draft: Draft, subject: string, why: string, against: Obstacle | undefined): void {
  const { state, atMs } = draft;
  const { wait } = state;
  const sinceMs = wait?.sinceMs ?? atMs;
  state.wait = { subject, why, sinceMs, wantedMs: atMs };
  if (wait?.subject !== subject && subject !== `${against?.name} silent`)
    record(draft, "wait", `this node would take the address and waits: ${why}`, [against ? "R30" : "R32"]);
  if (against?.kind !== "denied") clearAlarm(draft, "ARBITER_DENIES");
  if (against?.kind !== "silent") clearAlarm(draft, "ARBITER_LOST");
  if (against === undefined || atMs - sinceMs < alarmAfterMs) return;
  const code = against.kind === "denied" ? "ARBITER_DENIES" : "ARBITER_LOST";
  // Once for each subject: the words of the moment change with every answer.
  const said = wait?.subject === subject && state.alarms.some((alarm) => alarm.code === code);
  if (!said) raiseAlarm(draft, code, `the address is not taken: ${why}`);
}

function endWait(draft: Draft): void {
  draft.state.wait = undefined;
  clearAlarm(draft, "ARBITER_DENIES");
  clearAlarm(draft, "ARBITER_LOST");
}

/** A claim on the other node's word, which is said once and may have to wait. */
export function keepClaim(draft: Draft, claimed: Claim): void {
  const { state, atMs } = draft;
  state.pendingClaim ??= { claim: claimed, sinceMs: atMs };
}

/** Its word holds while it is heard, and for as long as one who says goodbye leaves the address alone. */
export function pendingNow({ peer, pendingClaim }: State, atMs: number): Claim | undefined {
  if (pendingClaim === undefined) return undefined;
  const heardMs = Math.max(peer.heardMs, pendingClaim.sinceMs);
  return { ...pendingClaim.claim, word: pendingClaim.claim.word && atMs - heardMs < goodbyeMs };
}

/** Nothing and nobody wants the address now: questions end, a grant goes back, what was not fired is not. */
export function endUnwanted(draft: Draft): void {
  const { state, atMs } = draft;
  const { role, suspicion, firstClaim, pendingClaim, wait } = state;
  if (role === "active" || role === "claiming" || role === "releasing") return;
  const wanted = firstClaim !== undefined || pendingClaim !== undefined;
  if (wait !== undefined && wait.wantedMs < atMs && !wanted) endWait(draft);
  if (wanted || suspicion !== undefined) return;
  endArbitration(draft);
  holdFire(draft);
}

/** When time alone brings a claim that waits on: an adviser's time is over, a fence is due. */
export function permissionWakeMs({ wait, fencing }: State, atMs: number): number {
  if (wait === undefined) return Infinity;
  const adviceMs = wait.sinceMs + adviceLimitMs;
  const fenceMs = fencing === undefined || fencing.id !== undefined ? Infinity : fencing.dueMs;
  return Math.min(adviceMs >= atMs ? adviceMs : Infinity, fenceMs >= atMs ? fenceMs : Infinity);
}
