/** The plugin "blocks-in-node": every half second it holds node up for 300 ms. */

import { definePlugin, z } from "@understudy/core/public";
import { blockingTransport } from "./blocking-transport.js";

export default definePlugin({
  name: "blocks-in-node",
  kind: "transport",
  beatIntervalMs: () => 500,
  config: z.strictObject({}),
  needs: {},
  create: () => blockingTransport(300),
});
