/** The plugin `garp`: gratuitous ARP, unsolicited neighbour advertisements, and questions to the segment. */

import { capabilities, definePlugin } from "@understudy/core/public";
import { makeBackend } from "./backend.js";
import { garpOptions } from "./options.js";

export default definePlugin({
  name: "garp",
  kind: "address",
  runsIn: "pulse",
  config: garpOptions,
  needs: { node: capabilities.node, clock: capabilities.clock, log: capabilities.log },
  create: makeBackend,
});
