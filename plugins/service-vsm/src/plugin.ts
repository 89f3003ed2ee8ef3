/** The plugin "vsm" of kind service: the session broker's HTTP API at the HA address. */

import { capabilities, definePlugin } from "@understudy/core/public";
import { vsmOptions } from "./options.js";
import { vsmService } from "./vsm-service.js";

export default definePlugin({
  name: "vsm",
  kind: "service",
  config: vsmOptions,
  needs: {
    sessions: capabilities.sessions,
    tokens: capabilities.tokens,
    node: capabilities.node,
    folders: capabilities.folders,
    clock: capabilities.clock,
    log: capabilities.log,
  },
  create: (options, needs) => vsmService(options, needs),
});
