/** A transport whose start and stop never settle and which carries nothing. */

import { definePlugin, z } from "@understudy/core/public";

const never = () => new Promise<never>(() => undefined);

export default definePlugin({
  name: "deaf",
  kind: "transport",
  config: z.strictObject({}),
  needs: {},
  create: () => ({ start: never, send() {}, stop: never, describe: () => "hangs at its start" }),
});
