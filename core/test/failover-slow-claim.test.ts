/** A claim that the kernel takes its time over: poll passes go on meanwhile, and must not begin a suspicion anew. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../src/failover/event.js";
import { initialState } from "../src/failover/state.js";
import { step } from "../src/failover/step.js";
import { testBeat } from "./beat-kit.js";
import { testSettings } from "./settings-kit.js";

test("R9: a claim that takes fifty milliseconds becomes active without suspecting the node it replaces", () => {
  let state = initialState(testSettings);
  let acquireId: number | undefined;
  const tell = (event: Event) => {
    const out = step(state, event);
    state = out.state;
    for (const action of out.actions) if (action.type === "acquireAddress") acquireId = action.id;
  };
  let atMs = 1000;
  const pass = (heard: boolean, sequence: number) => {
    atMs += 5;
    tell({ type: "tick", atMs });
    const beat = testBeat({ sender: "primary", sequence, epoch: 5, goodbye: false });
    if (heard) tell({ type: "beatReceived", atMs, path: "udp", beat, echoAgeMs: 20 });
    tell({ type: "polled", atMs });
  };
  const intents = { maintenance: false, preference: { side: undefined, version: 0 } };
  tell({ type: "started", atMs, nonce: "00", epoch: 4, intents });
  const report = { services: true, store: true, verified: true, inSync: true, waitingFor: undefined };
  tell({ type: "nodeReported", atMs, report });
  for (let count = 1; count <= 20; count += 1) pass(true, count);
  for (let count = 0; count < 200 && state.role === "standby"; count += 1) pass(false, 0);
  assert.equal(state.role, "claiming");
  const before = state.peer.beat?.role;
  for (let count = 0; count < 10; count += 1) pass(false, 0);
  assert.equal(before, "active", "its last word was that it serves");
  assert.equal(state.suspicion, undefined);
  tell({ type: "actionFinished", atMs, id: acquireId ?? -1, outcome: "confirmed" });
  assert.equal(state.role, "active");
});
