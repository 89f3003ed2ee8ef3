/**
 * What a person may write for a UDP path. The same file serves both nodes, so what differs between the machines is
 * written for both, by side.
 */

import { isIP } from "node:net";
import { z } from "@understudy/core/public";
import { defaultDscp, dscpNames } from "./dscp.js";

const address = z.string().refine((text) => isIP(text) !== 0, {
  message: "is no IPv4 or IPv6 address; a link-local one may name its interface, like fe80::1%eth1",
});

const interfaceName = z.string().regex(/^[^\s/%]{1,15}$/, "is no name of a network interface");

/** 224.0.0.0/4, ff00::/8 */
const isMulticast = (text: string): boolean =>
  isIP(text) === 4 ? /^(22[4-9]|23\d)\./.test(text) : isIP(text) === 6 && /^ff[0-9a-f]{2}:/i.test(text);

const group = z
  .string()
  .refine((text) => isMulticast(text), {
    message:
      "is no multicast group: 224.0.0.0 to 239.255.255.255, such as 239.192.77.1, or IPv6, such as ff02::4d75",
  })
  .refine((text) => !text.includes("%"), {
    message: "a group is written without its interface, which the option `interface` names",
  })
  .refine((text) => !/^ff.[01]:/i.test(text), {
    message: "a group of scope 0 or 1 never leaves the machine: take one of the link, such as ff02::4d75",
  });

export const udpOptions = z
  .strictObject({
    addresses: z
      .strictObject({
        primary: address.describe("Address of the primary node on this path."),
        secondary: address.describe("Address of the secondary node on this path."),
      })
      .refine(({ primary, secondary }) => isIP(primary) === isIP(secondary), {
        message: "one is IPv4 and the other IPv6, and so they cannot speak to each other",
      })
      .refine(({ primary, secondary }) => primary !== secondary, {
        message: "both nodes have the same address",
      })
      .refine(({ primary, secondary }) => !isMulticast(primary) && !isMulticast(secondary), {
        message: "one is a multicast group, which is no node's address: `multicast` names the group",
      })
      .optional()
      .describe(
        "IP address of each node on this path, never the HA address. Default: the first node address of each, both of one family.",
      ),
    interface: z
      .union([
        interfaceName,
        z.strictObject({
          primary: interfaceName.describe("Its name on the primary node."),
          secondary: interfaceName.describe("Its name on the secondary node."),
        }),
      ])
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
    multicast: z
      .strictObject({
        group: group.describe(
          "The multicast group, IPv4 (224.0.0.0 to 239.255.255.255) or IPv6 (ff02:: and wider), the same on both nodes.",
        ),
        ttl: z
          .int()
          .min(1)
          .max(255)
          .default(1)
          .describe(
            "How many networks a frame may be in: 1 stays on the link; more only where routers carry the group. Default: 1.",
          ),
      })
      .optional()
      .describe(
        "Send to a multicast group instead of to the peer's address. What others send to the group does not count.",
      ),
    broadcast: z
      .union([
        z.boolean(),
        z.string().refine((text) => isIP(text) === 4 && !isMulticast(text), {
          message: "is no IPv4 broadcast address: `true`, or the network's own such as 10.0.0.255",
        }),
      ])
      .optional()
      .describe(
        "Send as broadcast instead of to the peer's address, IPv4 only: `true` for 255.255.255.255, or the network's own broadcast address. Default: false.",
      ),
    dscp: z
      .union([z.int().min(0).max(63), z.enum(dscpNames)], {
        error: `is no code point: a number from 0 to 63, or one of ${dscpNames.join(", ")}`,
      })
      .optional()
      .describe(
        `How switches and routers are asked to treat the frames (differentiated services): a number from 0 to 63 or a name; 0 leaves them unmarked. Default: ${defaultDscp}, network control.`,
      ),
  })
  .superRefine((options, context) => {
    for (const { path, message } of contradictions(options)) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
  })
  .describe("Heartbeats over UDP, from one node address to the other.");

export type UdpOptions = z.infer<typeof udpOptions>;

interface Written {
  readonly addresses?: { readonly primary: string; readonly secondary: string } | undefined;
  readonly interface?: string | { readonly primary: string; readonly secondary: string } | undefined;
  readonly multicast?: { readonly group: string } | undefined;
  readonly broadcast?: boolean | string | undefined;
}

interface Contradiction {
  readonly path: readonly string[];
  readonly message: string;
}

/** Options that are right each, and cannot be meant together. */
function contradictions({
  addresses,
  interface: named,
  multicast,
  broadcast,
}: Written): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const say = (path: readonly string[], message: string) => void found.push({ path, message });
  const wantsBroadcast = broadcast !== undefined && broadcast !== false;
  if (multicast !== undefined && wantsBroadcast)
    say(["broadcast"], "stands beside `multicast`, and a path has one of the two: remove one");
  if (addresses === undefined) return found;
  const family = isIP(addresses.primary);
  if (wantsBroadcast && family === 6)
    say(["broadcast"], "IPv6 has no broadcast: use `multicast` with a group such as ff02::4d75");
  if (multicast !== undefined && isIP(multicast.group) !== family)
    say(
      ["multicast", "group"],
      `is IPv${isIP(multicast.group)} and the addresses of this path are IPv${family}`,
    );
  for (const side of ["primary", "secondary"] as const) {
    if (broadcast === addresses[side]) say(["broadcast"], `is the address of the ${side} node itself`);
    const scope = addresses[side].split("%")[1];
    const name = typeof named === "object" ? named[side] : named;
    if (scope !== undefined && name !== undefined && scope !== name)
      say(["addresses", side], `is on ${scope}, and the option interface says ${name}`);
  }
  return found;
}
