/** The definition of the fence "@@NAME@@": what it is called, what can be configured, what it needs to know. */

import { capabilities, commandOption, definePlugin, z } from "@understudy/core/public";
import { commandFence } from "./command-fence.ts";

export default definePlugin({
  name: "@@NAME@@",
  kind: "fence",
  config: z
    .strictObject({
      command: commandOption("What switches the other node off, and ends with 0 only when it is off."),
      timeoutMs: z
        .int()
        .min(100)
        .max(110_000)
        .default(60_000)
        .describe("Milliseconds the command may take; after that it has failed. Default: 60000."),
    })
    .describe("Switches the other node off with a command."),
  needs: { node: capabilities.node, log: capabilities.log },
  // No work here: it is made, and touches nothing before start().
  create: (options, { node, log }) => commandFence(options, node.peerName, log),
});
