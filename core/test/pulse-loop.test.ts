/** The loop judges silence only after a poll pass that delivered nothing (rule R10), and is not kept from it by a flood. */

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { until } from "../src/conformance/until.js";
import { initialState } from "../src/failover/state.js";
import { monotonicClock } from "../src/pulse/clock.js";
import { createLoop, type Loop } from "../src/pulse/loop.js";
import { testBeat } from "./beat-kit.js";
import { testSettings } from "./settings-kit.js";

interface Bench {
  readonly loop: Loop;
  readonly socket: Socket;
  /** Types of events, in order. */
  readonly seen: string[];
  send(): void;
  close(): void;
}

/** A loop with one real socket, each of whose frames is a beat. */
async function bench(
  options: { readonly drain?: () => void; readonly garbage?: boolean } = {},
): Promise<Bench> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const seen: string[] = [];
  let delivered = 0;
  const loop = createLoop({
    initial: initialState(testSettings),
    clock: monotonicClock,
    perform() {},
    delivered: () => delivered,
    drain: options.drain ?? (() => {}),
    stepped: ({ type }) => void seen.push(type),
    judged() {},
  });
  socket.on("message", () => {
    delivered += 1;
    if (options.garbage === true) return;
    const beat = testBeat({ sender: "primary", sequence: delivered });
    loop.tell({ type: "beatReceived", path: "udp", beat, echoAgeMs: undefined });
  });
  const { port } = socket.address();
  const intents = { maintenance: false, preference: { side: undefined, version: 0 } };
  loop.tell({ type: "started", nonce: "00", epoch: 0, intents });
  return {
    loop,
    socket,
    seen,
    send: () => socket.send("x", port, "127.0.0.1"),
    close() {
      loop.end();
      socket.close();
    },
  };
}

function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("R10: after a stall every waiting frame is read before silence is judged", async () => {
  const one = await bench();
  try {
    await until("the loop runs", () => one.seen.includes("polled"));
    // Node sends in a later turn, so the frames must be in the socket before the stall begins.
    const sent = Promise.withResolvers<void>();
    let count = 0;
    for (let frame = 0; frame < 100; frame += 1) {
      one.socket.send("x", one.socket.address().port, "127.0.0.1", () => {
        count += 1;
        if (count < 100) return;
        one.seen.length = 0;
        stall(200);
        sent.resolve();
      });
    }
    await sent.promise;
    await until("silence is judged again", () => one.seen.includes("polled"));
    const before = one.seen.slice(0, one.seen.indexOf("polled"));
    assert.ok(before.filter((type) => type === "beatReceived").length >= 90, before.join(" "));
    assert.ok(before.includes("tick"));
  } finally {
    one.close();
  }
});

test("what the drained sockets deliver keeps silence from being judged in that pass", async () => {
  let told = 0;
  const one = await bench({
    drain: () => {
      told += 1;
      if (told <= 3) one.loop.tell({ type: "addressAnswered", from: "peer", mac: "02:00:00:00:00:01" });
    },
  });
  try {
    await until("silence is judged", () => one.seen.includes("polled"));
    // Three passes delivered something and the next one nothing; one that the machine held up is repeated as well.
    const before = one.seen.slice(0, one.seen.indexOf("polled"));
    assert.equal(before.filter((type) => type === "addressAnswered").length, 3);
  } finally {
    one.close();
  }
});

test("a flood that never ends does not keep silence from being judged", async () => {
  const one = await bench({ garbage: true });
  let flooding = true;
  const flood = () => {
    if (!flooding) return;
    one.send();
    setImmediate(flood);
  };
  try {
    flood();
    await until(
      "silence is judged five times",
      () => one.seen.filter((type) => type === "polled").length > 4,
    );
  } finally {
    flooding = false;
    one.close();
  }
});

test("an ended loop takes no event and performs nothing", async () => {
  const one = await bench();
  one.close();
  const before = one.seen.length;
  one.loop.tell({ type: "nodeLost" });
  assert.equal(one.seen.length, before);
});
