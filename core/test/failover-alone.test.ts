/** How long a node that hears nobody waits before it serves (rule R24), with sessions and without, and what it says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action } from "../src/failover/action.js";
import type { NodeReport } from "../src/failover/event.js";
import { initialState, type State } from "../src/failover/state.js";
import { describe } from "../src/failover/status.js";
import { step } from "../src/failover/step.js";
import { nodeReport } from "../src/node/node-report.js";
import { testSettings } from "./settings-kit.js";

const bootedMs = 5_000_000;
const withoutSessions = (met: boolean): NodeReport =>
  nodeReport({ servicesOk: true, sessions: undefined, linkUp: false, met, stopping: false });

/** A machine that has run for long; pulse starts now, and its node process goes on saying `report`. */
function started(report: NodeReport, aloneAfterMs: number | null) {
  let state = initialState({ ...testSettings, self: "primary", aloneAfterMs });
  const finish = (type: "acquireAddress" | "persistEpoch", actions: readonly Action[]) => {
    const action = actions.find((one) => one.type === type);
    assert.ok(action !== undefined && "id" in action, type);
    state = step(state, {
      type: "actionFinished",
      atMs: bootedMs + 1000,
      id: action.id,
      outcome: "confirmed",
    }).state;
  };
  const intents = { maintenance: false, preference: { side: undefined, version: 0 } };
  state = step(state, { type: "started", atMs: bootedMs, nonce: "00", epoch: 4, intents }).state;
  return {
    state: () => state,
    /** Active, with its epoch on disk. */
    claimed(): State {
      for (let atMs = bootedMs + 1; state.role !== "active"; atMs += 5) {
        assert.ok(atMs < bootedMs + 1000, "claims within a second");
        for (const event of [
          { type: "nodeReported", atMs, report },
          { type: "polled", atMs },
        ] as const) {
          const out = step(state, event);
          state = out.state;
          if (state.role !== "claiming") continue;
          finish("persistEpoch", out.actions);
          finish("acquireAddress", out.actions);
        }
      }
      return state;
    },
    /** Milliseconds from the start to the claim; undefined when there is none. */
    claimsAfter(limitMs: number): number | undefined {
      for (let atMs = bootedMs + 1; atMs < bootedMs + limitMs; atMs += 5) {
        state = step(state, { type: "nodeReported", atMs, report }).state;
        state = step(state, { type: "polled", atMs }).state;
        if (state.role === "claiming") return atMs - bootedMs;
      }
      return undefined;
    },
  };
}

const between = (ms: number | undefined, least: number, most: number) =>
  assert.ok(ms !== undefined && ms >= least && ms <= most, `${ms} ms`);

test("R24: without sessions, too, a node that has not met the other one waits aloneAfter", () => {
  const node = started(withoutSessions(false), 30_000);
  between(node.claimsAfter(40_000), 30_000, 30_100);
  assert.deepEqual(
    node.state().alarms.filter(({ code }) => code === "SERVING_STALE"),
    [],
    "there is nothing that could be stale",
  );
});

test("R24: aloneAfter: never holds without sessions as well", () => {
  assert.equal(started(withoutSessions(false), null).claimsAfter(120_000), undefined);
});

test("R24: one that has met the other, or has served, does not wait again when pulse is started anew", () => {
  between(started(withoutSessions(true), 30_000).claimsAfter(40_000), 2000, 2100);
});

test("R24: serving stale ends when the operator forgets the other node, though nobody is there", () => {
  const sessions = { services: true, store: true, inSync: false, waitingFor: undefined };
  let { state, actions } = step(started({ ...sessions, verified: false }, 0).claimed(), {
    type: "nodeReported",
    atMs: bootedMs + 1001,
    report: { ...sessions, verified: false },
  });
  assert.deepEqual([state.role, state.servingStale], ["active", true]);
  assert.ok(state.alarms.some(({ code }) => code === "SERVING_STALE"));
  const atMs = bootedMs + 1002;
  ({ state, actions } = step(state, {
    type: "nodeReported",
    atMs,
    report: { ...sessions, verified: true },
  }));
  assert.deepEqual(state.alarms, []);
  const promoted = actions.find(({ type }) => type === "promote");
  assert.deepEqual(promoted && "stale" in promoted && promoted.stale, false);
});

test("status says how long it waits, calls nothing stale that is not kept, and counts from pulse's start", () => {
  const node = started(withoutSessions(false), 30_000);
  node.claimsAfter(1000);
  const said = describe(node.state(), bootedMs + 1000);
  assert.equal(said.ifPeerDied, "This node would serve after waiting alone for 30 s: nobody serves yet.");
  assert.equal(said.atMs - said.roleSinceMs, 1000);
});
