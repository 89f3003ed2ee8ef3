/** The definition of the session store "@@NAME@@": what it is called, what can be configured, what it needs to know. */

import { isAbsolute, join } from "node:path";
import { capabilities, definePlugin, z } from "@understudy/core/public";
import { journalStore } from "./journal-store.ts";

export default definePlugin({
  name: "@@NAME@@",
  kind: "store",
  config: z
    .strictObject({
      path: z
        .string()
        .refine(isAbsolute, "must be an absolute path")
        .optional()
        .describe(
          "The journal, absolute; its folder must exist. Default: @@NAME@@.journal in the state folder.",
        ),
    })
    .describe("Keeps sessions in memory and in a journal on the disk."),
  needs: { folders: capabilities.folders },
  // No work here: it is made, and touches nothing before open().
  create: ({ path }, { folders }) => journalStore(path ?? join(folders.state, "@@NAME@@.journal")),
});
