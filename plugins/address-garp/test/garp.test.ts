/**
 * Announcements and questions on a real segment: other machines' neighbour tables are corrected, answers are told apart
 * by who gives them, and the suite of every address backend passes. This process is itself a machine, on the bridge.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import {
  addressConformance,
  type HeardReports,
  recordingReports,
} from "@understudy/core/conformance/address";
import {
  makePlugin,
  monotonicClock,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { enterPrivateNetwork, makePrivateSegment } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import type { AddressBackend, Plugin } from "@understudy/core/public";
import plugin from "../src/plugin.js";

enterPrivateNetwork(import.meta.url);

const segment = makePrivateSegment({
  peer: ["10.98.2.3/24", "fd00:98:2::3/64"],
  client: ["10.98.2.9/24", "fd00:98:2::9/64"],
  gateway: ["10.98.2.1/24", "fd00:98:2::1/64"],
});
const ip = (...args: readonly string[]) => execFileSync("ip", args, { encoding: "utf8" });
ip("addr", "add", "10.98.2.2/24", "dev", segment.bridge);
ip("addr", "add", "fd00:98:2::2/64", "dev", segment.bridge, "nodad");

const haAddresses = [
  { address: "10.98.2.100", family: 4, prefixLength: 24, interfaceName: undefined },
  { address: "fd00:98:2::100", family: 6, prefixLength: 64, interfaceName: undefined },
] as const;
const node = testNode({
  addresses: ["10.98.2.2", "fd00:98:2::2"],
  peerAddresses: ["10.98.2.3", "fd00:98:2::3"],
  haAddresses,
});
const make = () =>
  makePlugin(
    plugin as Plugin<"address">,
    {},
    { node, clock: monotonicClock(), log: recordingLog() },
  ) as AddressBackend;

const macOf = (listing: string) => /link\/ether ([0-9a-f:]+)/.exec(listing)?.[1] ?? "";
const macs = {
  us: macOf(ip("link", "show", segment.bridge)),
  peer: macOf(segment.run("peer", "ip", "link", "show", "eth0")),
  client: macOf(segment.run("client", "ip", "link", "show", "eth0")),
};

function give(machine: string, address: string, change: "add" | "del"): void {
  const length = address.includes(":") ? "64" : "24";
  const nodad = address.includes(":") && change === "add" ? ["nodad"] : [];
  segment.run(machine, "ip", "addr", change, `${address}/${length}`, "dev", "eth0", ...nodad);
}

let backend: AddressBackend;
let reports: HeardReports;
before(async () => {
  backend = make();
  reports = recordingReports();
  await backend.start(reports);
});
after(() => backend.stop());

/** The reports that come after now, asking again until one matches. */
async function hears(what: string, ask: () => void, matches: (line: string) => boolean): Promise<void> {
  const from = reports.all.length;
  await until(what, () => {
    ask();
    backend.drain?.();
    return reports.all.slice(from).some(matches);
  });
}
const answerOf = (address: string, mac: string, from: string) => (line: string) =>
  line.startsWith("addressAnswered") && [address, mac, `"${from}"`].every((part) => line.includes(part));

for (const { address } of haAddresses) {
  test(`R7: an announcement of ${address} corrects a neighbour table that points elsewhere`, async () => {
    const lladdr = () =>
      / lladdr ([0-9a-f:]+)/.exec(segment.run("client", "ip", "neigh", "show", address))?.[1];
    segment.run(
      "client",
      "ip",
      "neigh",
      "replace",
      address,
      "lladdr",
      macs.peer,
      "dev",
      "eth0",
      "nud",
      "reachable",
    );
    assert.equal(lladdr(), macs.peer);
    await until("the table points at us", () => lladdr() === macs.us, { again: () => backend.announce?.() });
  });

  test(`the peer is told from a stranger when it answers for ${address}`, async () => {
    await until("the peer's own address answers, so that its MAC is known", () => {
      backend.probeAddress?.();
      backend.drain?.();
      return backend.describe().includes(macs.peer);
    });
    give("peer", address, "add");
    await hears(
      `the peer answers for ${address}`,
      () => backend.probeAddress?.(),
      answerOf(address, macs.peer, "peer"),
    );
    give("peer", address, "del");
    give("client", address, "add");
    await hears(
      `a stranger answers`,
      () => backend.probeAddress?.(),
      answerOf(address, macs.client, "stranger"),
    );
    give("client", address, "del");
  });
}

test("R1: a question is never asked from an HA address, and this machine's own answer is none", async () => {
  for (const { address, prefixLength } of haAddresses)
    ip("addr", "add", `${address}/${prefixLength}`, "dev", segment.bridge);
  const from = reports.all.length;
  await hears(
    "a neighbour",
    () => {
      backend.probeAddress?.();
      backend.announce?.();
      ip("route", "replace", "default", "via", "10.98.2.1");
      backend.probeNeighbours?.();
    },
    (line) => line.startsWith("neighbourHeard"),
  );
  assert.equal(
    reports.all.slice(from).some((line) => line.startsWith("addressAnswered")),
    false,
  );
  const table = segment.run("gateway", "ip", "neigh", "show");
  for (const { address } of haAddresses) assert.equal(table.includes(`${address} `), false, table);
  for (const { address, prefixLength } of haAddresses)
    ip("addr", "del", `${address}/${prefixLength}`, "dev", segment.bridge);
});

test("R9: the default gateway is a neighbour; the peer is none", async () => {
  ip("route", "replace", "default", "via", "10.98.2.1");
  await hears(
    "the gateway answers",
    () => backend.probeNeighbours?.(),
    (line) => line === `neighbourHeard ${segment.bridge}`,
  );
  segment.plug("gateway", "out");
  segment.plug("client", "out");
  // One answer may be under way; after a question that the peer did answer, nothing else can come.
  segment.run("peer", "ip", "neigh", "flush", "all");
  backend.drain?.();
  give("peer", "10.98.2.100", "add");
  const from = reports.all.length;
  await hears(
    "the peer answers",
    () => {
      backend.probeNeighbours?.();
      backend.probeAddress?.();
    },
    answerOf("10.98.2.100", macs.peer, "peer"),
  );
  assert.equal(
    reports.all.slice(from).some((line) => line.startsWith("neighbourHeard")),
    false,
  );
  give("peer", "10.98.2.100", "del");
  segment.plug("gateway", "in");
  segment.plug("client", "in");
});

test("a machine heard in passing is asked for a sign of life later, without any gateway", async () => {
  ip("route", "flush", "default");
  ip("neigh", "flush", "dev", segment.bridge);
  const fresh = make();
  const heard = recordingReports();
  await fresh.start(heard);
  await until(
    "it answers",
    () => {
      fresh.drain?.();
      fresh.probeNeighbours?.();
      return heard.all.includes(`neighbourHeard ${segment.bridge}`);
    },
    {
      // Asks everybody for somebody else: no answer of ours, only a frame in passing. It has just been plugged in, and a
      // device drops what it is given until it has taken note of its carrier, so once may be too soon.
      again: () => segment.succeeds("client", "arping", "-c", "1", "-w", "1", "-I", "eth0", "10.98.2.200"),
    },
  );
  await fresh.stop();
});

test("an interface that is taken down and up again is heard again", async () => {
  ip("link", "set", segment.bridge, "down");
  await until("it is noticed", () => {
    backend.drain?.();
    return backend.describe().includes("gone or down");
  });
  ip("link", "set", segment.bridge, "up");
  ip("addr", "replace", "fd00:98:2::2/64", "dev", segment.bridge, "nodad");
  await hears(
    "a neighbour",
    () => backend.probeNeighbours?.(),
    (line) => line.startsWith("neighbourHeard"),
  );
});

addressConformance({
  name: "garp",
  takesAddresses: false,
  haAddresses: haAddresses.map(({ address }) => address),
  make,
  present: () => {
    const listing = ip("-o", "addr", "show");
    return haAddresses.map(({ address }) => address).filter((address) => listing.includes(` ${address}/`));
  },
  add: (address) =>
    void ip("addr", "add", `${address}/${address.includes(":") ? 64 : 24}`, "dev", segment.bridge),
  remove: (address) =>
    void ip("addr", "del", `${address}/${address.includes(":") ? 64 : 24}`, "dev", segment.bridge),
});
