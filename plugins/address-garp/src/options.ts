/** What an owner may say about this plugin in the config. */

import { z } from "@understudy/core/public";

export const garpOptions = z.strictObject({
  interface: z
    .string()
    .min(1)
    .max(15)
    .regex(/^[^\s/"':;]+$/, "an interface's name, such as eth0")
    .optional()
    .describe(
      "The interface on which the HA addresses are announced, such as eth0. Default: the one whose network contains the address.",
    ),
  refresh: z
    .int()
    .min(1)
    .max(3600)
    .default(60)
    .describe(
      "Seconds between two announcements once every neighbour has answered to the HA address; before that it is one. Below the time after which your switches forget who is where. Default: 60.",
    ),
});

export type GarpOptions = z.infer<typeof garpOptions>;
