/**
 * What groups and marks do on a wire: who is heard, what the kernel puts into the header, and that a path comes back
 * when its interface was taken away and made anew. Both ends are in one namespace, with a cable between them.
 */

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { after, before, test } from "node:test";
import {
  makePlugin,
  otherNode,
  type RecordingLog,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { until } from "@understudy/core/conformance/until";
import type { NodeIdentity, Transport } from "@understudy/core/public";
import udp from "../src/plugin.js";
import { acceptLocal, addCable, insideNamespace, ip, nft } from "./namespace.js";

const v4 = { addresses: { primary: "10.77.0.1", secondary: "10.77.0.2" } };
const v6 = { addresses: { primary: "fd77::1", secondary: "fd77::2" } };
const multicast4 = { ...v4, multicast: { group: "239.192.77.1" } };
const multicast6 = { ...v6, multicast: { group: "ff02::4d75" } };
let lastPort = 7200;

interface Ends {
  readonly ours: Transport;
  readonly theirs: Transport;
  readonly atOurs: string[];
  readonly log: RecordingLog;
  readonly port: number;
}

async function opened(options: object, work: (ends: Ends) => Promise<void>): Promise<void> {
  lastPort += 1;
  const log = recordingLog();
  const make = (node: NodeIdentity) => makePlugin(udp, { ...options, port: lastPort }, { node, log });
  const [ours, theirs] = [make(testNode()), make(otherNode(testNode()))];
  const atOurs: string[] = [];
  await ours.start((frame) => void atOurs.push(Buffer.from(frame).toString()));
  await theirs.start(() => undefined);
  try {
    await work({ ours, theirs, atOurs, log, port: lastPort });
  } finally {
    await Promise.all([ours.stop(), theirs.stop()]);
  }
}

async function strangerAt(address: string): Promise<Socket> {
  const stranger = createSocket(address.includes(":") ? "udp6" : "udp4");
  stranger.bind({ address, port: 0 });
  await once(stranger, "listening");
  if (address.includes(":")) stranger.setMulticastInterface("::%vb");
  else stranger.setMulticastInterface(address);
  stranger.setBroadcast(true);
  return stranger;
}

if (insideNamespace(import.meta.url)) {
  before(() => {
    ip("link", "set", "lo", "up");
    addCable();
    acceptLocal();
    ip("address", "add", "10.77.0.9/24", "dev", "vb");
    ip("address", "add", "fd77::9/64", "dev", "vb", "nodad");
  });
  after(() => void ip("link", "delete", "va"));

  for (const [name, options, group, strange] of [
    ["an IPv4 group", multicast4, "239.192.77.1", "10.77.0.9"],
    ["an IPv6 group", multicast6, "ff02::4d75", "fd77::9"],
    ["a broadcast", { ...v4, broadcast: true }, "255.255.255.255", "10.77.0.9"],
  ] as const) {
    test(`in ${name} the peer is heard, and neither a neighbouring pair nor what we sent ourselves`, () =>
      opened(options, async ({ ours, theirs, atOurs, port }) => {
        const stranger = await strangerAt(strange);
        const otherEar = createSocket({ type: group.includes(":") ? "udp6" : "udp4", reuseAddr: true });
        otherEar.bind({ address: group.includes(":") ? `${group}%va` : group, port });
        await once(otherEar, "listening");
        if (group.includes(":")) otherEar.addMembership(group, "::%va");
        else if (group.startsWith("239.")) otherEar.addMembership(group, "10.77.0.1");
        const overheard: string[] = [];
        otherEar.on("message", (frame) => void overheard.push(frame.toString()));
        try {
          // That the others' frames did arrive on this machine is shown by a socket without the path's filter.
          await until("all have spoken", () => atOurs.length > 2 && overheard.includes("stranger"), {
            again: () => {
              stranger.send("stranger", port, group);
              ours.send(Buffer.from("ours"));
              theirs.send(Buffer.from("peer"));
            },
          });
          assert.deepEqual([...new Set(atOurs)], ["peer"]);
        } finally {
          stranger.close();
          otherEar.close();
        }
      }));
  }

  test("a group is joined once per path and left at the stop", async () => {
    const joined = () => groupsOf("va");
    await opened(multicast4, async () => assert.match(joined(), /239\.192\.77\.1/));
    await until("the group is left", () => !joined().includes("239.192.77.1"));
  });

  for (const [name, options] of [
    ["multicast over IPv4", multicast4],
    ["multicast over IPv6", multicast6],
    ["broadcast", { ...v4, broadcast: true }],
  ] as const) {
    test(`${name} comes back when the interface was deleted and made anew`, () =>
      opened(options, async ({ ours, theirs, atOurs }) => {
        const heard = (what: string) =>
          until(what, () => atOurs.includes(what), {
            again: () => [ours.send(Buffer.from("ours")), theirs.send(Buffer.from(what))],
          });
        await heard("before");
        ip("link", "delete", "va");
        await until("it says that it is down", () => ours.describe().includes("down"), {
          again: () => ours.send(Buffer.from("ours")),
        });
        addCable();
        acceptLocal();
        await heard("afterwards");
        assert.ok(!ours.describe().includes("down"), ours.describe());
      }));
  }

  for (const [name, options, match] of [
    ["IPv4 by default", v4, "ip dscp cs6"],
    ["IPv6 by default", v6, "ip6 dscp cs6"],
    ["IPv4 multicast as EF", { ...multicast4, dscp: "EF" }, "ip dscp ef"],
    ["IPv6 multicast as 17", { ...multicast6, dscp: 17 }, "ip6 dscp 17"],
    ["broadcast as CS7", { ...v4, broadcast: "10.77.0.255", dscp: "CS7" }, "ip dscp cs7"],
    ["nothing when told so", { ...v4, dscp: 0 }, "ip dscp cs0"],
  ] as const) {
    test(`marked on the way out: ${name}`, () =>
      opened(options, async ({ ours, theirs, atOurs, port, log }) => {
        const raised = match.includes("cs6") || match.endsWith("ef") || match.includes("cs7");
        const rule = `udp dport ${port} ${match} meta priority ${raised ? "0:6" : "0:0"} counter`;
        nft("add table inet seen; add chain inet seen out { type filter hook postrouting priority 0; }");
        nft(`add rule inet seen out ${rule}; add rule inet seen out udp dport ${port} counter`);
        try {
          await until("the peer is heard", () => atOurs.length > 0, {
            again: () => [ours.send(Buffer.from("ours")), theirs.send(Buffer.from("peer"))],
          });
          const [marked, all] = [
            ...nft("list", "table", "inet", "seen").matchAll(/counter packets (\d+)/g),
          ].map((found) => Number(found[1]));
          assert.ok((all ?? 0) > 1);
          assert.equal(marked, all, nft("list", "table", "inet", "seen"));
          assert.deepEqual(
            log.lines.filter(({ level }) => level !== "info"),
            [],
          );
        } finally {
          nft("delete", "table", "inet", "seen");
        }
      }));
  }
}

/** By ip-maddress(8): the groups that this machine is in on an interface. */
function groupsOf(device: string): string {
  return ip("maddress", "show", "dev", device);
}
