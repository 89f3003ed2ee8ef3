/**
 * Plays one seed: events from a source into `step`, every step audited, and at the end time to settle. A run that fails
 * is shortened by leaving events out for as long as the same rule is broken.
 */

import type { Action, ActionType } from "../../src/failover/action.js";
import type { Event } from "../../src/failover/event.js";
import type { Settings } from "../../src/failover/settings.js";
import { initialState, type State } from "../../src/failover/state.js";
import { type Step, step } from "../../src/failover/step.js";
import { seeded } from "../seeded.js";
import { type Auditor, Violation } from "./audit.js";
import { auditAddress } from "./audit-address.js";
import { auditEpochs, auditIntents, auditShape, sealed } from "./audit-memory.js";
import { auditPermission } from "./audit-permission.js";
import { auditAlarms, auditOperators, auditRepeats, auditWords } from "./audit-words.js";
import { createSource, type Move } from "./moves.js";
import { makeWorld } from "./worlds.js";

export type StepFunction = (state: State, event: Event) => Step;

export interface Failure {
  readonly rule: string;
  readonly what: string;
  readonly settings: Settings;
  /** As they were told. */
  readonly events: readonly Event[];
}

interface Outcome {
  readonly failure: Failure | undefined;
  readonly steps: number;
  /** Roles that were reached. */
  readonly roles: ReadonlySet<string>;
}

/** The longest that an operator waits, and a little. */
const settleMs = 12_000;
const settleEveryMs = 50;
const settleEvents = 120;

interface Table {
  readonly state: State;
  readonly steps: number;
  readonly roles: Set<string>;
  tell(move: Move): readonly Action[];
  settle(): void;
  failure(error: unknown): Failure;
}

/** One core and those who watch it. */
function lay(settings: Settings, play: StepFunction): Table {
  const auditors: readonly Auditor[] = [
    auditAddress(),
    auditPermission(),
    auditEpochs(),
    auditIntents(),
    auditShape(),
    auditAlarms(),
    auditOperators(),
    auditWords(),
    auditRepeats(),
  ];
  const issued = new Map<ActionType, number[]>();
  const open = new Set<number>();
  const events: Event[] = [];
  const roles = new Set<string>();
  let state = sealed(initialState(settings));
  let wakeAtMs = 0;

  function idOf({ answers, event }: Move): Event {
    if (answers === undefined) return event;
    const id = issued.get(answers.type)?.at(-1 - answers.back);
    return id === undefined ? event : ({ ...event, id } as Event);
  }

  function tell(move: Move): readonly Action[] {
    const event = Object.freeze(idOf(move));
    events.push(event);
    const before = state;
    const out = play(before, event);
    sealed(out.state);
    sealed(out.actions);
    ({ state, wakeAtMs } = out);
    roles.add(state.role);
    if ("id" in event) open.delete(event.id);
    for (const action of out.actions) {
      if (!("id" in action)) continue;
      open.add(action.id);
      issued.set(action.type, [...(issued.get(action.type) ?? []).slice(-20), action.id]);
    }
    for (const auditor of auditors) auditor.stepped({ before, event, out });
    return out.actions;
  }

  /** Whatever was asked for is answered, and time goes by. */
  function settle(): void {
    if (state.startedAtMs === undefined) return;
    const asked = events.length;
    let atMs = events.at(-1)?.atMs ?? 0;
    const endMs = atMs + settleMs;
    const answerAll = () => {
      for (const id of open)
        tell({
          event: { type: "actionFinished", atMs, id, outcome: id % 3 === 0 ? "refused" : "confirmed" },
        });
    };
    while (atMs < endMs) {
      atMs = Math.max(wakeAtMs, atMs + settleEveryMs);
      tell({ event: { type: "tick", atMs } });
      tell({ event: { type: "polled", atMs } });
      answerAll();
      if (state.operator === undefined && events.length > asked + settleEvents) break;
    }
    for (let count = 0; count < 5; count += 1) answerAll();
    for (const auditor of auditors) auditor.settled?.(state);
  }

  return {
    get state() {
      return state;
    },
    get steps() {
      return events.length;
    },
    roles,
    tell,
    settle,
    failure(error) {
      if (error instanceof Violation) return { rule: error.rule, what: error.message, settings, events };
      const thrown = error as Error;
      return { rule: `throws ${thrown.message}`, what: String(thrown.stack), settings, events };
    },
  };
}

export function playSeed(seed: number, play: StepFunction = step): Outcome & { readonly moves: Move[] } {
  const random = seeded(seed);
  const world = makeWorld(random);
  const source = createSource(random, world);
  const table = lay(world.settings, play);
  const moves: Move[] = [];
  let failure: Failure | undefined;
  try {
    for (let burst = 0; burst < world.bursts; burst += 1) {
      for (const move of source.next(table.state)) {
        moves.push(move);
        source.saw(table.tell(move));
      }
    }
    table.settle();
  } catch (error) {
    failure = table.failure(error);
  }
  return { failure, steps: table.steps, roles: table.roles, moves };
}

function playMoves(settings: Settings, moves: readonly Move[], play: StepFunction): Failure | undefined {
  const table = lay(settings, play);
  try {
    for (const move of moves) table.tell(move);
    table.settle();
  } catch (error) {
    return table.failure(error);
  }
  return undefined;
}

/** Leaves out halves, quarters and at last single events for as long as the same rule is broken without them. */
export function shorten(failure: Failure, moves: readonly Move[], play: StepFunction = step): Failure {
  let shortest = failure;
  let kept = [...moves];
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = kept.length - size; from > -size; from -= size) {
      const fewer = [...kept.slice(0, Math.max(0, from)), ...kept.slice(from + size)];
      const again = playMoves(failure.settings, fewer, play);
      if (again?.rule !== failure.rule) continue;
      kept = fewer;
      shortest = again;
    }
  }
  return shortest;
}
