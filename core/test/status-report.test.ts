/** When the status of the deciding half goes out: at once for what people act on, not with every tick. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AlarmCode } from "../src/failover/action.js";
import { type Draft, raiseAlarm } from "../src/failover/draft.js";
import type { Event } from "../src/failover/event.js";
import { initialState, type State } from "../src/failover/state.js";
import { step } from "../src/failover/step.js";
import { createStatusReport } from "../src/pulse/status-report.js";
import { testSettings } from "./settings-kit.js";

const wait = { subject: "exec is to confirm", why: "exec is to confirm", sinceMs: 0, wantedMs: 0 };
const empty = initialState(testSettings);
const { peer, link, failback } = empty;
const [udp] = empty.paths;
assert.ok(udp !== undefined);
const heard = { ...udp, silenceMs: 0, heardMs: 0, twoWay: true };
const report = { services: true, store: true, verified: true, inSync: true, waitingFor: undefined };
const alarm = (code: AlarmCode, untilMs = Infinity) => ({ code, detail: "so", sinceMs: 0, untilMs });
const worth: readonly (readonly [string, Partial<State>, Partial<State>])[] = [
  ["a role", { role: "standby" }, { role: "claiming" }],
  ["another reason for the same role", { reason: "this" }, { reason: "that" }],
  ["a higher epoch that was heard of", { highestEpoch: 1 }, { highestEpoch: 2 }],
  ["a peer that is dead", { peer }, { peer: { ...peer, dead: true } }],
  ["the first thing that is waited for", { wait: undefined }, { wait }],
  ["another fence that is waited for", { wait }, { wait: { ...wait, subject: "exec-2", why: "exec-2" } }],
  ["that nothing is waited for any more", { wait }, { wait: undefined }],
  ["a path that has fallen silent", { paths: [heard] }, { paths: [{ ...heard, silenceMs: 500 }] }],
  ["a path of one way", { paths: [heard] }, { paths: [{ ...heard, twoWay: false }] }],
  ["a lost carrier", { link }, { link: { ...link, carrier: false } }],
  ["a client side that nothing shows any more", { link }, { link: { ...link, unprovenForMs: 5000 } }],
  [
    "a node process that answers no more",
    { nodeUp: true, report },
    { nodeUp: true, report, nodeSilenceMs: 5000 },
  ],
  ["an epoch that cannot be written", { nodeUp: true, report }, { nodeUp: true, report, persistFails: true }],
  ["a database that is lost", { report }, { report: { ...report, database: "lost" } }],
  ["a node that is stopping", { stopping: false }, { stopping: true }],
  ["a fence that has confirmed", { fenced: undefined }, { fenced: { nonce: "", atMs: 0 } }],
  ["a changed config", {}, { settings: { ...testSettings, configDigest: "00000001" } }],
  ["an alarm", { alarms: [] }, { alarms: [alarm("NODE_HUNG")] }],
];
const notWorth: readonly (readonly [string, Partial<State>, Partial<State>])[] = [
  ["nothing", {}, {}],
  ["the moment's words of what is waited for", { wait }, { wait: { ...wait, why: "no answer for 2 s" } }],
  ["the silence of a path that is heard", { paths: [heard] }, { paths: [{ ...heard, silenceMs: 20 }] }],
  ["an alarm that goes on", { alarms: [alarm("NODE_HUNG", 1)] }, { alarms: [alarm("NODE_HUNG", 2)] }],
  ["what failback waits for where nobody serves", { failback }, { failback: { ...failback, waiting: "it" } }],
];

/** How often a status went out because of a step from one state to the other. */
async function told(before: Partial<State>, after: Partial<State>): Promise<number> {
  let times = 0;
  const node = { status: () => times++ };
  const nothing = () => {};
  const notify = {
    socket: undefined,
    watchdogMs: undefined,
    ready: nothing,
    status: nothing,
    watchdog: nothing,
    stopping: nothing,
    close: nothing,
  };
  const status = () => assert.fail("nobody asks for it here");
  const report = createStatusReport({ status, node, notify });
  const state = initialState(testSettings);
  report.stepped({ ...state, ...before });
  report.stepped({ ...state, ...after });
  await new Promise(setImmediate);
  report.close();
  return times;
}

for (const [what, before, after] of worth)
  test(`status goes out at once with ${what}`, async () => assert.equal(await told(before, after), 1));
for (const [what, before, after] of notWorth)
  test(`status waits for its second with ${what}`, async () => assert.equal(await told(before, after), 0));

/** Raised with every event for as long as it lasts: an alarm must be news once. */
test("beats of another key on several paths are one alarm, told once", async () => {
  const paths = [...testSettings.paths, { name: "serial", class: "private", intervalMs: 20 } as const];
  const intents = { maintenance: false, preference: { side: undefined, version: 0 } };
  let state = initialState({ ...testSettings, paths });
  const actions: string[] = [];
  const tell = (event: Event) => {
    const out = step(state, event);
    actions.push(...out.actions.map(({ type }) => type));
    state = out.state;
  };
  tell({ type: "started", atMs: 0, nonce: "00", epoch: 0, intents });
  tell({ type: "foreignBeatReceived", atMs: 1, path: "udp" });
  const first = state;
  tell({ type: "foreignBeatReceived", atMs: 2, path: "serial" });
  tell({ type: "foreignBeatReceived", atMs: 3, path: "udp" });
  assert.equal(actions.filter((type) => type === "raiseAlarm").length, 1);
  assert.equal(await told(first, state), 0);
});

test("two alarms that both go on keep their places", () => {
  const draft: Draft = { atMs: 5, state: { ...empty }, actions: [] };
  for (const code of ["NODE_HUNG", "PATH_DEGRADED", "NODE_HUNG"] as const) raiseAlarm(draft, code, "so");
  const { alarms } = draft.state;
  assert.deepEqual(
    alarms.map(({ code }) => code),
    ["NODE_HUNG", "PATH_DEGRADED"],
  );
  raiseAlarm(draft, "PATH_DEGRADED", "so");
  assert.equal(draft.state.alarms, alarms, "nothing has changed");
});
