/** What an owner may say about this plugin in the config. */

import { z } from "@understudy/core/public";

export const ifconfigOptions = z.strictObject({
  interface: z
    .string()
    .max(31, "must be the name of an IP interface, at most 31 characters")
    .regex(/^[a-zA-Z][a-zA-Z0-9._]*$/, "must be the name of an IP interface without a colon, such as net0")
    .optional()
    .describe(
      "The IP interface the HA addresses go on, such as net0 or ipmp0. Default: the one whose network contains the address.",
    ),
  command: z
    .string()
    .startsWith("/", "must be an absolute path")
    .max(200, "must have at most 200 characters")
    .default("/usr/sbin/ifconfig")
    .describe("The ifconfig program. Default: /usr/sbin/ifconfig."),
});

export type IfconfigOptions = z.infer<typeof ifconfigOptions>;
