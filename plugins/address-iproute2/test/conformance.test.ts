/** The suite that every address backend must pass, with this one as the machine's own plugin. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { addressConformance } from "@understudy/core/conformance/address";
import {
  makePlugin,
  monotonicClock,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { enterPrivateNetwork, makePrivateSegment } from "@understudy/core/conformance/private-network";
import type { AddressBackend, Plugin } from "@understudy/core/public";
import plugin from "../src/plugin.js";

enterPrivateNetwork(import.meta.url);

const { bridge } = makePrivateSegment({ peer: ["10.98.1.3/24"] });
const ip = (...args: readonly string[]) => execFileSync("ip", args, { encoding: "utf8" });
ip("addr", "add", "10.98.1.2/24", "dev", bridge);
ip("addr", "add", "fd00:98:1::2/64", "dev", bridge, "nodad");

const haAddresses = [
  { address: "10.98.1.100", family: 4, prefixLength: 24, interfaceName: undefined },
  { address: "fd00:98:1::100", family: 6, prefixLength: 64, interfaceName: undefined },
] as const;
const node = testNode({ addresses: ["10.98.1.2"], peerAddresses: ["10.98.1.3"], haAddresses });
const withLength = (wanted: string) =>
  haAddresses
    .filter(({ address }) => address === wanted)
    .map(({ prefixLength }) => `${wanted}/${prefixLength}`);
const disableIpv6 = (value: string) => writeFileSync(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, value);

/** Alone, and with all that can move with the addresses. */
const variants = {
  iproute2: {},
  "iproute2 with label, routes, rules and source": {
    label: "ha",
    preferredSource: true,
    routes: [
      { to: "default", via: "10.98.1.1", table: 100, source: true },
      { to: "fd00:99::/64", via: "fd00:98:1::1", metric: 50, source: "fd00:98:1::100" },
    ],
    rules: [{ from: true, table: 100 }],
  },
};
ip("route", "add", "default", "via", "10.98.1.1");
ip("-6", "route", "add", "default", "via", "fd00:98:1::1", "dev", bridge);

for (const [name, options] of Object.entries(variants)) {
  addressConformance({
    name,
    takesAddresses: true,
    haAddresses: haAddresses.map(({ address }) => address),
    make: () =>
      makePlugin(plugin as Plugin<"address">, options, {
        node,
        clock: monotonicClock(),
        log: recordingLog(),
      }) as AddressBackend,
    present: () => {
      const listing = ip("-o", "addr", "show");
      return haAddresses.map(({ address }) => address).filter((address) => listing.includes(` ${address}/`));
    },
    add: (address) => void ip("addr", "add", ...withLength(address), "dev", bridge),
    remove: (address) => {
      // The backend has its own length of prefix for it, and a stranger another one.
      const [, held = ""] = /inet6? (\S+)/.exec(ip("-o", "addr", "show", "dev", bridge, "to", address)) ?? [];
      ip("addr", "del", held, "dev", bridge);
    },
    refuseSecond: () => {
      disableIpv6("1");
      return () => {
        disableIpv6("0");
        ip("addr", "add", "fd00:98:1::2/64", "dev", bridge, "nodad");
        ip("-6", "route", "replace", "default", "via", "fd00:98:1::1", "dev", bridge);
      };
    },
  });
}
