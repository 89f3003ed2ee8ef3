/** What an owner may say about this plugin in the config. */

import { z } from "@understudy/core/public";

export const iproute2Options = z.strictObject({
  interface: z
    .string()
    .min(1)
    .max(15)
    .regex(/^[^\s/"':;]+$/, "an interface's name, such as eth0")
    .optional()
    .describe(
      "The interface the HA addresses go on, such as eth0. Default: the one whose network contains the address.",
    ),
  kernelLease: z
    .boolean()
    .default(true)
    .describe(
      "Let the kernel silence the HA address when this node stalls (nftables, needs Linux 5.16). Default: true; without nftables status says so.",
    ),
  arpIgnore: z
    .enum(["all", "interface", "leave"])
    .default("all")
    .describe(
      "Where to set net.ipv4.conf.*.arp_ignore=1 while running, so that no other interface answers ARP for the HA address: on `all` interfaces, on the `interface` of the address only, or `leave` it alone. Default: all.",
    ),
});

export type Iproute2Options = z.infer<typeof iproute2Options>;
