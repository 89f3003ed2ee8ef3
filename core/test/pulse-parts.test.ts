/** The parts around the loop, each on its own: the probe of a kernel, the interfaces of the address, the address chain. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import { test } from "node:test";
import { until } from "../src/conformance/until.js";
import type { AddressBackend, AddressReports, Outcome } from "../src/plugin/contract.js";
import { createAddressChain } from "../src/pulse/address-chain.js";
import { createAddressReports } from "../src/pulse/address-reports.js";
import { monotonicClock } from "../src/pulse/clock.js";
import { createHaInterfaces } from "../src/pulse/ha-interfaces.js";
import type { Happening } from "../src/pulse/happening.js";
import { createKernelProbe } from "../src/pulse/kernel-probe.js";

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** A port of the loopback that somebody listens on. */
async function listening(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((socket) => void socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : assert.fail();
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

const loopback = { localAddress: "127.0.0.1", peerAddress: "127.0.0.1", interfaceName: "lo" };

test("R9: a closed port answers for its kernel, and so does one that somebody listens on", async () => {
  const server = await listening();
  const probe = createKernelProbe(server.port);
  let answers = 0;
  const answered = () => {
    answers += 1;
  };
  try {
    probe.probe("udp", loopback, answered);
    await until("the listening port answers", () => answers === 1);
  } finally {
    await server.close();
  }
  probe.probe("udp", loopback, answered);
  await until("the closed port answers", () => answers === 2);
});

test("R10: an answer that came while pulse stalled is read before the probe is given up", async () => {
  const server = await listening();
  const left = await listening();
  await left.close();
  const probes = [server, left].map(({ port }) => createKernelProbe(port));
  let answers = 0;
  try {
    for (const probe of probes) {
      probe.probe("udp", loopback, () => {
        answers += 1;
      });
    }
    // After both questions have left; the answers are there at once, and stay unread for longer than a probe lasts.
    process.nextTick(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200));
    await until("both answers are read", () => answers === 2, { withinMs: 5000 });
  } finally {
    for (const probe of probes) probe.close();
    await server.close();
  }
});

test("R9: an address that cannot be reached is no answer, and a wrong one throws nothing", async () => {
  const probe = createKernelProbe(9);
  const answered = () => assert.fail("nobody answered");
  probe.probe(
    "a",
    { localAddress: "no address", peerAddress: "127.0.0.1", interfaceName: undefined },
    answered,
  );
  // From loopback the kernel reaches nothing else.
  probe.probe(
    "b",
    { localAddress: "127.0.0.1", peerAddress: "192.0.2.1", interfaceName: undefined },
    answered,
  );
  let closed = false;
  const own = createKernelProbe(1);
  own.probe("c", { localAddress: "127.0.0.1", peerAddress: "127.0.0.1", interfaceName: "lo" }, () => {
    closed = true;
  });
  await until("a later probe has been answered", () => closed);
  probe.close();
});

function entry(cidr: string): NetworkInterfaceInfo {
  const address = cidr.split("/")[0] ?? "";
  const common = { address, netmask: "", mac: "", internal: false, cidr };
  return cidr.includes(":") ? { ...common, family: "IPv6", scopeid: 0 } : { ...common, family: "IPv4" };
}

test("only the interfaces whose network holds an HA address have a say", () => {
  const addresses = [
    { address: "10.0.0.4", family: 4, prefixLength: 24, interfaceName: undefined },
    { address: "fd00::4", family: 6, prefixLength: 64, interfaceName: undefined },
    { address: "192.0.2.4", family: 4, prefixLength: 24, interfaceName: "bond0" },
  ] as const;
  const interfaces = createHaInterfaces(addresses, () => ({
    eth0: [entry("10.0.0.2/24")],
    eth1: [entry("10.1.0.2/24")],
    eth2: [entry("fd00::2/64")],
    // The address itself, left over somewhere, says nothing about where it belongs.
    eth3: [entry("10.0.0.4/24")],
  }));
  const has = ["eth0", "eth1", "eth2", "eth3", "bond0"].filter((name) => interfaces.has(name));
  assert.deepEqual(has, ["eth0", "eth2", "bond0"]);
});

test("while the interface is not known every report counts but loopback's", () => {
  const address = { address: "10.0.0.4", family: 4, prefixLength: 24, interfaceName: undefined } as const;
  const interfaces = createHaInterfaces([address], () => ({}));
  assert.deepEqual([interfaces.has("eth0"), interfaces.has("lo")], [true, false]);
});

test("the carrier is up when every interface of an HA address has it; others do not matter", () => {
  const told: Happening[] = [];
  const names = new Set(["eth0", "eth1"]);
  const reports = createAddressReports({ has: (name) => names.has(name) }, monotonicClock, {
    tell: (happening) => void told.push(happening),
    protectionsChanged() {},
  });
  reports.carrierChanged("eth9", false);
  reports.carrierChanged("eth0", false);
  reports.carrierChanged("eth1", false);
  reports.carrierChanged("eth0", true);
  reports.carrierChanged("eth1", true);
  assert.deepEqual(
    told.map((happening) => happening.type === "carrierChanged" && happening.up),
    [false, false, false, true],
  );
});

interface FakeBackend {
  readonly name: string;
  readonly backend: AddressBackend;
}

function backend(name: string, calls: string[], acquire: () => Promise<Outcome>): FakeBackend {
  return {
    name,
    backend: {
      async start() {},
      acquire: () => {
        calls.push(`${name}+`);
        return acquire();
      },
      async release() {
        calls.push(`${name}-`);
        return "confirmed";
      },
      holds: async () => "absent",
      async stop() {
        calls.push(`${name} stops`);
      },
      describe: () => `${name} is well`,
      renew() {
        if (name === "b") throw new Error("must not");
        calls.push(`${name} renewed`);
      },
    },
  };
}

const noReports = {} as AddressReports;

test("backends acquire in order and release in reverse; what fails is undone from there", async () => {
  const calls: string[] = [];
  let answer: Outcome = "confirmed";
  const chain = createAddressChain(
    [
      backend("a", calls, async () => "confirmed"),
      backend("b", calls, async () => answer),
      backend("c", calls, async () => "confirmed"),
    ],
    noReports,
    log,
  );
  await chain.start();
  assert.deepEqual(await chain.acquire(1), { outcome: "confirmed", detail: "" });
  assert.equal((await chain.release()).outcome, "confirmed");
  answer = "refused";
  assert.deepEqual(await chain.acquire(3), { outcome: "refused", detail: "b: b is well" });
  answer = "unknown";
  assert.equal((await chain.acquire(5)).outcome, "unknown");
  chain.renew();
  await chain.stop();
  const once = ["a+", "b+", "c+", "c-", "b-", "a-"];
  const undone = ["a+", "b+", "b-", "a-"];
  const end = ["a renewed", "c renewed", "c stops", "b stops", "a stops"];
  assert.deepEqual(calls, [...once, ...undone, ...undone, ...end]);
});

test("a release ends an acquire that is under way: no later backend takes anything", async () => {
  const calls: string[] = [];
  const slow = Promise.withResolvers<Outcome>();
  const chain = createAddressChain(
    [backend("a", calls, () => slow.promise), backend("c", calls, async () => "confirmed")],
    noReports,
    log,
  );
  await chain.start();
  const acquired = chain.acquire(1);
  const released = chain.release();
  slow.resolve("confirmed");
  assert.equal((await acquired).outcome, "unknown");
  assert.equal((await released).outcome, "confirmed");
  assert.deepEqual(calls, ["a+", "c-", "a-"]);
});

test("a backend that throws is unknown, never confirmed", async () => {
  const chain = createAddressChain(
    [backend("a", [], () => Promise.reject(new Error("netlink is gone")))],
    noReports,
    log,
  );
  assert.deepEqual(await chain.acquire(1), { outcome: "unknown", detail: "a: netlink is gone" });
});
