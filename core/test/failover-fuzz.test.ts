/**
 * The decision core under events of every kind in any order, late, doubled, contradictory and absurd: whatever it is told,
 * its rules hold after every step. `UNDERSTUDY_RUNS` plays more seeds, `UNDERSTUDY_SEED` begins with another one.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action, ActionType } from "../src/failover/action.js";
import { type Step, step } from "../src/failover/step.js";
import { type Failure, playSeed, type StepFunction, shorten } from "./step-fuzz/play.js";

const firstSeed = Number(process.env.UNDERSTUDY_SEED ?? 1);
const seeds = Number(process.env.UNDERSTUDY_RUNS ?? (process.env.UNDERSTUDY_LONG === "1" ? 20_000 : 120));

function told(seed: number, { what, settings, events }: Failure): string {
  const lines = events.slice(-40).map((event) => `  ${JSON.stringify(event)}`);
  return `seed ${seed} (UNDERSTUDY_SEED=${seed} UNDERSTUDY_RUNS=1): ${what}\n${JSON.stringify(settings)}\n${lines.join("\n")}`;
}

test(`${seeds} seeds of any events keep the rules`, () => {
  const roles = new Set<string>();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    const run = playSeed(seed);
    for (const role of run.roles) roles.add(role);
    if (run.failure !== undefined) assert.fail(told(seed, shorten(run.failure, run.moves)));
  }
  if (seeds >= 100) assert.equal(roles.size, 7, `only ${[...roles]} were reached`);
});

function without(type: ActionType): StepFunction {
  return (state, event) => changed(step(state, event), (action) => (action.type === type ? [] : [action]));
}

function changed(out: Step, change: (action: Action) => readonly Action[]): Step {
  return { ...out, actions: out.actions.flatMap(change) };
}

/** From outside, so that production code needs no switch. */
const brokenCores: readonly (readonly [rule: string, what: string, core: StepFunction])[] = [
  ["permit revoked (R21)", "keeps its permit when it gives the address up", without("revokePermit")],
  [
    "on disk first (R16)",
    "counts what the disk refused",
    (state, event) =>
      step(state, event.type === "actionFinished" ? { ...event, outcome: "confirmed" } : event),
  ],
  [
    "renew late (G7)",
    "renews a lease that has lapsed",
    (state, event) => {
      const { leaseRenewedMs } = state;
      return step({ ...state, leaseRenewedMs: leaseRenewedMs === undefined ? undefined : event.atMs }, event);
    },
  ],
  [
    "granted (R30)",
    "takes every ruling for a grant",
    (state, event) =>
      step(state, event.type === "arbiterRuled" ? { ...event, verdict: "granted", untilMs: 1e15 } : event),
  ],
  [
    "fenced (R32)",
    "needs no fence",
    (state, event) => {
      const out = step({ ...state, settings: { ...state.settings, fences: [] } }, event);
      return { ...out, state: { ...out.state, settings: state.settings } };
    },
  ],
  [
    "higher epoch wins (R16)",
    "takes the claim of the other node for an old one",
    (state, event) =>
      step(state, event.type === "beatReceived" ? { ...event, beat: { ...event.beat, epoch: 0 } } : event),
  ],
  ["alarms shown", "raises alarms that nobody is told of", without("raiseAlarm")],
  ["every answer (R26)", "leaves operators without an answer", without("answerOperator")],
  [
    "plain state",
    "keeps a number that is none",
    (state, event) => {
      const out = step(state, event);
      return { ...out, state: { ...out.state, nobodySinceMs: Number.NaN } };
    },
  ],
];

for (const [rule, what, core] of brokenCores) {
  test(`"${rule}" notices a core that ${what}`, () => {
    for (let seed = 1; seed <= 150; seed += 1) if (playSeed(seed, core).failure?.rule === rule) return;
    assert.fail("150 seeds, and nobody noticed");
  });
}
