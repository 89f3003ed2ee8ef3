/** The everyday run: the same two thousand seeds each time, on all cores. `npm run simulate` plays others, and more. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { makePlan } from "./plan.js";
import { runPlan } from "./run-plan.js";
import { replayCommand, sweep } from "./simulate.js";

const seeds = 2000;

test(`${seeds} seeds keep every promise`, async () => {
  const { played, failures } = await sweep(1, seeds);
  const told = failures.map(({ seed, what }) => `seed ${seed}: ${what}\n  ${replayCommand(seed)}`);
  assert.equal(told.join("\n"), "");
  assert.equal(played, seeds);
});

const protectedSeeds = 400;

test(`${protectedSeeds} seeds keep every promise of pairs with arbiters and fences`, async () => {
  const { played, failures } = await sweep(1, protectedSeeds, { protectors: true });
  const told = failures.map(({ seed, what }) => `seed ${seed}: ${what}\n  ${replayCommand(seed, true)}`);
  assert.equal(told.join("\n"), "");
  assert.equal(played, protectedSeeds);
});

test("a seed is played again exactly as before", () => {
  const plan = makePlan(7);
  const [first, second] = [runPlan(plan), runPlan(plan)];
  assert.ok(first.trace.length > 20);
  assert.deepEqual(second.trace, first.trace);
});
