/** The plugin "blocks-in-pulse": it says that it never blocks, and blocks for 40 ms. */

import { definePlugin, z } from "@understudy/core/public";
import { blockingTransport } from "./blocking-transport.js";

export default definePlugin({
  name: "blocks-in-pulse",
  kind: "transport",
  runsIn: "pulse",
  config: z.strictObject({}),
  needs: {},
  create: () => blockingTransport(40),
});
