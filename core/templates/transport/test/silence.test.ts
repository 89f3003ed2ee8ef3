/** A connection that only looks open is made anew, and nothing that is only being opened outlives a stop. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { otherNode, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import { streamTransport } from "../src/stream-transport.ts";

const secondary = otherNode(testNode());

test("a connection on which nothing comes is made anew", { timeout: 30_000 }, async () => {
  // The primary's side of a machine that accepts and then says nothing, as one that lost its power does.
  const mute = createServer();
  await new Promise<void>((listening) => mute.listen(0, secondary.peerAddresses[0], listening));
  const { port } = mute.address() as AddressInfo;
  const transport = streamTransport({ node: secondary, port, log: recordingLog(), silentMs: 50 });
  const first = once(mute, "connection") as Promise<[Socket]>;
  await transport.start(() => assert.fail("it says nothing"));
  const [old] = await first;
  old.resume();
  const second = once(mute, "connection") as Promise<[Socket]>;
  const beats = setInterval(() => transport.send(Uint8Array.of(1)), 10);
  try {
    const [next] = await second;
    assert.notEqual(next, old);
    next.resume();
  } finally {
    clearInterval(beats);
    await transport.stop();
    await new Promise((closed) => mute.close(closed));
  }
});
