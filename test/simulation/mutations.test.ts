/** Shows of every checker that it can fail: its rule is broken on purpose, and some seed among the first must say so. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenRules } from "./mutations.js";
import { makePlan, makeProtectedPlan, type Plan } from "./plan.js";
import { runPlan } from "./run-plan.js";
import { checkers } from "./violation.js";

const seedsAtMost = 400;

for (const { what, checker, inPlan = (plan: Plan) => plan, faults, protection, mutation } of brokenRules) {
  const planOf = (seed: number) =>
    protection === undefined ? makePlan(seed, faults) : makeProtectedPlan(seed, faults, protection);
  test(`"${checker}" notices when ${what}`, () => {
    for (let seed = 1; seed <= seedsAtMost; seed += 1) {
      const { violation } = runPlan(inPlan(planOf(seed)), { primary: mutation, secondary: mutation });
      if (violation === undefined) continue;
      assert.equal(violation.checker, checker, violation.what);
      return;
    }
    assert.fail(`${seedsAtMost} seeds and no checker noticed`);
  });
}

test("every checker has a broken rule", () => {
  assert.deepEqual([...new Set(brokenRules.map(({ checker }) => checker))].sort(), [...checkers].sort());
});
