/** The definition of the service "@@NAME@@": what it is called, what can be configured, what it needs to know. */

import { capabilities, definePlugin, z } from "@understudy/core/public";
import { echoService } from "./echo-service.ts";

export default definePlugin({
  name: "@@NAME@@",
  kind: "service",
  config: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .default("::")
        .describe("Address to listen on. Default: :: (all of this machine)."),
      port: z.int().min(1).max(65535).default(7007).describe("TCP port to listen on. Default: 7007."),
    })
    .describe("Answers every line with the same line."),
  needs: { log: capabilities.log },
  // No work here: it is made, and touches nothing before start().
  create: ({ host, port }, { log }) => echoService({ host, port, log }),
});
