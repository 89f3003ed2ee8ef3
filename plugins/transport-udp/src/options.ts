/**
 * What a person may write for a UDP path. The same file serves both nodes, so what differs between the machines is
 * written for both, by side.
 */

import { isIP } from "node:net";
import { z } from "@understudy/core/public";

const address = z.string().refine((text) => isIP(text) !== 0, {
  message: "is no IPv4 or IPv6 address; a link-local one may name its interface, like fe80::1%eth1",
});

const interfaceName = z.string().regex(/^[^\s/%]{1,15}$/, "is no name of a network interface");

export const udpOptions = z
  .strictObject({
    addresses: z
      .strictObject({ primary: address, secondary: address })
      .refine(({ primary, secondary }) => isIP(primary) === isIP(secondary), {
        message: "one is IPv4 and the other IPv6, and so they cannot speak to each other",
      })
      .refine(({ primary, secondary }) => primary !== secondary, {
        message: "both nodes have the same address",
      })
      .optional()
      .describe(
        "IP address of each node on this path, never the HA address. Default: the first node address of each, both of one family.",
      ),
    interface: z
      .union([interfaceName, z.strictObject({ primary: interfaceName, secondary: interfaceName })])
      .optional()
      .describe(
        "Network interface of this path: one name, or { primary, secondary } where they differ. Needed for IPv6 link-local addresses written without %interface. Default: the one that has the address.",
      ),
    port: z
      .int()
      .min(1)
      .max(65535)
      .optional()
      .describe(
        "UDP port on both nodes; each path between the same two addresses needs its own. Default: heartbeat.port.",
      ),
  })
  .describe("Heartbeats over UDP, from one node address to the other.");

export type UdpOptions = z.infer<typeof udpOptions>;
