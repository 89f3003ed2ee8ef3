/** What the decision core does with events that do not belong: of no question, told twice, or in each other's way. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action, ActionType } from "../src/failover/action.js";
import type { Intents, NodeReport } from "../src/failover/event.js";
import type { Settings } from "../src/failover/settings.js";
import { initialState } from "../src/failover/state.js";
import { step } from "../src/failover/step.js";
import type { Beat } from "../src/heartbeat/beat.js";
import type { Happening } from "../src/pulse/happening.js";
import { testBeat } from "./beat-kit.js";
import { testSettings } from "./settings-kit.js";

const noIntents: Intents = { maintenance: false, preference: { side: undefined, version: 0 } };
const well: NodeReport = {
  services: true,
  store: true,
  verified: true,
  inSync: true,
  waitingFor: undefined,
};

/** A core that has started, and all that it has asked for. */
function started(changes: Partial<Settings> = {}) {
  let state = initialState({ ...testSettings, aloneAfterMs: 0, canProbeAddress: false, ...changes });
  let atMs = 1000;
  let sequence = 0;
  const asked: Action[] = [];
  const tell = (happening: Happening): readonly Action[] => {
    const out = step(state, { ...happening, atMs });
    state = out.state;
    asked.push(...out.actions);
    return out.actions;
  };
  const ofType = <T extends ActionType>(type: T) =>
    asked.filter((action): action is Extract<Action, { type: T }> => action.type === type);
  const finish = (type: "acquireAddress" | "releaseAddress" | "persistIntents", outcome = "confirmed") =>
    tell({
      type: "actionFinished",
      id: ofType(type).at(-1)?.id ?? -1,
      outcome: outcome as "confirmed" | "refused",
    });
  const pass = (forMs: number) => {
    for (const endMs = atMs + forMs; atMs < endMs; ) {
      atMs += 5;
      tell({ type: "tick" });
      tell({ type: "polled" });
    }
  };
  const beat = (said: Partial<Beat>, path = "udp") => {
    sequence += 1;
    const fromPeer = {
      sender: "primary",
      role: "standby",
      epoch: 0,
      goodbye: false,
      heardOn: undefined,
    } as const;
    const told = testBeat({ ...fromPeer, preference: noIntents.preference, sequence, ...said });
    return tell({ type: "beatReceived", path, beat: told, echoAgeMs: 1 });
  };
  tell({ type: "started", nonce: "00", epoch: 0, intents: noIntents });
  tell({ type: "nodeReported", report: well });
  return { state: () => state, tell, ofType, finish, pass, beat };
}

test("R12: after a release that failed only the answer to the next one ends it, whatever else comes", () => {
  const core = started();
  core.pass(100);
  core.finish("acquireAddress");
  assert.equal(core.state().role, "active");
  core.tell({ type: "carrierChanged", up: false });
  core.finish("releaseAddress", "refused");
  for (const id of [-1, 0, 1, 2, 1e9]) core.tell({ type: "actionFinished", id, outcome: "confirmed" });
  assert.equal(core.state().role, "releasing");
  assert.ok(core.ofType("sendBeat").every(({ body }) => !body.goodbye));
});

test("R9: a kernel that answers a probe many times over has answered on one path", () => {
  const core = started();
  core.beat({ role: "active", epoch: 5 });
  core.pass(60);
  const round = core.state().suspicion?.round ?? 0;
  assert.ok(round > 0, "it suspects");
  for (let count = 0; count < 100; count += 1) core.tell({ type: "kernelAnswered", path: "udp", round });
  const found = core.state().suspicion?.rounds.find((each) => each.round === round);
  assert.deepEqual(found?.kernelOn, ["udp"]);
});

test("R26: a wish of the other node's operator that comes while one is written down undoes neither", () => {
  const core = started();
  core.tell({
    type: "operatorAsked",
    requestId: "r",
    request: { kind: "maintenance", on: true, force: false },
  });
  const preference = { side: "primary", version: 7 } as const;
  core.beat({ preference });
  for (const { id } of core.ofType("persistIntents"))
    core.tell({ type: "actionFinished", id, outcome: "confirmed" });
  core.beat({ preference });
  assert.deepEqual(core.state().intents, { maintenance: true, preference });
  assert.deepEqual(core.ofType("persistIntents").at(-1)?.intents, { maintenance: true, preference });
});

test("R30: a grant of an arbiter that is none gives nothing back while this node serves", () => {
  const core = started({ arbiters: [{ name: "etcd", exclusive: true }] });
  const grant = (name: string) =>
    core.tell({ type: "arbiterRuled", name, epoch: 2, verdict: "granted", why: "x", untilMs: 60_000 });
  core.pass(50);
  grant("etcd");
  core.pass(100);
  core.finish("acquireAddress");
  assert.equal(core.state().role, "active");
  const actions = grant("former");
  assert.ok(!actions.some(({ type }) => type === "releaseGrant"));
});

test("R8: the first beats of a new life are news of it, also on a slow path and before any on a fast one", () => {
  const line = { name: "line", class: "private", intervalMs: 136 } as const;
  const core = started({ paths: [...testSettings.paths, line], aloneAfterMs: null });
  core.beat({}, "line");
  assert.equal(core.state().peer.silenceMs, 0);
  core.pass(1000);
  const { alarms, peer } = core.state();
  assert.ok(peer.dead);
  assert.match(alarms.find(({ code }) => code === "PEER_DEAD")?.detail ?? "", /silent for \d+ ms/);
});

test("R7: an interval between announcements that is no number is not believed", () => {
  for (const refreshMs of [Number.NaN, Infinity, -Infinity]) {
    const core = started();
    core.pass(50);
    core.finish("acquireAddress");
    for (let count = 0; count < 2; count += 1) {
      core.tell({ type: "segmentAgreed", agreement: "agreed", refreshMs, detail: "1 of 1" });
      core.pass(1100);
    }
    const { announce, role } = core.state();
    assert.equal(role, "active");
    assert.ok(Number.isFinite(announce?.dueMs) && Number.isFinite(announce?.refreshMs), `${refreshMs}`);
  }
});
