/** The plugin `iproute2`: takes and withdraws the HA addresses on Linux, behind a kernel lease. */

import { capabilities, definePlugin } from "@understudy/core/public";
import { makeBackend } from "./backend.js";
import { iproute2Options } from "./options.js";

export default definePlugin({
  name: "iproute2",
  kind: "address",
  runsIn: "pulse",
  config: iproute2Options,
  needs: { node: capabilities.node, clock: capabilities.clock, log: capabilities.log },
  create: makeBackend,
});
