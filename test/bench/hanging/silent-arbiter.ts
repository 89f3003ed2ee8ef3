/** An advisory arbiter that never answers and hears no abort. */

import { definePlugin, z } from "@understudy/core/public";

export default definePlugin({
  name: "silent",
  kind: "arbiter",
  config: z.strictObject({}),
  needs: {},
  create: () => ({
    async start() {},
    ask: () => new Promise(() => undefined),
    async stop() {},
    describe: () => "never answers",
  }),
});
