/**
 * The decision core under events of every kind in any order, late, doubled, contradictory and absurd: whatever it is told,
 * its rules hold after every step. `UNDERSTUDY_RUNS` plays more seeds, `UNDERSTUDY_SEED` begins with another one.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Failure, playSeed, shorten } from "./step-fuzz/play.js";

const firstSeed = Number(process.env.UNDERSTUDY_SEED ?? 1);
const seeds = Number(process.env.UNDERSTUDY_RUNS ?? (process.env.UNDERSTUDY_LONG === "1" ? 20_000 : 150));

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
