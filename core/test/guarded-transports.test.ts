/** A transport in pulse that blocks, throws, rejects or delivers rubbish: named, dropped, taken out, and never missed. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { until } from "../src/conformance/until.js";
import { borneInPulse, createCallMeter } from "../src/plugin/call-meter.js";
import type { Transport } from "../src/plugin/contract.js";
import { guardTransports } from "../src/pulse/guarded-transports.js";

interface Rig {
  nowMs: number;
  readonly said: { what: string; code: string }[];
  readonly sent: string[];
  path(name: string): Transport;
  heard(path: string): void;
  /** The meter finds its send too long. */
  block(path: string): void;
}

function rig(changes: Partial<Record<keyof Transport, unknown>> = {}, names = ["quick", "slow"]): Rig {
  const said: { what: string; code: string }[] = [];
  const sent: string[] = [];
  const make = (name: string): Transport => ({
    async start() {},
    send: () => void sent.push(name),
    async stop() {},
    describe: () => `${name} is well`,
    ...(name === "slow" ? (changes as Partial<Transport>) : {}),
  });
  const clock = { nowMs: () => it.nowMs };
  const guarded = guardTransports(
    names.map((name) => ({ name, class: "client", transport: name === "far" ? undefined : make(name) })),
    {
      meter: createCallMeter({
        ...clock,
        borne: borneInPulse,
        look: () => undefined,
        delayedMs: () => undefined,
        collected() {},
        longCall() {},
      }),
      clock,
      worksWithinMs: () => 60,
      record: (what, { code }) => void said.push({ what, code }),
    },
  );
  const it: Rig = {
    nowMs: 1_000_000,
    said,
    sent,
    path(name) {
      const { transport } = guarded.transports.find((named) => named.name === name) ?? {};
      return transport ?? assert.fail(`no ${name} here`);
    },
    heard: guarded.heard,
    block: (path) =>
      void guarded.longCall({
        plugin: path,
        method: "send",
        ms: 40,
        cause: "waited",
        delayKnown: true,
        overdrawn: true,
      }),
  };
  return it;
}

const frame = new Uint8Array(1);

describe("a transport that blocks", () => {
  test("is taken out while another path works, and says so", () => {
    const it = rig();
    it.heard("quick");
    it.path("slow").send(frame);
    it.block("slow");
    it.path("slow").send(frame);
    it.path("quick").send(frame);
    assert.deepEqual(it.sent, ["slow", "quick"]);
    assert.match(
      it.path("slow").describe(),
      /^taken out: its send blocked for 40 ms; tried again in 10 min \(slow is well\)$/,
    );
    assert.deepEqual(
      it.said.map(({ code }) => code),
      ["PLUGIN_BLOCKS"],
    );
    it.block("slow");
    assert.equal(it.said.length, 1, "once");
  });

  test("is used all the same from the moment that no other path works", () => {
    const it = rig();
    it.heard("quick");
    it.block("slow");
    it.nowMs += 61;
    it.path("slow").send(frame);
    it.path("slow").send(frame);
    assert.deepEqual(it.sent, ["slow", "slow"]);
    assert.match(it.path("slow").describe(), /used all the same while no other path works/);
    it.heard("quick");
    it.path("slow").send(frame);
    assert.equal(it.sent.length, 2);
  });

  test("carries a hello a second while nobody is heard on any path", () => {
    const it = rig();
    it.block("slow");
    for (let turn = 0; turn < 500; turn += 1) {
      it.nowMs += 10;
      it.path("slow").send(frame);
    }
    assert.equal(it.sent.length, 5);
  });

  test("is not taken out where it is the only one, and two never leave a node without any", () => {
    const alone = rig({}, ["slow"]);
    alone.block("slow");
    alone.path("slow").send(frame);
    assert.deepEqual([alone.sent, alone.said.length], [["slow"], 0]);
    const both = rig();
    both.heard("quick");
    both.heard("slow");
    both.block("slow");
    both.block("quick");
    both.path("slow").send(frame);
    both.path("quick").send(frame);
    assert.deepEqual(both.sent, ["slow", "quick"]);
  });

  test("may be left to a path of the node process", () => {
    const it = rig({}, ["far", "slow"]);
    it.heard("far");
    it.block("slow");
    it.path("slow").send(frame);
    assert.deepEqual(it.sent, []);
  });

  test("gets another chance, each after twice the time", () => {
    const it = rig();
    for (const minutes of [10, 20, 40, 80, 160, 320, 360, 360]) {
      it.block("slow");
      assert.match(it.said.at(-1)?.what ?? "", new RegExp(`out of service for ${minutes} min`));
      it.nowMs += minutes * 60_000 - 1;
      it.heard("quick");
      it.path("slow").send(frame);
      assert.deepEqual(it.sent, []);
      it.nowMs += 1;
      it.path("slow").send(frame);
      assert.deepEqual(it.sent.splice(0), ["slow"]);
    }
  });
});

describe("a transport that breaks its contract", () => {
  test("by throwing harms nobody and is named once a minute", () => {
    const fail = () => {
      throw new Error("line\nbroke");
    };
    const it = rig({ send: fail, describe: fail, probeTarget: fail });
    const slow = it.path("slow");
    slow.send(frame);
    slow.send(frame);
    assert.equal(slow.describe(), "it does not say how it is");
    assert.equal(slow.probeTarget?.(), undefined);
    assert.deepEqual(
      it.said.map(({ what }) => what),
      ["send", "describe", "probeTarget"].map(
        (method) => `the transport of path slow threw in ${method}, where it must not: line broke`,
      ),
    );
    it.nowMs += 60_000;
    slow.send(frame);
    assert.equal(it.said.length, 4);
  });

  test("by an async send that rejects does not end the process", async () => {
    const it = rig({ send: async () => Promise.reject(new Error("too late")) });
    it.path("slow").send(frame);
    await until("it is named", () => it.said.length === 1);
    assert.match(it.said[0]?.what ?? "", /rejected in send, where it must not: too late/);
    assert.equal(it.said[0]?.code, "PLUGIN_MISBEHAVES");
  });

  test("by what it delivers, or when, is not listened to", async () => {
    let deliver: (frame: unknown) => void = () => assert.fail("not started");
    const it = rig({
      start: async (receive: (frame: unknown) => void) => {
        deliver = receive;
      },
    });
    const at: Uint8Array[] = [];
    await it.path("slow").start((arrived) => void at.push(arrived));
    for (const rubbish of [undefined, null, "text", 7, {}, [1], new ArrayBuffer(4), new Uint16Array(4)])
      deliver(rubbish);
    deliver(frame);
    deliver(Buffer.from("x"));
    assert.equal(at.length, 2);
    assert.deepEqual(
      it.said.map(({ what }) => what),
      ["the transport of path slow delivers something that is no Uint8Array"],
    );
    await it.path("slow").stop();
    deliver(frame);
    assert.equal(at.length, 2);
    assert.match(it.said.at(-1)?.what ?? "", /delivers after its stop/);
  });

  test("by a description of many lines, or none, has one line in status", () => {
    assert.equal(
      rig({ describe: () => "one\n two" })
        .path("slow")
        .describe(),
      "one two",
    );
    assert.equal(
      rig({ describe: () => undefined })
        .path("slow")
        .describe(),
      "it does not say how it is",
    );
  });

  test("by a start or stop that throws at once is a rejection like any other", async () => {
    const fail = () => {
      throw new Error("no");
    };
    const it = rig({ start: async () => fail(), stop: async () => fail() });
    await assert.rejects(() => it.path("slow").start(() => undefined));
    await assert.rejects(() => it.path("slow").stop());
  });
});
