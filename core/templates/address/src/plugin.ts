/** The definition of the address backend "@@NAME@@": what it is called, what can be configured, what it needs to know. */

import { isAbsolute } from "node:path";
import { capabilities, definePlugin, z } from "@understudy/core/public";
import { tableBackend } from "./table-backend.ts";

export default definePlugin({
  name: "@@NAME@@",
  kind: "address",
  // Every address backend runs there. After start() it may spawn nothing and block for a millisecond at most.
  runsIn: "pulse",
  config: z
    .strictObject({
      path: z
        .string()
        .refine(isAbsolute, "must be an absolute path")
        .describe(
          "The file with the addresses of this machine, one a line, absolute; its folder must exist.",
        ),
    })
    .describe("Keeps the HA addresses in a text file."),
  needs: { node: capabilities.node },
  // No work here: it is made, and touches nothing before start(), or withdraw() in another process.
  create: ({ path }, { node }) =>
    tableBackend(
      path,
      node.haAddresses.map(({ address }) => address),
    ),
});
