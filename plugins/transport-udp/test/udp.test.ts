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
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import type { NodeIdentity, Transport } from "@understudy/core/public";
import { dscpNames, dscpValue } from "../src/dscp.js";
import { canonical, type Endpoints, endpointsOf } from "../src/endpoints.js";
import { udpOptions } from "../src/options.js";
import udp from "../src/plugin.js";

// A port that is free on a machine of others may be taken a moment later.
enterPrivateNetwork(import.meta.url);

function make(
  options: object,
  node: NodeIdentity = testNode(),
  log: RecordingLog = recordingLog(),
): Transport {
  return makePlugin(udp, { ...options }, { node, log });
}

/** A port that was free a moment ago, which in this network nobody else can have taken. */
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

const unicast = { port: 6940, to: { kind: "unicast" }, interfaceName: undefined };

test("by default the first address of each node that the other's family has", () => {
  const node = testNode({ addresses: ["fd00::1", "10.0.0.2"], peerAddresses: ["10.0.0.3", "10.0.1.3"] });
  assert.deepEqual(endpointsOf({}, node), {
    ...unicast,
    family: 4,
    local: "10.0.0.2",
    peer: "10.0.0.3",
  });
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
    to: { kind: "unicast" },
    interfaceName: "eth1",
  });
  assert.deepEqual(endpointsOf(options, otherNode(testNode())), {
    family: 6,
    local: "fe80::2%eth2",
    peer: "fe80::1%eth2",
    port: 6940,
    to: { kind: "unicast" },
    interfaceName: "eth2",
  });
});

test("a group or broadcast takes the addresses of its family", () => {
  const node = testNode({
    addresses: ["10.0.0.2", "fd00::1"],
    peerAddresses: ["fd00::2", "10.0.0.3"],
  });
  const { local, peer, to } = endpointsOf(parse({ multicast: { group: "FF02:0::4d75" } }), node) as Endpoints;
  assert.deepEqual({ local, peer, to }, { local: "fd00::1", peer: "fd00::2", to: group6 });
  const broadcast = endpointsOf(parse({ broadcast: true }), node) as Endpoints;
  assert.equal(broadcast.local, "10.0.0.2");
  assert.deepEqual(broadcast.to, { kind: "broadcast", address: "255.255.255.255" });
  assert.deepEqual((endpointsOf(parse({ broadcast: false }), node) as Endpoints).to, { kind: "unicast" });
  const without = testNode({ addresses: ["fd00::1"], peerAddresses: ["fd00::2"] });
  assert.match(String(endpointsOf(parse({ broadcast: true }), without)), /no IPv4, which broadcast needs/);
});

const group6 = { kind: "multicast", group: "ff02::4d75", ttl: 1 };
const parse = (options: object) => udpOptions.parse(options);

test("code points have the values of their RFCs", () => {
  const values = ["CS0", "LE", "CS1", "AF11", "AF43", "EF", "CS6", "CS7", 17].map(dscpValue);
  assert.deepEqual(values, [0, 1, 8, 10, 38, 46, 48, 56, 17]);
  for (const name of dscpNames) assert.ok(dscpValue(name) >= 0 && dscpValue(name) <= 63, name);
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

const pair6 = { addresses: { primary: "fd00::1", secondary: "fd00::2" } };

for (const [what, options, message] of [
  ["no address", { addresses: { primary: "tlha", secondary: "10.0.0.3" } }, /no IPv4 or IPv6 address/],
  ["two families", { addresses: { primary: "fd00::1", secondary: "10.0.0.3" } }, /cannot speak/],
  ["one address twice", { addresses: { primary: "10.0.0.3", secondary: "10.0.0.3" } }, /same address/],
  ["one side only", { addresses: { primary: "10.0.0.3" } }, /secondary/],
  ["a port out of range", { port: 70_000 }, /65535/],
  ["a misspelt option", { prot: 6940 }, /prot/],
  ["no interface", { interface: "a name with spaces" }, /network interface/],
  ["a group that is none", { multicast: { group: "10.0.0.255" } }, /no multicast group/],
  ["a group with an interface", { multicast: { group: "ff02::1%eth0" } }, /without its interface/],
  ["a group that stays at home", { multicast: { group: "ff01::1" } }, /never leaves the machine/],
  ["no time to live", { multicast: { group: "239.1.1.1", ttl: 0 } }, /ttl/],
  ["no group", { multicast: {} }, /group/],
  ["a group of the other family", { ...pair6, multicast: { group: "239.1.1.1" } }, /IPv4 and the addresses/],
  ["multicast and broadcast", { multicast: { group: "239.1.1.1" }, broadcast: true }, /one of the two/],
  ["broadcast over IPv6", { ...pair6, broadcast: true }, /IPv6 has no broadcast/],
  ["an IPv6 broadcast address", { broadcast: "fd00::1" }, /no IPv4 broadcast address/],
  ["a group as broadcast", { broadcast: "224.0.0.1" }, /no IPv4 broadcast address/],
  [
    "the peer as broadcast",
    { addresses: { primary: "10.0.0.2", secondary: "10.0.0.3" }, broadcast: "10.0.0.3" },
    /the secondary node itself/,
  ],
  [
    "a group as an address",
    { addresses: { primary: "239.1.1.1", secondary: "10.0.0.3" } },
    /no node's address/,
  ],
  [
    "two interfaces for one address",
    { addresses: { primary: "fe80::1%eth1", secondary: "fe80::2" }, interface: "eth2" },
    /on eth1, and the option interface says eth2/,
  ],
  ["a code point beyond 63", { dscp: 64 }, /63/],
  ["a misspelt code point", { dscp: "CS8" }, /0 to 63, or one of CS0/],
] as const) {
  test(`${what} is refused by the schema`, () => {
    assert.throws(() => make(options), message);
  });
}
