/** The transport suite over IPv4, IPv6 and link-local addresses, to the peer, to groups and as broadcast; interfaces go down and up. */

import { after, before, describe } from "node:test";
import { makePlugin, otherNode, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import { transportConformance } from "@understudy/core/conformance/transport";
import type { NodeIdentity } from "@understudy/core/public";
import udp from "../src/plugin.js";
import { acceptLocal, addCable, cableUp, cutCable, insideNamespace, ip } from "./namespace.js";

let lastPort = 7000;

const v4 = { addresses: { primary: "10.77.0.1", secondary: "10.77.0.2" } };
const v6 = { addresses: { primary: "fd77::1", secondary: "fd77::2" } };
const linkLocal = {
  addresses: { primary: "fe80::1", secondary: "fe80::2" },
  interface: { primary: "va", secondary: "vb" },
};
const groups: readonly (readonly [string, object])[] = [
  ["multicast over IPv4, a group of the link", { ...v4, multicast: { group: "224.0.0.77" } }],
  ["multicast over IPv4, a group of the site", { ...v4, multicast: { group: "239.192.77.1", ttl: 4 } }],
  ["multicast over IPv6", { ...v6, multicast: { group: "ff05::4d75" } }],
  ["multicast over IPv6, a group of the link", { ...v6, multicast: { group: "ff02::4d75" } }],
  ["multicast over IPv6 link-local", { ...linkLocal, multicast: { group: "ff02::4d75" } }],
  ["broadcast to everybody", { ...v4, broadcast: true }],
  ["broadcast to its network", { ...v4, broadcast: "10.77.0.255" }],
];

function pairOf(node: NodeIdentity, options: object, cut: () => void, mend: () => void) {
  return async () => {
    lastPort += 1;
    const port = lastPort;
    const make = (seen: NodeIdentity) =>
      makePlugin(udp, { ...options, port }, { node: seen, log: recordingLog() });
    const other = () => make(otherNode(node));
    return { a: make(node), b: other(), again: other, cut, mend, dispose() {} };
  };
}

if (insideNamespace(import.meta.url)) {
  describe("udp", () => {
    before(() => {
      loopbackUp();
      addCable();
      acceptLocal();
    });
    after(() => void ip("link", "delete", "va"));

    transportConformance({
      name: "udp over IPv4",
      cuts: true,
      makePair: pairOf(testNode(), {}, () => void ip("link", "set", "lo", "down"), loopbackUp),
    });
    transportConformance({
      name: "udp over IPv6",
      cuts: true,
      makePair: pairOf(
        testNode({ addresses: ["::1"], peerAddresses: ["::2"] }),
        {},
        () => void ip("link", "set", "lo", "down"),
        loopbackUp,
      ),
    });
    transportConformance({
      name: "udp over IPv6 link-local",
      cuts: true,
      makePair: pairOf(testNode(), linkLocal, () => void ip("link", "set", "va", "down"), cableUp),
    });
    for (const [name, options] of groups) {
      transportConformance({
        name: `udp ${name}`,
        cuts: true,
        makePair: pairOf(testNode(), options, cutCable, cableUp),
      });
    }
  });
}

/** The kernel forgets the IPv6 addresses of an interface that goes down, and so the paths must bind anew. */
function loopbackUp(): void {
  ip("link", "set", "lo", "up");
  ip("address", "replace", "::2/128", "dev", "lo");
}
