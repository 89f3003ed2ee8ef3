/**
 * A segment that does not listen: neighbours that take no gratuitous ARP, a switch that eats what we say or what is said
 * to us. This process is the machine that has taken the addresses, on the bridge; the test stands in for the core.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, beforeEach, test } from "node:test";
import { type HeardReports, recordingReports } from "@understudy/core/conformance/address";
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
  peer: ["10.98.3.3/24", "fd00:98:3::3/64"],
  client: ["10.98.3.9/24", "fd00:98:3::9/64"],
  gateway: ["10.98.3.1/24", "fd00:98:3::1/64"],
});
const run = (command: string, ...args: readonly string[]) =>
  execFileSync(command, args, { encoding: "utf8" });
run("ip", "addr", "add", "10.98.3.2/24", "dev", segment.bridge);
run("ip", "addr", "add", "fd00:98:3::2/64", "dev", segment.bridge, "nodad");
run("ip", "route", "add", "default", "via", "10.98.3.1");
run("ip", "-6", "route", "add", "default", "via", "fd00:98:3::1", "dev", segment.bridge);

const haAddresses = [
  { address: "10.98.3.100", family: 4, prefixLength: 24, interfaceName: undefined },
  { address: "fd00:98:3::100", family: 6, prefixLength: 64, interfaceName: undefined },
] as const;
const node = testNode({
  addresses: ["10.98.3.2", "fd00:98:3::2"],
  peerAddresses: ["10.98.3.3", "fd00:98:3::3"],
  haAddresses,
});
const macOf = (listing: string) => /link\/ether ([0-9a-f:]+)/.exec(listing)?.[1] ?? "";
const macs = {
  us: macOf(run("ip", "link", "show", segment.bridge)),
  peer: macOf(segment.run("peer", "ip", "link", "show", "eth0")),
};

let backend: AddressBackend;
let reports: HeardReports;
before(async () => {
  backend = makePlugin(
    plugin as Plugin<"address">,
    { refresh: 1 },
    { node, clock: monotonicClock(), log: recordingLog() },
  ) as AddressBackend;
  reports = recordingReports();
  await backend.start(reports);
});
after(() => backend.stop());
beforeEach(async () => {
  await backend.release();
  for (const { address, prefixLength } of haAddresses)
    run(
      "ip",
      "addr",
      "replace",
      `${address}/${prefixLength}`,
      "dev",
      segment.bridge,
      ...(address.includes(":") ? ["nodad"] : []),
    );
});

/** What was reported of the segment since `from`, the agreement alone. */
const saidSince = (from: number) =>
  reports.all.slice(from).flatMap((line) => /^segmentAgreed (\w+) 1000 /.exec(line)?.[1] ?? []);

/** Neighbours are known before a takeover: by the probes of a standby, and because clients ask for the address. */
async function neighboursAreHeard(): Promise<void> {
  const from = reports.all.length;
  await until("the gateway and the peer answer", () => {
    backend.probeNeighbours?.();
    backend.probeAddress?.();
    backend.drain?.();
    return (
      reports.all.slice(from).some((line) => line.startsWith("neighbourHeard")) &&
      backend.describe().includes(macs.peer)
    );
  });
  segment.succeeds("client", "arping", "-c", "1", "-w", "1", "-I", "eth0", "10.98.3.200");
  backend.drain?.();
}

/** As the core does while the segment disagrees, only faster. */
const announce = () => {
  backend.announce?.();
  backend.probeNeighbours?.();
  backend.drain?.();
};

const entryOf = (machine: string, address: string) =>
  / lladdr ([0-9a-f:]+)/.exec(segment.run(machine, "ip", "neigh", "show", address))?.[1];
const pointAtPeer = (machine: string) => {
  for (const { address } of haAddresses)
    segment.run(
      machine,
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
};

test("R7: a neighbour that drops gratuitous ARP is told by being asked, and the segment agrees", async () => {
  await neighboursAreHeard();
  for (const family of ["ipv4/conf/eth0/drop_gratuitous_arp", "ipv6/conf/eth0/drop_unsolicited_na"])
    segment.run("client", "sh", "-c", `echo 1 > /proc/sys/net/${family}`);
  pointAtPeer("client");
  segment.succeeds("client", "ping", "-c", "1", "-W", "1", "fd00:98:3::1");
  const from = reports.all.length;
  await backend.acquire(1);
  await until("the segment agrees and the table points here", () => {
    announce();
    return saidSince(from).at(-1) === "agreed" && entryOf("client", "10.98.3.100") === macs.us;
  });
  assert.match(backend.describe(), /; announced, agreed by (\d) of \1 neighbours$/);
});

for (const [what, hook, rule] of [
  ["all that we say", "output", "ether type arp drop; add rule bridge eat way icmpv6 type { 135, 136 } drop"],
  ["all that is said to us alone", "input", `ether daddr ${macs.us} drop`],
] as const) {
  test(`R7: a bridge that eats ${what} for a while: announcing goes on until the segment agrees`, async () => {
    await neighboursAreHeard();
    pointAtPeer("client");
    run(
      "nft",
      `add table bridge eat; add chain bridge eat way { type filter hook ${hook} priority 0; }; add rule bridge eat way ${rule}`,
    );
    const from = reports.all.length;
    await backend.acquire(1);
    let rounds = 0;
    await until("twenty rounds in vain", () => {
      announce();
      rounds += 1;
      return rounds === 20;
    });
    assert.deepEqual(saidSince(from), ["disagreed"]);
    assert.match(backend.describe(), /agreed by 0 of \d neighbours?$/);
    run("nft", "delete table bridge eat");
    await until("the segment agrees", () => {
      announce();
      return saidSince(from).length > 1;
    });
    assert.deepEqual(saidSince(from), ["disagreed", "agreed"]);
    assert.equal(entryOf("client", "10.98.3.100"), macs.us);
  });
}

test("a machine that answers for the address too makes everybody doubtful until they have answered again", async () => {
  await neighboursAreHeard();
  await backend.acquire(1);
  const from = reports.all.length;
  await until("the segment agrees", () => {
    announce();
    return saidSince(from).at(-1) === "agreed";
  });
  segment.run("peer", "ip", "addr", "add", "10.98.3.100/24", "dev", "eth0");
  await until("it does not", () => {
    backend.probeAddress?.();
    backend.drain?.();
    return saidSince(from).at(-1) === "disagreed";
  });
  segment.run("peer", "ip", "addr", "del", "10.98.3.100/24", "dev", "eth0");
  await until("it does again", () => {
    announce();
    return saidSince(from).at(-1) === "agreed";
  });
});

test("the first round of a takeover only tells; who has released asks nobody from the HA address", async () => {
  run(
    "nft",
    "add table netdev seen; add set netdev seen asked { typeof arp saddr ip . arp daddr ip; flags dynamic; }",
  );
  run(
    "nft",
    `add chain netdev seen out { type filter hook egress device "${segment.bridge}" priority 0; }; add rule netdev seen out arp saddr ip 10.98.3.100 arp daddr ip != 10.98.3.100 update @seen { arp saddr ip . arp daddr ip }`.replace(
      "@seen",
      "@asked",
    ),
  );
  const asked = () =>
    /elements = \{([^}]*)\}/.exec(run("nft", "list", "set", "netdev", "seen", "asked"))?.[1];
  await neighboursAreHeard();
  await backend.acquire(1);
  backend.announce?.();
  assert.equal(asked(), undefined, "after the first round");
  backend.announce?.();
  assert.match(asked() ?? "", /10\.98\.3\.100 \. 10\.98\.3\.1/);
  await backend.release();
  run("nft", "flush set netdev seen asked");
  for (let round = 0; round < 5; round += 1) announce();
  assert.equal(asked(), undefined, "after the release");
  run("nft", "delete table netdev seen");
});
