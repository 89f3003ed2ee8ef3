/** An observer that blocks the node process for a while with its first entry and never says that it is done. */

import { definePlugin, z } from "@understudy/core/public";
import { block } from "./blocking.js";

const blockMs = 300;

export default definePlugin({
  name: "silent",
  kind: "observer",
  config: z.strictObject({}),
  needs: {},
  create: () => ({
    async start() {},
    observe() {
      block(blockMs);
      return new Promise<never>(() => undefined);
    },
    async stop() {},
    describe: () => "never done",
  }),
});
