/** The definition of the observer "@@NAME@@": what it is called, what can be configured, what it needs to know. */

import { isAbsolute, join } from "node:path";
import { capabilities, definePlugin, z } from "@understudy/core/public";
import { fileObserver } from "./file-observer.ts";

export default definePlugin({
  name: "@@NAME@@",
  kind: "observer",
  config: z
    .strictObject({
      path: z
        .string()
        .refine(isAbsolute, "must be an absolute path")
        .optional()
        .describe("The file, absolute; its folder must exist. Default: @@NAME@@.jsonl in the state folder."),
      kinds: z
        .array(z.string().min(1))
        .default([])
        .describe("Kinds of entries that are written; an empty list: all of them. Default: all."),
    })
    .describe("Appends what happens to the pair to a file, one line of JSON each."),
  needs: { folders: capabilities.folders },
  // No work here: it is made, and touches nothing before start().
  create: ({ path, kinds }, { folders }) =>
    fileObserver({ path: path ?? join(folders.state, "@@NAME@@.jsonl"), kinds }),
});
