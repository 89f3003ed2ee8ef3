/** A node that is asked to end: its last beats say that it cannot serve, and its goodbye has time to travel. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { BeatBody } from "../src/failover/action.js";
import type { Event } from "../src/failover/event.js";
import { initialState } from "../src/failover/state.js";
import { step } from "../src/failover/step.js";
import { testBeat } from "./beat-kit.js";
import { testSettings } from "./settings-kit.js";

test("R12: the beats of a node that is stopping are not those of one that has merged", () => {
  let state = initialState(testSettings);
  let said: BeatBody | undefined;
  const tell = (event: Event) => {
    const out = step(state, event);
    state = out.state;
    for (const action of out.actions) if (action.type === "sendBeat") said = action.body;
  };
  const intents = { maintenance: false, preference: { side: undefined, version: 0 } };
  tell({ type: "started", atMs: 1000, nonce: "00", epoch: 4, intents });
  const report = { services: true, store: true, verified: true, inSync: true, waitingFor: undefined };
  tell({ type: "nodeReported", atMs: 1000, report });
  tell({ type: "tick", atMs: 1050 });
  assert.equal(said?.verified, true);
  tell({ type: "stopAsked", atMs: 1060 });
  tell({ type: "tick", atMs: 1100 });
  assert.equal(said?.verified, false);
});

/** Serves, is asked to stop, and is confirmed everything at once; how long after the release it said `stopped`. */
function msFromReleaseToStop(intervalMs: number): number {
  const settings = {
    ...testSettings,
    paths: [{ name: "line", class: "client" as const, intervalMs }],
  };
  let state = initialState(settings);
  let releasedMs = Number.NaN;
  let stoppedMs = Number.NaN;
  let wakeAtMs = 0;
  let sequence = 0;
  const tell = (event: Event): void => {
    const out = step(state, event);
    state = out.state;
    wakeAtMs = out.wakeAtMs;
    for (const action of out.actions) {
      if (action.type === "releaseAddress") releasedMs = event.atMs;
      if (action.type === "stopped") stoppedMs = event.atMs;
      if ("id" in action)
        tell({ type: "actionFinished", atMs: event.atMs, id: action.id, outcome: "confirmed" });
    }
  };
  const report = { services: true, store: true, verified: true, inSync: true, waitingFor: undefined };
  const live = (fromMs: number, done: () => boolean): void => {
    let beatMs = fromMs;
    for (let atMs = fromMs; !done(); atMs = Math.min(Math.max(wakeAtMs, atMs + 1), beatMs)) {
      assert.ok(atMs < fromMs + 60_000, `still ${state.role} after a minute`);
      if (atMs >= beatMs) {
        beatMs = atMs + intervalMs;
        sequence += 1;
        const { configDigest } = settings;
        const beat = testBeat({ role: "standby", goodbye: false, epoch: 0, configDigest, sequence });
        tell({ type: "nodeReported", atMs, report });
        tell({ type: "beatReceived", atMs, path: "line", beat, echoAgeMs: 1 });
      }
      tell({ type: "tick", atMs });
      tell({ type: "polled", atMs });
    }
  };
  const intents = { maintenance: false, preference: { side: undefined, version: 0 } };
  tell({ type: "started", atMs: 0, nonce: "00", epoch: 0, intents });
  live(1, () => state.role === "active");
  const stopMs = Math.ceil(wakeAtMs) + 1;
  tell({ type: "stopAsked", atMs: stopMs });
  live(stopMs + 1, () => !Number.isNaN(stoppedMs));
  return stoppedMs - releasedMs;
}

test("R12: a goodbye has a beat of the fastest path that is left to travel by, before the process ends", () => {
  const quick = msFromReleaseToStop(20);
  assert.ok(quick >= 20 && quick < 40, `${quick} ms on a fast path`);
  const slow = msFromReleaseToStop(136);
  assert.ok(slow >= 1.5 * 136 && slow < 500, `${slow} ms on a slow one`);
});
