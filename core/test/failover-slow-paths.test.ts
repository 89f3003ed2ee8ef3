/** Slow paths: how often beats go out on them, who answers a question and how often, and what an overtaken beat says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action } from "../src/failover/action.js";
import type { Event } from "../src/failover/event.js";
import type { Settings } from "../src/failover/settings.js";
import { initialState, type State } from "../src/failover/state.js";
import { step } from "../src/failover/step.js";
import type { Beat } from "../src/heartbeat/beat.js";
import { testBeat } from "./beat-kit.js";
import { testSettings } from "./settings-kit.js";

const settings: Settings = {
  ...testSettings,
  paths: [
    { name: "udp", class: "client", intervalMs: 20 },
    { name: "serial", class: "private", intervalMs: 125 },
  ],
};

function makeCore() {
  let state: State = initialState(settings);
  const sent: { readonly atMs: number; readonly action: Extract<Action, { type: "sendBeat" }> }[] = [];
  let wakeAtMs = 0;
  const tell = (event: Event): void => {
    const out = step(state, event);
    state = out.state;
    wakeAtMs = out.wakeAtMs;
    for (const action of out.actions) if (action.type === "sendBeat") sent.push({ atMs: event.atMs, action });
  };
  tell({
    type: "started",
    atMs: 0,
    nonce: "own",
    epoch: 0,
    intents: { maintenance: false, preference: { side: undefined, version: 0 } },
  });
  return {
    tell,
    sentOn: (path: string) => sent.filter(({ action }) => action.paths.includes(path)),
    get state() {
      return state;
    },
    runUntil(untilMs: number): void {
      while (wakeAtMs <= untilMs) {
        const atMs = wakeAtMs;
        tell({ type: "tick", atMs });
        tell({ type: "polled", atMs });
      }
    },
  };
}

function beatOf(sequence: number, changes: Partial<Beat> = {}): Beat {
  const base = {
    sender: "primary",
    nonce: "peer",
    role: "active",
    epoch: 1,
    goodbye: false,
    answers: false,
  } as const;
  return testBeat({ ...base, configDigest: settings.configDigest, sequence, ...changes });
}

test("routine beats keep to the interval of each path, however often the fast one is due", () => {
  const core = makeCore();
  core.runUntil(1000);
  const times = core.sentOn("serial").map(({ atMs }) => atMs);
  assert.deepEqual(times, [0, 125, 250, 375, 500, 625, 750, 875, 1000]);
  assert.equal(core.sentOn("udp").length, 51);
});

test("R13: a question is answered at once on its path alone, and no more often than the profile beats", () => {
  const core = makeCore();
  core.runUntil(60);
  const before = core.sentOn("udp").length;
  for (const [index, atMs] of [61, 63, 79, 82].entries())
    core.tell({
      type: "beatReceived",
      atMs,
      path: "serial",
      beat: beatOf(100 + index, { asks: true }),
      echoAgeMs: undefined,
    });
  const answers = core.sentOn("serial").filter(({ action }) => action.body.answers);
  assert.deepEqual(
    answers.map(({ atMs, action }) => [atMs, action.paths]),
    [
      [61, ["serial"]],
      [82, ["serial"]],
    ],
  );
  assert.equal(core.sentOn("udp").length - before, 1, "only what its own rhythm brought");
});

test("a beat that a faster path has overtaken shows that its path works, and nothing else", () => {
  const core = makeCore();
  core.tell({ type: "beatReceived", atMs: 1, path: "udp", beat: beatOf(50), echoAgeMs: 1 });
  core.runUntil(30);
  const late = beatOf(40, { role: "joining", epoch: 9, goodbye: true, heardOn: 0 });
  core.tell({ type: "beatReceived", atMs: 31, path: "serial", beat: late, echoAgeMs: 30 });
  const { peer, paths, highestEpoch } = core.state;
  assert.equal(peer.beat?.sequence, 50);
  assert.equal(peer.heardMs, 1);
  assert.equal(highestEpoch, 1);
  assert.deepEqual(
    paths.map(({ twoWay }) => twoWay),
    [true, true],
  );
  assert.equal(paths[1]?.heardMs, 31);
});

test("R9: a slow beat sent in the same round as the last fast one does not end a suspicion; a later one does", () => {
  const core = makeCore();
  core.tell({ type: "beatReceived", atMs: 1, path: "udp", beat: beatOf(50), echoAgeMs: 1 });
  core.runUntil(41);
  assert.notEqual(core.state.suspicion, undefined);
  const asked = core.sentOn("serial").filter(({ action }) => action.body.asks);
  assert.equal(asked.length, 0, "a path that was never heard is not asked");
  core.tell({ type: "beatReceived", atMs: 42, path: "serial", beat: beatOf(51), echoAgeMs: 30 });
  assert.notEqual(core.state.suspicion, undefined);
  core.tell({ type: "beatReceived", atMs: 60, path: "serial", beat: beatOf(58), echoAgeMs: 30 });
  assert.equal(core.state.suspicion, undefined);
});
