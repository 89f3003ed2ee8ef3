/** What an owner may say about this plugin in the config. */

import { z } from "@understudy/core/public";
import { labelComplaint } from "./label.js";
import { routingOptions } from "./route-options.js";

export const iproute2Options = z
  .strictObject({
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
    label: z
      .string()
      .regex(/^[^\s/"';]{1,15}$/, "is at most 15 characters without spaces, such as ha or eth0:ha")
      .optional()
      .describe(
        "The label of IPv4 HA addresses, for tools that show one: `ha` becomes eth0:ha on eth0; with a colon it is taken as it is and begins with the interface's name. Default: the interface's name.",
      ),
    ...routingOptions,
    arpIgnore: z
      .enum(["all", "interface", "leave"])
      .default("all")
      .describe(
        "Where to set net.ipv4.conf.*.arp_ignore=1 while running, so that no other interface answers ARP for the HA address: on `all` interfaces, on the `interface` of the address only, or `leave` it alone. Default: all.",
      ),
  })
  .superRefine(({ label, interface: name }, context) => {
    const message = label === undefined || name === undefined ? undefined : labelComplaint(label, name);
    if (message !== undefined) context.addIssue({ code: "custom", path: ["label"], message });
  });

export type Iproute2Options = z.infer<typeof iproute2Options>;
