/** The definition of the transport "@@NAME@@": what it is called, what can be configured, what it needs to know. */

import { capabilities, definePlugin, z } from "@understudy/core/public";
import { streamTransport } from "./stream-transport.ts";

export default definePlugin({
  name: "@@NAME@@",
  kind: "transport",
  // TCP may hold the process up for a moment; only a transport that never blocks may say "pulse".
  runsIn: "node",
  config: z
    .strictObject({
      port: z
        .int()
        .min(1)
        .max(65535)
        .default(6950)
        .describe("TCP port on which the primary listens. Default: 6950."),
    })
    .describe("Heartbeats over a TCP connection."),
  needs: { node: capabilities.node, log: capabilities.log },
  // No work here: it is made, and touches nothing before start().
  create: ({ port }, { node, log }) => streamTransport({ node, port, log }),
});
