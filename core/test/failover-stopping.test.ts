/** A node that is asked to end says in its last beats that it cannot serve, or the other would hand the address back. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { BeatBody } from "../src/failover/action.js";
import type { Event } from "../src/failover/event.js";
import { initialState } from "../src/failover/state.js";
import { step } from "../src/failover/step.js";
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
