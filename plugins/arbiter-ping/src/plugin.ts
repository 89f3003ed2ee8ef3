/** The plugin "ping" of kind arbiter: a node that reaches no gateway does not take the address. */

import { capabilities, definePlugin } from "@understudy/core/public";
import { pingArbiter } from "./arbiter.js";
import { pingOptions } from "./options.js";

export default definePlugin({
  name: "ping",
  kind: "arbiter",
  config: pingOptions,
  needs: { log: capabilities.log },
  create: (options, { log }) => pingArbiter(options, log),
});
