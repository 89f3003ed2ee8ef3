/** The plugin `memory` of kind store: sessions are kept in the memory of both nodes, and on no disk. */

import { definePlugin, z } from "@understudy/core/public";
import { createMemoryStore } from "./memory-store.js";

export default definePlugin({
  name: "memory",
  kind: "store",
  config: z
    .strictObject({
      mostSessions: z
        .int()
        .min(100)
        .max(5_000_000)
        .default(100_000)
        .describe(
          "Sessions kept at most, ended ones that the other node may not have heard of included; about 1 KB of memory " +
            "each. Beyond it new ones are refused, and running ones can still be ended. Default: 100000.",
        ),
    })
    .describe("Keeps sessions in the memory of both nodes: what both lose at once is gone."),
  needs: {},
  create: ({ mostSessions }) => createMemoryStore(mostSessions),
});
