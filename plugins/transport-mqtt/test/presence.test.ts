/** Presence and retained messages are for people: what a broker kept is never delivered as a sign of life. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { otherNode, testNode } from "@understudy/core/conformance/capabilities";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import { connectAsync } from "mqtt";
import { newInstance, presenceText, readPresence } from "../src/presence.js";
import { type Mosquitto, makeMosquitto } from "./mosquitto.js";
import { heard, makeEnd, says } from "./pair.js";

enterPrivateNetwork(import.meta.url);

describe("presence", () => {
  let broker: Mosquitto;
  before(async () => {
    broker = await makeMosquitto();
    await broker.start();
  });
  after(() => broker.remove());
  const url = () => `mqtt://127.0.0.1:${broker.port}`;

  test("tells that the other node came, left, or was lost by its broker", async () => {
    const ours = makeEnd({ url: url() });
    const theirs = makeEnd({ url: url() }, otherNode(testNode()));
    const at: string[] = [];
    try {
      await ours.start((frame) => void at.push(Buffer.from(frame).toString()));
      await says(ours, /connected, the other node is not there/);
      await theirs.start(() => undefined);
      await says(ours, /the other node is there too, but no beat of it arrives/);
      await theirs.stop();
      await says(ours, /the other node has left it/);
      const program = fileURLToPath(new URL("./one-end-program.js", import.meta.url));
      const child = spawn(process.execPath, [program, url()], { stdio: ["ignore", "pipe", "inherit"] });
      try {
        await says(ours, /the other node is there too/);
        child.kill("SIGKILL");
        await once(child, "exit");
      } finally {
        child.kill("SIGKILL");
      }
      await says(ours, /it has lost the other node/);
      assert.deepEqual(at, [], "no presence was delivered as a beat");
    } finally {
      await ours.stop();
      await theirs.stop();
    }
  });

  test("a retained message on the topic of beats is no life, whenever it was kept", async () => {
    const topic = "understudy/test/mqtt/secondary/beat";
    const stranger = await connectAsync(url(), { protocolVersion: 5 });
    const ours = makeEnd({ url: url() });
    const theirs = makeEnd({ url: url() }, otherNode(testNode()));
    const at: string[] = [];
    try {
      await stranger.publishAsync(topic, "kept from yesterday", { qos: 1, retain: true });
      await ours.start((frame) => void at.push(Buffer.from(frame).toString()));
      await theirs.start(() => undefined);
      await heard(theirs, at, "a beat of today");
      assert.deepEqual([...new Set(at)], ["a beat of today"]);
      // The core authenticates what is said now; here only what was kept is at stake.
      await stranger.publishAsync("understudy/test/mqtt/secondary/presence", "no JSON at all", {
        qos: 1,
        retain: true,
      });
      await stranger.publishAsync(topic, Buffer.alloc(5000), { qos: 1 });
      await stranger.publishAsync(topic, Buffer.alloc(513), { qos: 1 });
      await heard(theirs, at, "another beat");
      assert.deepEqual([...new Set(at)], ["a beat of today", "another beat"]);
      await until("the path to be well", () => /beats arrive/.test(ours.describe()));
    } finally {
      await stranger.publishAsync(topic, "", { qos: 1, retain: true });
      await stranger.endAsync();
      await ours.stop();
      await theirs.stop();
    }
  });
});

test("presence is read only as it is written", () => {
  for (const state of ["here", "left", "lost"] as const) {
    const presence = { state, instance: newInstance() };
    assert.deepEqual(readPresence(Buffer.from(presenceText("one", presence))), presence);
  }
  const texts = ["", "null", "{}", "[]", '"here"', '{"state":"here"}', '{"state":"alive","instance":"x"}'];
  for (const text of [
    ...texts,
    '{"state":"here","instance":1}',
    `{"state":"here","instance":"${"x".repeat(300)}"}`,
  ])
    assert.equal(readPresence(Buffer.from(text)), undefined);
});
