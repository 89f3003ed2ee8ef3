/** When the status of the deciding half goes out: at once for what people act on, not with every tick. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { initialState, type State } from "../src/failover/state.js";
import { createStatusReport } from "../src/pulse/status-report.js";
import { testSettings } from "./settings-kit.js";

const wait = { subject: "exec is to confirm", why: "exec is to confirm", sinceMs: 0, wantedMs: 0 };
const { peer } = initialState(testSettings);
const worth: readonly (readonly [string, Partial<State>, Partial<State>])[] = [
  ["a role", { role: "standby" }, { role: "claiming" }],
  ["a peer that is dead", { peer }, { peer: { ...peer, dead: true } }],
  ["the first thing that is waited for", { wait: undefined }, { wait }],
  ["another fence that is waited for", { wait }, { wait: { ...wait, subject: "exec-2", why: "exec-2" } }],
  ["that nothing is waited for any more", { wait }, { wait: undefined }],
];
const notWorth: readonly (readonly [string, Partial<State>, Partial<State>])[] = [
  ["nothing", {}, {}],
  ["the moment's words of what is waited for", { wait }, { wait: { ...wait, why: "no answer for 2 s" } }],
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
