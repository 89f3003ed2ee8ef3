/** The transport suite over IPv4, over IPv6, and over IPv6 link-local addresses, with interfaces going down and up. */

import { after, before, describe } from "node:test";
import { makePlugin, otherNode, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import { transportConformance } from "@understudy/core/conformance/transport";
import type { NodeIdentity } from "@understudy/core/public";
import udp from "../src/plugin.js";
import { insideNamespace, ip } from "./namespace.js";

let lastPort = 7000;

function pairOf(node: NodeIdentity, options: object, cut: () => void, mend: () => void) {
  return async () => {
    lastPort += 1;
    const make = (seen: NodeIdentity) =>
      makePlugin(udp, { ...options, port: lastPort }, { node: seen, log: recordingLog() });
    return { a: make(node), b: make(otherNode(node)), cut, mend, dispose() {} };
  };
}

if (insideNamespace(import.meta.url)) {
  describe("udp", () => {
    before(() => {
      loopbackUp();
      ip("link", "add", "va", "type", "veth", "peer", "name", "vb");
      addLinkLocal();
    });
    after(() => ip("link", "delete", "va"));

    transportConformance({
      name: "udp over IPv4",
      cuts: true,
      makePair: pairOf(testNode(), {}, () => ip("link", "set", "lo", "down"), loopbackUp),
    });
    transportConformance({
      name: "udp over IPv6",
      cuts: true,
      makePair: pairOf(
        testNode({ addresses: ["::1"], peerAddresses: ["::2"] }),
        {},
        () => ip("link", "set", "lo", "down"),
        loopbackUp,
      ),
    });
    transportConformance({
      name: "udp over IPv6 link-local",
      cuts: true,
      makePair: pairOf(
        testNode(),
        {
          addresses: { primary: "fe80::1", secondary: "fe80::2" },
          interface: { primary: "va", secondary: "vb" },
        },
        () => ip("link", "set", "va", "down"),
        addLinkLocal,
      ),
    });
  });
}

/** The kernel forgets the IPv6 addresses of an interface that goes down, and so the paths must bind anew. */
function loopbackUp(): void {
  ip("link", "set", "lo", "up");
  ip("address", "replace", "::2/128", "dev", "lo");
}

function addLinkLocal(): void {
  for (const [device, address] of [
    ["va", "fe80::1/64"],
    ["vb", "fe80::2/64"],
  ] as const) {
    ip("link", "set", device, "up");
    ip("address", "replace", address, "dev", device, "nodad");
  }
}
