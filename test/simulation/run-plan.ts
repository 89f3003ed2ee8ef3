/**
 * One plan, one world, every checker: the whole of a simulated run and what came of it. The same plan always ends the
 * same way.
 */

import type { Side } from "@understudy/core/public";
import { heal, scheduleFaults } from "./faults.js";
import { checkLiveness } from "./liveness.js";
import type { Mutation } from "./machine.js";
import { describeFault, type Plan } from "./plan.js";
import { attachSafety } from "./safety.js";
import { Violation } from "./violation.js";
import { makeWorld, type TraceLine } from "./world.js";

export interface Outcome {
  readonly plan: Plan;
  readonly violation: { readonly checker: string; readonly what: string; readonly atMs: number } | undefined;
  readonly trace: readonly TraceLine[];
  readonly simulatedMs: number;
}

export function runPlan(plan: Plan, mutations: Partial<Record<Side, Mutation>> = {}): Outcome {
  const world = makeWorld({
    seed: plan.seed,
    paths: plan.paths,
    settings: plan.settings,
    clocks: plan.clocks,
    mutations,
    sessions: true,
    ...(plan.grantMs === undefined ? {} : { grantMs: plan.grantMs }),
  });
  attachSafety(world);
  scheduleFaults(world, plan, (fault, phase) => world.say(`${phase}: ${describeFault(fault)}`));
  const end = (violation: Outcome["violation"]): Outcome => ({
    plan,
    violation,
    trace: world.trace,
    simulatedMs: world.schedule.nowMs,
  });
  const giveBack = forbidWallClock();
  try {
    world.run(plan.healMs);
    world.say("everything works again");
    heal(world);
    checkLiveness(world);
    return end(undefined);
  } catch (error) {
    const atMs = world.schedule.nowMs;
    if (error instanceof Violation) return end({ checker: error.checker, what: error.message, atMs });
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return end({ checker: "no throw", what, atMs });
  } finally {
    giveBack();
  }
}

/** Clock jumps and chance cannot matter to code that never asks for either: here asking is an error. */
function forbidWallClock(): () => void {
  const { now } = Date;
  const { random } = Math;
  Date.now = () => {
    throw new Violation("wall clock", "something read the wall clock");
  };
  Math.random = () => {
    throw new Violation("wall clock", "something asked for unseeded chance");
  };
  return () => {
    Date.now = now;
    Math.random = random;
  };
}

/** Leaves out every fault without which the same checker still fails. */
export function shrinkPlan(plan: Plan, mutations: Partial<Record<Side, Mutation>> = {}): Plan {
  const checker = runPlan(plan, mutations).violation?.checker;
  if (checker === undefined) return plan;
  let smallest = plan;
  for (let progress = true; progress; ) {
    progress = false;
    for (const fault of smallest.faults) {
      const without = { ...smallest, faults: smallest.faults.filter((each) => each !== fault) };
      if (runPlan(without, mutations).violation?.checker !== checker) continue;
      smallest = without;
      progress = true;
      break;
    }
  }
  return smallest;
}
