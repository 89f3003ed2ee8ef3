/** What the suite for all transports cannot know of UDP: who may send, when the bytes leave, what a wrong option says. */

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  makePlugin,
  otherNode,
  type RecordingLog,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { until } from "@understudy/core/conformance/until";
import type { NodeIdentity, Transport } from "@understudy/core/public";
import { canonical, endpointsOf } from "../src/endpoints.js";
import udp from "../src/plugin.js";

function make(
  options: object,
  node: NodeIdentity = testNode(),
  log: RecordingLog = recordingLog(),
): Transport {
  return makePlugin(udp, { ...options }, { node, log });
}

/** A port that was free a moment ago on both loopback addresses used here. */
async function freePort(): Promise<number> {
  const socket = await boundTo("127.0.0.2", 0);
  const { port } = socket.address();
  socket.close();
  return port;
}

async function boundTo(address: string, port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

test("frames from another address than the peer's are ignored", async () => {
  const port = await freePort();
  const ours = make({ port });
  const theirs = make({ port }, otherNode(testNode()));
  const heard: string[] = [];
  await ours.start((frame) => void heard.push(Buffer.from(frame).toString()));
  await theirs.start(() => undefined);
  const stranger = await boundTo("127.0.0.9", 0);
  try {
    stranger.send("stranger", port, "127.0.0.1");
    await until("the peer's frame", () => heard.includes("peer"), {
      again: () => {
        stranger.send("stranger", port, "127.0.0.1");
        theirs.send(Buffer.from("peer"));
      },
    });
    assert.ok(!heard.includes("stranger"));
  } finally {
    stranger.close();
    await Promise.all([ours.stop(), theirs.stop()]);
  }
});

test("the bytes are with the kernel when send returns", async () => {
  const port = await freePort();
  const receiver = await boundTo("127.0.0.2", port);
  const ours = make({ port });
  await ours.start(() => undefined);
  try {
    const before = queuedInKernel(port, "0200007F");
    ours.send(new Uint8Array(100));
    assert.ok(queuedInKernel(port, "0200007F") > before, "no turn of the loop was needed");
  } finally {
    receiver.close();
    await ours.stop();
  }
});

/** Bytes waiting in the receive queue of that socket, by proc_net_udp(5). */
function queuedInKernel(port: number, hexAddress: string): number {
  const name = `${hexAddress}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const line = readFileSync("/proc/net/udp", "utf8")
    .split("\n")
    .find((text) => text.includes(name));
  const queues = line?.trim().split(/\s+/)[4] ?? "";
  return Number.parseInt(queues.split(":")[1] ?? "", 16);
}

test("a port in use is said, and the path comes up by itself when it is free", async () => {
  const port = await freePort();
  const squatter = await boundTo("127.0.0.1", port);
  const log = recordingLog();
  const ours = make({ port }, testNode(), log);
  await ours.start(() => undefined);
  try {
    assert.match(ours.describe(), /down, port \d+ of 127\.0\.0\.1 is in use/);
    squatter.close();
    await until("the path to come up", () => !ours.describe().includes("down"));
    assert.equal(log.lines.filter(({ message }) => message === "udp path is down").length, 1);
  } finally {
    await ours.stop();
  }
});

test("an address that is not on this machine is said, and start settles all the same", async () => {
  const ours = make({}, testNode({ addresses: ["192.0.2.1"] }));
  await ours.start(() => undefined);
  assert.match(ours.describe(), /down, 192\.0\.2\.1 is not on this machine/);
  assert.equal(ours.probeTarget?.()?.interfaceName, undefined);
  await ours.stop();
});

test("the interface of the path is found by its address", async () => {
  const port = await freePort();
  const ours = make({ port }, testNode());
  await ours.start(() => undefined);
  assert.deepEqual(ours.probeTarget?.(), {
    localAddress: "127.0.0.1",
    peerAddress: "127.0.0.2",
    interfaceName: "lo",
  });
  assert.equal(ours.describe(), `127.0.0.1:${port} -> 127.0.0.2:${port} on lo`);
  await ours.stop();
});

test("by default the first address of each node that the other's family has", () => {
  const node = testNode({ addresses: ["fd00::1", "10.0.0.2"], peerAddresses: ["10.0.0.3", "10.0.1.3"] });
  assert.deepEqual(endpointsOf({}, node), { family: 4, local: "10.0.0.2", peer: "10.0.0.3", port: 6940 });
  const strangers = testNode({ addresses: ["fd00::1"], peerAddresses: ["10.0.0.3"] });
  assert.match(String(endpointsOf({}, strangers)), /no address family is shared/);
});

test("each side reads its own address and interface from the one file", () => {
  const options = {
    addresses: { primary: "fe80::1", secondary: "fe80::2" },
    interface: { primary: "eth1", secondary: "eth2" },
  };
  assert.deepEqual(endpointsOf(options, testNode()), {
    family: 6,
    local: "fe80::1%eth1",
    peer: "fe80::2%eth1",
    port: 6940,
  });
  assert.deepEqual(endpointsOf(options, otherNode(testNode())), {
    family: 6,
    local: "fe80::2%eth2",
    peer: "fe80::1%eth2",
    port: 6940,
  });
});

test("the HA address is no address for beats (rule R1)", async () => {
  const ours = make({ addresses: { primary: "127.0.0.3", secondary: "127.0.0.2" } });
  await ours.start(() => undefined);
  ours.send(new Uint8Array(1));
  assert.match(ours.describe(), /down, 127\.0\.0\.3 is the HA address/);
  await ours.stop();
});

test("addresses have one spelling", () => {
  assert.equal(canonical("FD00:0:0::0001"), "fd00::1");
  assert.equal(canonical("fe80::1%eth0"), "fe80::1%eth0");
  assert.equal(canonical("fd00::1", "eth0"), "fd00::1");
  assert.equal(canonical("10.0.0.1"), "10.0.0.1");
});

for (const [what, options, message] of [
  ["no address", { addresses: { primary: "tlha", secondary: "10.0.0.3" } }, /no IPv4 or IPv6 address/],
  ["two families", { addresses: { primary: "fd00::1", secondary: "10.0.0.3" } }, /cannot speak/],
  ["one address twice", { addresses: { primary: "10.0.0.3", secondary: "10.0.0.3" } }, /same address/],
  ["one side only", { addresses: { primary: "10.0.0.3" } }, /secondary/],
  ["a port out of range", { port: 70_000 }, /65535/],
  ["a misspelt option", { prot: 6940 }, /prot/],
  ["no interface", { interface: "a name with spaces" }, /network interface/],
] as const) {
  test(`${what} is refused by the schema`, () => {
    assert.throws(() => make(options), message);
  });
}
