/**
 * Silence and the dead time: what a stalled judge may witness, and what a near miss teaches.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Draft } from "../src/failover/draft.js";
import { beatReceived } from "../src/failover/peer.js";
import {
  accrueSilence,
  deadTimeMs,
  endJointSilence,
  forgetOldSilences,
  heardSlowly,
} from "../src/failover/silence.js";
import { initialState } from "../src/failover/state.js";
import { testBeat } from "./beat-kit.js";
import { testSettings as settings } from "./settings-kit.js";

function draftAt(atMs: number, before: Draft | undefined = undefined): Draft {
  return { atMs, state: { ...(before?.state ?? initialState(settings)) }, actions: [] };
}

test("R10: a judge that stalled for five seconds has witnessed one and a half intervals of silence", () => {
  const draft = draftAt(5000);
  accrueSilence(draft);
  assert.equal(draft.state.peer.lifeSilenceMs, 30);
});

test("R11: a near miss raises the dead time at once, and ten quiet minutes lower it again", () => {
  let draft = draftAt(0);
  draft.state.peer = { ...draft.state.peer, lifeSilenceMs: 180, fastSilenceMs: 180, fastHeardMs: -180 };
  endJointSilence(draft);
  assert.equal(deadTimeMs(draft.state), 225);
  assert.equal(draft.state.peer.lifeSilenceMs, 0);
  draft = draftAt(9 * 60_000, draft);
  forgetOldSilences(draft);
  assert.equal(deadTimeMs(draft.state), 225);
  draft = draftAt(10 * 60_000, draft);
  forgetOldSilences(draft);
  assert.equal(deadTimeMs(draft.state), 100);
});

test("R11: the dead time stays between the profile's floor and its ceiling", () => {
  const draft = draftAt(0);
  assert.equal(deadTimeMs(draft.state), 100);
  draft.state.peer = { ...draft.state.peer, lifeSilenceMs: 390, fastSilenceMs: 390, fastHeardMs: -390 };
  endJointSilence(draft);
  assert.equal(deadTimeMs(draft.state), 400);
});

test("R11: the return of a node that was away for long is no near miss", () => {
  const draft = draftAt(0);
  draft.state.peer = {
    ...draft.state.peer,
    lifeSilenceMs: 60_000,
    fastSilenceMs: 60_000,
    fastHeardMs: -60_000,
  };
  endJointSilence(draft);
  assert.equal(deadTimeMs(draft.state), 100);
});

test("R11: the wait for the first sign of life after a start is no near miss", () => {
  const draft = draftAt(350);
  draft.state.peer = { ...draft.state.peer, lifeSilenceMs: 350, fastSilenceMs: 350 };
  endJointSilence(draft);
  assert.equal(deadTimeMs(draft.state), 100);
});

test("R11: what lay in queues when the other node went, and its new life a moment later, are no near miss", () => {
  let draft = draftAt(0);
  /** Silent for so long as poll passes would have it, then a beat. */
  const hear = (atMs: number, silenceMs: number, nonce: string, sequence: number) => {
    draft = draftAt(atMs, draft);
    draft.state.peer = { ...draft.state.peer, lifeSilenceMs: silenceMs, fastSilenceMs: silenceMs };
    const beat = testBeat({ nonce, sequence, role: "standby", epoch: 0, goodbye: false });
    beatReceived(draft, "udp", beat, undefined);
    return deadTimeMs(draft.state);
  };
  hear(0, 0, "former", 70);
  assert.equal(hear(1000, 1000, "former", 78), 100, "from a queue");
  assert.equal(hear(1320, 320, "new", 2), 100, "the new life");
  assert.equal(hear(1410, 90, "new", 3), 112.5, "within a life it is one");
});

test("R11: the rhythm of a slow path teaches nothing, nor does the loss of the fast one that it shows", () => {
  const draft = draftAt(0);
  draft.state.peer = { ...draft.state.peer, lifeSilenceMs: 125, fastSilenceMs: 125 };
  heardSlowly(draft);
  assert.equal(draft.state.peer.lifeSilenceMs, 0);
  assert.equal(draft.state.peer.fastSilenceMs, 125);
  assert.equal(deadTimeMs(draft.state), 100, "a slow beat");
  draft.state.peer = { ...draft.state.peer, lifeSilenceMs: 40, fastSilenceMs: 165 };
  endJointSilence(draft);
  assert.equal(deadTimeMs(draft.state), 100, "the fast path is back");
  draft.state.peer = { ...draft.state.peer, lifeSilenceMs: 10, fastSilenceMs: 90 };
  endJointSilence(draft);
  assert.equal(deadTimeMs(draft.state), 112.5, "a near miss is one, whatever a slow path said meanwhile");
});
