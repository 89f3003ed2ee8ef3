/** A fence whose device never answers, neither when it is checked nor when it must fence. */

import { definePlugin, z } from "@understudy/core/public";

export default definePlugin({
  name: "silent",
  kind: "fence",
  config: z.strictObject({}),
  needs: {},
  create: () => ({
    async start() {},
    fence: () => new Promise(() => undefined),
    check: () => new Promise(() => undefined),
    async stop() {},
    describe: () => "never answers",
  }),
});
