/** A plugin that holds node's main thread: named in the log at once, and to pulse, which keeps the alarm, when it is too much. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../src/conformance/until.js";
import { watchBlocking } from "../src/node/blocking.js";
import { borneInNode } from "../src/plugin/call-meter.js";
import type { BlockedNews } from "../src/plugin/long-call.js";
import { monotonicClock } from "../src/pulse/clock.js";
import { quietLog } from "./node-kit.js";

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const sleepFor = (ms: number) => void Atomics.wait(sleeper, 0, 0, ms);

test("who holds node up is told once, from the second time that is too much", async () => {
  const said: BlockedNews[] = [];
  const logged: unknown[] = [];
  const log = { ...quietLog, warn: (fields: object) => void logged.push(fields) };
  const blocking = watchBlocking({ clock: monotonicClock, log });
  try {
    blocking.tell((news) => void said.push(news));
    const call = () => blocking.meter.call("service vsm", "health", () => sleepFor(borneInNode.debtMs + 50));
    call();
    await until("the log names it", () => logged.length === 1);
    assert.equal(said.length, 0, "once may be the machine");
    for (let again = 0; again < 2; again += 1) call();
    await until("it is told", () => said.length === 1);
    assert.equal(said[0]?.plugin, "the service vsm");
    assert.match(said[0]?.what ?? "", /^holds node up: its health blocked for \d+ ms/);
    assert.equal(logged.length, 1, "once a minute");
  } finally {
    blocking.stop();
  }
});
