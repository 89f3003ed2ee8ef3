/**
 * What the core keeps: epochs that only rise and are on disk before anything hangs on them, intents as the disk has them,
 * a state that is plain data of bounded size, which a recording brings back whole (rules R16, R26, promise G9).
 */

import type { Intents } from "../../src/failover/event.js";
import type { State } from "../../src/failover/state.js";
import { step } from "../../src/failover/step.js";
import { createActionText, decodeHeader, encodeHeader } from "../../src/pulse/recording.js";
import { type Auditor, hold, type Stepped, Violation } from "./audit.js";

export function auditEpochs(): Auditor {
  let said = 0;
  let lastId = 0;
  let onDisk = 0;
  const writing = new Map<number, number>();

  function hear({ event, before }: Stepped): void {
    if (event.type === "started" && before.startedAtMs === undefined) onDisk = Math.max(onDisk, event.epoch);
    if (event.type !== "actionFinished") return;
    if (event.outcome === "confirmed") onDisk = Math.max(onDisk, writing.get(event.id) ?? 0);
  }

  return {
    stepped(stepped) {
      hear(stepped);
      const { before, out } = stepped;
      const { state } = out;
      hold(state.highestEpoch >= before.highestEpoch, "epochs rise (R16)", `${state.highestEpoch}`);
      hold(
        state.persistedEpoch >= before.persistedEpoch,
        "epochs rise (R16)",
        `disk ${state.persistedEpoch}`,
      );
      const saidBefore = said;
      for (const action of out.actions) {
        if ("id" in action) {
          hold(action.id > lastId, "ids are new", `${action.type} has the id ${action.id} after ${lastId}`);
          lastId = action.id;
        }
        if (action.type === "persistEpoch") writing.set(action.id, action.epoch);
        if (action.type === "acquireAddress")
          hold(action.epoch > saidBefore, "claims rise (R16)", `${action.epoch} after ${saidBefore}`);
        if (action.type === "sendBeat") {
          hold(action.body.epoch >= said, "epochs said rise (R16)", `${action.body.epoch} after ${said}`);
          said = action.body.epoch;
        }
        if (action.type === "promote" || action.type === "grantPermit")
          hold(
            action.epoch <= onDisk,
            "on disk first (R16)",
            `${action.type} ${action.epoch}, disk ${onDisk}`,
          );
      }
    },
  };
}

/** What was asked to be written last, less what the disk refused of an operator's wish. */
export function auditIntents(): Auditor {
  let written: readonly { readonly id: number; readonly intents: Intents }[] = [];
  return {
    stepped({ event, before, out }) {
      const { state } = out;
      if (event.type === "started" && before.startedAtMs === undefined)
        written = [{ id: 0, intents: event.intents }];
      for (const action of out.actions)
        if (action.type === "persistIntents") written = [...written.slice(-8), action];
      const wait = before.operator;
      const decided = wait?.phase === "persisting" && state.operator?.persistId !== wait.persistId;
      const confirmed = event.type === "actionFinished" && event.outcome === "confirmed";
      if (decided && !(confirmed && event.id === wait.persistId))
        written = written.filter(({ id }) => id !== wait.persistId);
      if (state.operator?.phase === "persisting" || written.length === 0) return;
      const last = written.at(-1)?.intents;
      const known = JSON.stringify(last) === JSON.stringify(state.intents);
      hold(known, "intents on disk (R26)", `${JSON.stringify(last)}, not ${JSON.stringify(state.intents)}`);
    },
  };
}

const mostBytes = 24_000;
const mostInList = 64;
const mostText = 2000;
const replayEvery = 100;

export function auditShape(): Auditor {
  let count = 0;
  let slowestMs = 0;
  return {
    stepped(stepped) {
      const { event, out } = stepped;
      const early = event.atMs >= out.wakeAtMs || !Number.isFinite(out.wakeAtMs);
      hold(!early, "wake", `at ${event.atMs} the next call is wanted at ${out.wakeAtMs}`);
      // A changed rhythm begins with the next beat of the old one.
      slowestMs = Math.max(slowestMs, out.state.settings.intervalMs);
      const late = out.state.startedAtMs !== undefined && out.wakeAtMs > event.atMs + slowestMs;
      hold(!late, "wake", `only in ${out.wakeAtMs - event.atMs} ms, beats go out every ${slowestMs}`);
      count += 1;
      if (count % replayEvery === 0) replayed(stepped);
    },
  };
}

/**
 * Nothing that a recording would lose, no list or text that grows without end; and nothing in it can change any more. What
 * is frozen has been seen to the bottom.
 */
export function sealed<T extends object>(value: T): T {
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  const list = Array.isArray(value);
  const plain = list || Object.getPrototypeOf(value) === Object.prototype;
  hold(plain, "plain state", "something is no plain object");
  if (list && value.length > mostInList) throw new Violation("bounded state", `a list of ${value.length}`);
  for (const key of Object.keys(value)) {
    const each: unknown = value[key as keyof T];
    if (typeof each === "object" && each !== null) sealed(each);
    else if (typeof each === "string") hold(each.length <= mostText, "bounded state", each);
    else if (typeof each === "number") hold(!Number.isNaN(each), "plain state", `${key} is NaN`);
    else if (each !== null && each !== undefined && typeof each !== "boolean")
      throw new Violation("plain state", `${key} is ${String(each)}`);
  }
  return value;
}

function replayed({ before, event, out }: Stepped): void {
  const header = encodeHeader({ node: "n", software: "0", at: "", state: before });
  hold(header.length <= mostBytes, "bounded state", `${header.length} bytes`);
  const state = decodeHeader(header)?.state as State;
  const text = (actions: typeof out.actions) => createActionText()(actions);
  const again = step(state, event);
  hold(text(again.actions) === text(out.actions), "replay (G9)", "a recorded state acts otherwise");
}
