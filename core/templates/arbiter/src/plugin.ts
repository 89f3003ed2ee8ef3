/** The definition of the arbiter "@@NAME@@": what it is called, what can be configured, what it needs to know. */

import { isAbsolute } from "node:path";
import { definePlugin, z } from "@understudy/core/public";
import { signArbiter } from "./sign-arbiter.ts";

export default definePlugin({
  name: "@@NAME@@",
  kind: "arbiter",
  // Only one that can promise never to grant two nodes at once may say true: see rule R30.
  exclusive: false,
  config: z
    .strictObject({
      path: z
        .string()
        .refine(isAbsolute, "must be an absolute path")
        .describe("The file that must be there for this node to serve, absolute."),
    })
    .describe("Lets this node serve while a file is there."),
  needs: {},
  // No work here: it is made, and touches nothing before start().
  create: ({ path }) => signArbiter(path),
});
