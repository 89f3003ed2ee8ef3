/**
 * What people are told: every alarm is explained, raised and cleared in step with the state, every operator gets one
 * answer, and no sentence shows the inside of a variable. An answer that comes twice acts once.
 */

import { isDeepStrictEqual } from "node:util";
import { alarmErrors } from "../../src/errors/alarms.js";
import type { Action, AlarmCode } from "../../src/failover/action.js";
import { describe } from "../../src/failover/status.js";
import { step } from "../../src/failover/step.js";
import { type Auditor, hold, type Stepped } from "./audit.js";

export function auditAlarms(): Auditor {
  const raised = new Map<AlarmCode, string>();
  return {
    stepped({ out }) {
      for (const action of out.actions) {
        if (action.type === "raiseAlarm") {
          hold(action.code in alarmErrors, "alarm explained", action.code);
          raised.set(action.code, action.detail);
        } else if (action.type === "clearAlarm") {
          hold(raised.delete(action.code), "alarm cleared", `${action.code} was not raised`);
        }
      }
      const { alarms } = out.state;
      const same = alarms.every(({ code, detail }) => raised.get(code) === detail);
      hold(
        same && alarms.length === raised.size,
        "alarms shown",
        `${[...raised]}, not ${JSON.stringify(alarms)}`,
      );
    },
  };
}

export function auditOperators(): Auditor {
  const asked = new Map<string, number>();
  return {
    stepped({ event, out }) {
      if (event.type === "operatorAsked") asked.set(event.requestId, (asked.get(event.requestId) ?? 0) + 1);
      for (const action of out.actions) {
        if (action.type !== "answerOperator") continue;
        const left = asked.get(action.requestId) ?? 0;
        hold(left > 0, "one answer (R26)", `${action.requestId} was answered already, or never asked`);
        asked.set(action.requestId, left - 1);
      }
    },
    settled(state) {
      const waiting = [...asked].filter(([, left]) => left > 0).map(([requestId]) => requestId);
      hold(waiting.length === 0, "every answer (R26)", `${waiting.join(", ")} waits`);
      const { intents, role, startedAtMs } = state;
      const meant = startedAtMs === undefined || intents.maintenance === (role === "maintenance");
      hold(meant, "maintenance (R26)", `${role} with maintenance ${intents.maintenance ? "on" : "off"}`);
    },
  };
}

const inside = /\b(undefined|NaN|null|Infinity)\b|\[object|(^|[^\w.-])-\d/;
const unfinished = /[:,;(]\s*$/;

const readEvery = 10;

export function auditWords(): Auditor {
  let count = 0;
  return {
    stepped({ event, out }) {
      count += 1;
      const said = out.actions.filter(toPeople);
      for (const action of said) readable(action, action.type);
      if (said.length > 0 || count % readEvery === 0) readable(describe(out.state, event.atMs), "status");
    },
  };
}

function toPeople({ type }: Action): boolean {
  return type === "record" || type === "raiseAlarm" || type === "answerOperator";
}

function readable(value: unknown, place: string): void {
  if (typeof value === "string") {
    hold(!inside.test(value), "words", `${place}: ${value}`);
    hold(!unfinished.test(value), "words", `${place}: ${value}`);
  } else if (typeof value === "number") hold(!Number.isNaN(value), "words", `${place} is NaN`);
  else if (typeof value === "object" && value !== null)
    for (const [key, each] of Object.entries(value)) readable(each, `${place}.${key}`);
}

/** Of an answer with an id only the first counts: a second one does what a tick at the same time does. */
export function auditRepeats(): Auditor {
  return {
    stepped({ event, out }: Stepped) {
      if (event.type !== "actionFinished") return;
      const again = step(out.state, event);
      const tick = step(out.state, { type: "tick", atMs: event.atMs });
      const same =
        isDeepStrictEqual(again.actions, tick.actions) && isDeepStrictEqual(again.state, tick.state);
      hold(
        same,
        "answered once",
        `a second answer acts: ${again.actions.map(({ type }) => type).join(", ")}`,
      );
    },
  };
}
