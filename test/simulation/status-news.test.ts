/**
 * Over whole simulated lives: whatever status shows anew, figures apart, is news, and so goes out at once and not with the
 * next second.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { State } from "@understudy/core/internal/failover/state";
import { describe } from "@understudy/core/internal/failover/status";
import { sameNews, statusNews } from "@understudy/core/internal/failover/status-news";
import type { Mutation } from "./machine.js";
import { makePlan, makeProtectedPlan } from "./plan.js";
import { runPlan } from "./run-plan.js";

/** Figures and the words of the moment age with every tick: all else must be told at once. */
function shown(state: State): string {
  const { reason, ifPeerDied, ...description } = describe(state, 0);
  const why = state.wait?.why ?? "";
  const plain = (text: string) => (why === "" ? text : text.replace(why, state.wait?.subject ?? ""));
  const paths = description.paths.map(({ direction, twoWay }) => ({ direction, twoWay }));
  const alarms = description.alarms.map(({ code, detail }) => ({ code, detail }));
  const whole = { ...description, deadTimeMs: 0, worstSilenceMs: 0, paths, alarms };
  const words = { reason: plain(reason), ifPeerDied: plain(ifPeerDied).replace(/within about \d+ ms/, "") };
  return JSON.stringify({ ...whole, ...words });
}

/** Stops the run where something would be shown late. */
const watch: Mutation = {
  step(out, event, before) {
    if (sameNews(statusNews(before), statusNews(out.state)))
      assert.equal(shown(out.state), shown(before), `after ${event.type}`);
    return out;
  },
};

for (const seed of [1, 2, 3, 4]) {
  for (const [plan, whose] of [
    [makePlan(seed), "a pair"],
    [makeProtectedPlan(seed), "a pair with arbiters and fences"],
  ] as const) {
    test(`what status shows of ${whose} is told at once: seed ${seed}`, () => {
      const { violation } = runPlan(plan, { primary: watch, secondary: watch });
      assert.equal(violation?.what, undefined);
    });
  }
}
