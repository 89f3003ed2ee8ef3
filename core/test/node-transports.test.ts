/** Transports in node that block, flood, throw or do not start; and stalls of node, with the name of who made them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../src/conformance/until.js";
import type { NodeToPulse } from "../src/ipc/messages.js";
import { stallMs, watchStalls } from "../src/node/stalls.js";
import { startTransports } from "../src/node/transports.js";
import { borneInNode, createCallMeter } from "../src/plugin/call-meter.js";
import type { Transport } from "../src/plugin/contract.js";
import { delayedMs, lookAtThread } from "../src/plugin/thread-look.js";
import { monotonicClock } from "../src/pulse/clock.js";
import { startTestNode } from "./node-kit.js";

const log = { debug() {}, info() {}, warn() {}, error() {} };

function rig(changes: Partial<Record<keyof Transport, unknown>>) {
  const toPulse: NodeToPulse[] = [];
  const said: string[] = [];
  let nowMs = 0;
  let receive: (frame: unknown) => void = () => assert.fail("not started");
  const plugin = {
    async start(callback: (frame: unknown) => void) {
      receive = callback;
    },
    send() {},
    async stop() {},
    describe: () => "well",
    ...changes,
  } as Transport;
  const clock = { nowMs: () => nowMs };
  const transports = startTransports({
    transports: [{ name: "mqtt", plugin, entry: "" }],
    pulse: {
      passing(message) {
        toPulse.push(message);
        return true;
      },
    },
    clock,
    log,
    meter: createCallMeter({
      ...clock,
      borne: borneInNode,
      look: () => undefined,
      delayedMs: () => undefined,
      collected() {},
      longCall() {},
    }),
    misbehaved: (path, what) => void said.push(`${path} ${what}`),
  });
  return {
    transports,
    toPulse,
    said,
    deliver: (frame: unknown) => receive(frame),
    frames: () => toPulse.filter(({ type }) => type === "frame").length,
    described: () => toPulse.findLast((message) => message.type === "pathDescription")?.description,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

test("frames pass both ways, from the end of the start to the stop", async () => {
  const sent: number[] = [];
  const it = rig({ send: (frame: Uint8Array) => void sent.push(frame.length) });
  it.transports.send("mqtt", new Uint8Array(1));
  await it.transports.start();
  it.transports.send("mqtt", new Uint8Array(2));
  it.transports.send("unheard-of", new Uint8Array(3));
  it.deliver(Buffer.from("beat"));
  assert.deepEqual(it.toPulse, [
    { type: "pathDescription", path: "mqtt", description: "well" },
    { type: "frame", path: "mqtt", frame: Buffer.from("beat").toString("base64") },
  ]);
  await it.transports.stop();
  it.deliver(Buffer.from("late"));
  it.transports.send("mqtt", new Uint8Array(4));
  assert.deepEqual([sent, it.frames()], [[2], 1]);
});

test("what throws, rejects or delivers rubbish is named, and nothing of it reaches pulse", async () => {
  const fail = () => {
    throw new Error("no");
  };
  const it = rig({ send: fail, describe: fail });
  await it.transports.start();
  assert.equal(it.described(), "it does not say how it is");
  it.transports.send("mqtt", new Uint8Array(1));
  for (const rubbish of ["text", undefined, new Uint8Array(0), new Uint8Array(513)]) it.deliver(rubbish);
  assert.equal(it.frames(), 0);
  assert.deepEqual(it.said, [
    "mqtt threw in describe, where it must not: no",
    "mqtt threw in send, where it must not: no",
    "mqtt delivers something that is no Uint8Array",
  ]);
  await it.transports.stop();
});

test("a path that does not start stays down and says why, and is sent nothing", async () => {
  let sent = 0;
  const it = rig({
    start: async () => Promise.reject(new Error("no such library")),
    send() {
      sent += 1;
    },
  });
  await it.transports.start();
  it.transports.send("mqtt", new Uint8Array(1));
  assert.equal(it.described(), "not started: no such library");
  assert.equal(sent, 0);
  await it.transports.stop();
});

test("a flood does not reach pulse, and is over when it is over", async () => {
  const it = rig({});
  await it.transports.start();
  for (let turn = 0; turn < 100_000; turn += 1) it.deliver(Buffer.from("flood"));
  assert.equal(it.frames(), 250, "a burst passes");
  it.transports.describeAll();
  assert.match(it.described() ?? "", /^well \(more than 1000 frames a second arrive: some are dropped\)$/);
  assert.deepEqual(it.said, ["mqtt delivers more than 1000 frames a second"]);
  it.pass(100);
  for (let turn = 0; turn < 1000; turn += 1) it.deliver(Buffer.from("flood"));
  assert.equal(it.frames(), 350);
  it.pass(1000);
  it.transports.describeAll();
  it.transports.describeAll();
  assert.equal(it.described(), "well");
  await it.transports.stop();
});

test("a beat that waited while node was held up is sent no more", async () => {
  const sent: string[] = [];
  const plugin: Transport = {
    async start() {},
    send: (frame) => void sent.push(Buffer.from(frame).toString()),
    async stop() {},
    describe: () => "well",
  };
  const one = await startTestNode({ parts: () => ({ transports: [{ name: "mqtt", plugin, entry: "" }] }) });
  try {
    const frame = (text: string) => Buffer.from(text).toString("base64");
    const say = (text: string, ageMs: number) =>
      one.pulse.send({
        type: "sendFrame",
        path: "mqtt",
        atMs: monotonicClock.nowMs() - ageMs,
        frame: frame(text),
      });
    await until("node is connected", () => one.pulse.isConnected);
    say("old", 501);
    await until("a new one is sent", () => sent.includes("new"), { again: () => say("new", 0) });
    assert.ok(!sent.includes("old"));
  } finally {
    await one.close();
  }
});

test("a stall is put down to the plugin that made it, or to an unnamed task", async () => {
  const nowMs = () => performance.now();
  const meter = createCallMeter({
    borne: borneInNode,
    nowMs,
    look: lookAtThread,
    delayedMs,
    collected() {},
    longCall() {},
  });
  const said: string[] = [];
  const hold = () => {
    // By processor time: on a loaded machine it takes longer, never shorter.
    const begun = process.threadCpuUsage();
    for (let spentMs = 0; spentMs < 3 * stallMs; ) {
      const now = process.threadCpuUsage();
      spentMs = (now.user + now.system - begun.user - begun.system) / 1000;
    }
  };
  const watchOnce = async (work: () => void) => {
    const before = said.length;
    const watch = watchStalls({ meter, nowMs, look: lookAtThread, record: (what) => void said.push(what) });
    try {
      work();
      await until("the stall is told", () => said.length > before);
    } finally {
      watch.stop();
    }
    return said.at(-1) ?? "";
  };
  assert.match(
    await watchOnce(() => meter.call("observer exec", "observe", hold)),
    /observer exec held it in observe/,
  );
  // Or, where others had the processor for most of the time, to the machine.
  assert.match(
    await watchOnce(hold),
    /did nothing else for \d+ ms: (an unnamed task computed|the machine gave)/,
  );
});
