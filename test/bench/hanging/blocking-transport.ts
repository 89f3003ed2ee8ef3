/** A transport that blocks the node process: 150 ms with every tenth beat that it is handed, and when it is asked how it is. */

import { definePlugin, z } from "@understudy/core/public";
import { block } from "./blocking.js";

const blockMs = 150;
const everyBeats = 10;

export default definePlugin({
  name: "blocking",
  kind: "transport",
  config: z.strictObject({}),
  needs: {},
  create() {
    let beats = 0;
    return {
      async start() {},
      send() {
        beats += 1;
        if (beats % everyBeats === 0) block(blockMs);
      },
      async stop() {},
      describe() {
        block(blockMs);
        return "blocks the node process";
      },
    };
  },
});
