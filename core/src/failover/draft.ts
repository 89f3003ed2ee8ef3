/**
 * One step in the making: a copy of the state that may be written to, and the actions gathered so far. It never leaves
 * `step`, so nothing outside sees a change.
 */

import type { Role } from "../heartbeat/beat.js";
import type { Action, AlarmCode } from "./action.js";
import type { State } from "./state.js";

export interface Draft {
  readonly atMs: number;
  readonly state: { -readonly [K in keyof State]: State[K] };
  readonly actions: Action[];
}

export function nextId(draft: Draft): number {
  const id = draft.state.nextActionId;
  draft.state.nextActionId = id + 1;
  return id;
}

export function record(
  draft: Draft,
  kind: string,
  what: string,
  rules: readonly string[],
  details = {},
): void {
  draft.actions.push({ type: "record", kind, what, rules, details });
}

/** Changes the role and says why, once, in the timeline (G9). */
export function enterRole(draft: Draft, role: Role, why: string, rules: readonly string[]): void {
  const { state } = draft;
  if (state.role !== role) {
    record(draft, "role", `${state.role} -> ${role}: ${why}`, rules, {
      from: state.role,
      to: role,
      epoch: state.epoch || state.highestEpoch,
    });
    state.roleSinceMs = draft.atMs;
  }
  state.role = role;
  state.reason = why;
}

/** `forMs`: how long it stays after the last time, for what has no end of its own to wait for. */
export function raiseAlarm(draft: Draft, code: AlarmCode, detail: string, forMs = Infinity): void {
  const { state } = draft;
  const known = state.alarms.find((alarm) => alarm.code === code);
  const alarm = { code, detail, sinceMs: known?.sinceMs ?? draft.atMs, untilMs: draft.atMs + forMs };
  // In its place: what is raised with every tick while it lasts must not change places with another such one.
  if (known === undefined) state.alarms = [...state.alarms, alarm];
  else if (known.detail !== detail || known.untilMs !== alarm.untilMs)
    state.alarms = state.alarms.map((each) => (each === known ? alarm : each));
  if (known?.detail !== detail) draft.actions.push({ type: "raiseAlarm", code, detail });
}

/** Long enough to be seen, short enough not to be taken for the present; the timeline keeps it. */
export const momentMs = 10_000;

export function endMomentaryAlarms(draft: Draft): void {
  for (const { code, untilMs } of draft.state.alarms) if (draft.atMs >= untilMs) clearAlarm(draft, code);
}

export function clearAlarm(draft: Draft, code: AlarmCode): void {
  const { state } = draft;
  if (!state.alarms.some((alarm) => alarm.code === code)) return;
  state.alarms = state.alarms.filter((alarm) => alarm.code !== code);
  draft.actions.push({ type: "clearAlarm", code });
}
