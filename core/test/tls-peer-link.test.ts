/**
 * The link between the nodes on real sockets of the loopback: who is let in, what arrives, and when silence is noticed.
 * Both ends live in this process; a relay in between plays the network.
 */

import assert from "node:assert/strict";
import { connect as connectNet, createServer, type Socket } from "node:net";
import { afterEach, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { targetsOf } from "../src/node/link-dial.js";
import { createFrameReader, frame } from "../src/node/link-frames.js";
import { identityOf, keysInTurn, pskTls } from "../src/node/link-psk.js";
import type { LinkKey, PeerLinkOptions } from "../src/node/peer-link.js";
import { createTlsPeerLink } from "../src/node/tls-peer-link.js";
import { deadline } from "./deadline.js";
import { ownAddress, ownPort } from "./loopback-kit.js";

const key1: LinkKey = { id: 1, secret: new Uint8Array(32).fill(1) };
const key2: LinkKey = { id: 2, secret: new Uint8Array(32).fill(2) };

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const action of undo.splice(0).reverse()) await action();
});

/** Everything a link said, and a way to wait for the next of a kind. */
function record() {
  const said: { kind: string; text: string; bytes?: Uint8Array }[] = [];
  const waiting = new Set<() => void>();
  const note = (kind: string, text: string, bytes?: Uint8Array) => {
    said.push(bytes === undefined ? { kind, text } : { kind, text, bytes });
    for (const look of [...waiting]) look();
  };
  const listeners = {
    opened: (info: { version: number; local: string; remote: string }) =>
      note("opened", `${info.version} ${info.local} ${info.remote}`),
    message: (message: Uint8Array) => note("message", "", Uint8Array.from(message)),
    closed: (reason: string) => note("closed", reason),
    drained: () => note("drained", ""),
    failed: (reason: string) => note("failed", reason),
  };
  const until = (kind: string, wanted: (text: string) => boolean = () => true, count = 1) =>
    deadline(
      new Promise<string>((resolve) => {
        const look = () => {
          const found = said.filter((entry) => entry.kind === kind && wanted(entry.text));
          const last = found[count - 1];
          if (last === undefined) return;
          waiting.delete(look);
          resolve(last.text);
        };
        waiting.add(look);
        look();
      }),
      `${count} x ${kind}`,
    );
  return { said, listeners, until };
}

function open(port: number, side: "primary" | "secondary", more: Partial<PeerLinkOptions> = {}) {
  const seen = record();
  const link = createTlsPeerLink({
    name: "node",
    cluster: "test",
    side,
    localAddresses: [ownAddress[side]],
    peerAddresses: [ownAddress.primary],
    port,
    keys: [key1],
    signWith: 1,
    silenceMs: 3000,
    listeners: seen.listeners,
    ...more,
  });
  undo.push(() => link.close());
  return { link, ...seen };
}

test("two nodes with one key meet, and messages of every size arrive in order", async () => {
  const port = ownPort();
  const primary = open(port, "primary");
  const secondary = open(port, "secondary");
  const opened = await primary.until("opened");
  await secondary.until("opened");
  const [version, local, remote] = opened.split(" ");
  assert.deepEqual([version, local], ["1", `${ownAddress.primary}:${port}`]);
  assert.ok(remote?.startsWith(`${ownAddress.secondary}:`), "the secondary dials from its own node address");
  const sizes = [1, 3, 70_000, 5, 8 * 1024 * 1024, 2];
  for (const [at, size] of sizes.entries()) {
    assert.ok(secondary.link.send(new Uint8Array(size).fill(at + 1)));
  }
  await primary.until("message", undefined, sizes.length);
  const arrived = primary.said.filter(({ kind }) => kind === "message").map(({ bytes }) => bytes);
  assert.deepEqual(
    arrived.map((bytes) => [bytes?.length, bytes?.[0], bytes?.at(-1)]),
    sizes.map((size, at) => [size, at + 1, at + 1]),
  );
  assert.throws(() => secondary.link.send(new Uint8Array(8 * 1024 * 1024 + 1)), RangeError);
});

test("a wrong key is refused on both sides with a reason that leads to the key files", async () => {
  const port = ownPort();
  const primary = open(port, "primary");
  const secondary = open(port, "secondary", { keys: [{ id: 1, secret: key2.secret }] });
  assert.match(await secondary.until("failed", (text) => text.includes("key")), /key files .* differ/);
  assert.match(await primary.until("failed"), /key files .* differ/);
  assert.equal(secondary.link.isOpen || primary.link.isOpen, false);
});

test("another cluster is refused before any secret is tried", async () => {
  const port = ownPort();
  const primary = open(port, "primary");
  open(port, "secondary", { cluster: "other" });
  assert.match(await primary.until("failed"), /stranger.*other\/1/);
});

test("a node that signs with a key the other does not have yet falls back to an older one", async () => {
  const port = ownPort();
  const primary = open(port, "primary");
  const secondary = open(port, "secondary", { keys: [key1, key2], signWith: 2 });
  await secondary.until("failed");
  await secondary.until("opened");
  primary.link.setKeys([key1, key2], 2);
  secondary.link.setKeys([key2], 2);
  secondary.link.reset("keys changed");
  await secondary.until("opened", undefined, 2);
  assert.deepEqual(
    keysInTurn([key1, { id: 9, secret: key1.secret }, key2], 2).map(({ id }) => id),
    [2, 9, 1],
  );
});

test("the wrong kind of link, the same side twice and another protocol are each refused in words", async () => {
  const port = ownPort();
  const primary = open(port, "primary");
  const wrongKind = open(port, "secondary", { name: "sessions" });
  assert.match(await wrongKind.until("failed"), /ports are mixed up/);
  assert.match(await primary.until("failed"), /ports are mixed up/);
  await wrongKind.link.close();
  const greet = async (hello: object) => {
    const socket = connectTls({
      ...pskTls,
      host: ownAddress.primary,
      port,
      pskCallback: () => ({ psk: key1.secret, identity: identityOf("test", 1) }),
      checkServerIdentity: () => undefined,
    });
    undo.push(() => void socket.destroy());
    const heard: string[] = [];
    const reader = createFrameReader(() => 4096);
    socket.on("data", (chunk: Buffer) =>
      reader.push(chunk, (message) => heard.push(Buffer.from(message).toString())),
    );
    socket.on("error", () => {});
    socket.write(frame(Buffer.from(JSON.stringify(hello))));
    await deadline(new Promise((resolve) => socket.once("close", resolve)), "the end of the connection");
    return heard.join("\n");
  };
  const hello = { link: "node", cluster: "test", side: "secondary", min: 1, max: 1 };
  assert.match(await greet({ ...hello, side: "primary" }), /both nodes believe to be the primary/);
  assert.match(
    await greet({ ...hello, min: 7, max: 9 }),
    /1 to 1, the other 7 to 9; bring both to one release/,
  );
  assert.match(await greet({ hello: "world" }), /does not speak the link protocol/);
  assert.equal(primary.link.isOpen, false);
});

/** Passes bytes on until it is told to swallow them. */
async function relayTo(port: number) {
  let swallow = false;
  let paused = false;
  const sockets: Socket[] = [];
  const server = createServer((inner) => {
    const outer = connectNet(port, ownAddress.primary);
    sockets.push(inner, outer);
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      from.on("data", (chunk) => {
        if (!swallow) to.write(chunk);
      });
      from.on("error", () => to.destroy());
      from.on("close", () => {
        if (!swallow) to.destroy();
      });
      if (paused) from.pause();
    }
  });
  const own = ownPort();
  await new Promise<void>((resolve) => server.listen(own, ownAddress.primary, resolve));
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: own,
    swallow() {
      swallow = true;
    },
    pause() {
      paused = true;
      for (const socket of sockets) socket.pause();
    },
    resume() {
      paused = false;
      for (const socket of sockets) socket.resume();
    },
  };
}

async function openThroughRelay(silenceMs: number) {
  const port = ownPort();
  const primary = open(port, "primary", { silenceMs });
  const relay = await relayTo(port);
  const secondary = open(relay.port, "secondary", { silenceMs });
  await Promise.all([primary.until("opened"), secondary.until("opened")]);
  return { primary, secondary, relay };
}

test("an idle link stays open, and one that has gone dumb is closed by both", async () => {
  const { primary, secondary, relay } = await openThroughRelay(90);
  // Longer than the silence limit: only the signs of life keep it open. Something to wait for: a message each way.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(secondary.link.send(Uint8Array.of(1)));
  await primary.until("message");
  assert.equal(primary.said.filter(({ kind }) => kind === "closed").length, 0);
  relay.swallow();
  assert.match(await primary.until("closed"), /nothing arrived for 90 ms/);
  assert.match(await secondary.until("closed"), /nothing arrived for 90 ms/);
});

test("a sender sees what the other has not taken, and is told when it has", async () => {
  const { primary, secondary, relay } = await openThroughRelay(60_000);
  relay.pause();
  const message = new Uint8Array(1024 * 1024);
  let sent = 0;
  while (secondary.link.bufferedBytes <= 5 * 1024 * 1024) {
    assert.ok(secondary.link.send(message));
    sent += 1;
    assert.ok(sent < 200, "a link that is not read from fills");
    await new Promise(setImmediate);
  }
  // The kernel's own buffers may have drained it once while it was filled.
  const drainedBefore = secondary.said.filter(({ kind }) => kind === "drained").length;
  relay.resume();
  await secondary.until("drained", undefined, drainedBefore + 1);
  assert.ok(secondary.link.bufferedBytes < 1024 * 1024);
  await primary.until("message", undefined, sent);
});

test("a lost connection is made again, and what is sent in between is dropped with a word", async () => {
  const port = ownPort();
  const primary = open(port, "primary");
  const secondary = open(port, "secondary");
  await Promise.all([primary.until("opened"), secondary.until("opened")]);
  primary.link.reset("for the test");
  assert.equal(await primary.until("closed"), "for the test");
  assert.equal(primary.link.send(Uint8Array.of(1)), false);
  await Promise.all([primary.until("opened", undefined, 2), secondary.until("opened", undefined, 2)]);
  await primary.link.close();
  await secondary.until("closed", undefined, 2);
});

test("each address of the peer is dialled from the node address beside it, of the same family", () => {
  assert.deepEqual(
    targetsOf({
      localAddresses: ["10.0.0.3", "fd00::3", "10.1.0.3"],
      peerAddresses: ["10.0.0.2", "10.1.0.2", "fd00::2"],
    }),
    [
      { from: "10.0.0.3", to: "10.0.0.2" },
      { from: "10.0.0.3", to: "10.1.0.2" },
      { from: "fd00::3", to: "fd00::2" },
    ],
  );
});

test("chunks cut anywhere give the same messages", () => {
  const messages = [1, 0, 5, 300, 2].map((size, at) => new Uint8Array(size).fill(at));
  const stream = Buffer.concat(messages.map(frame));
  for (let step = 1; step < 20; step += 1) {
    const got: number[] = [];
    const reader = createFrameReader(() => 1000);
    for (let at = 0; at < stream.length; at += step) {
      assert.ok(reader.push(stream.subarray(at, at + step), (message) => got.push(message.length)));
    }
    assert.deepEqual(got, [1, 0, 5, 300, 2]);
  }
  assert.equal(
    createFrameReader(() => 10).push(frame(new Uint8Array(11)), () => {}),
    false,
  );
});
