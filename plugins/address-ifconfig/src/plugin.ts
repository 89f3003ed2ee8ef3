/** The plugin `ifconfig`: takes and withdraws the HA addresses on Solaris and illumos, without any native code. */

import { capabilities, definePlugin } from "@understudy/core/public";
import { makeBackend } from "./backend.js";
import { ifconfigOptions } from "./options.js";

export default definePlugin({
  name: "ifconfig",
  kind: "address",
  runsIn: "pulse",
  config: ifconfigOptions,
  needs: { node: capabilities.node, clock: capabilities.clock, log: capabilities.log },
  create: makeBackend,
});
