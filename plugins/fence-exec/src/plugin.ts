/** The plugin "exec" of kind fence: a fence agent of the ClusterLabs kind, or any command that switches a machine off. */

import { capabilities, definePlugin } from "@understudy/core/public";
import { execFence } from "./fence.js";
import { execOptions } from "./options.js";

export default definePlugin({
  name: "exec",
  kind: "fence",
  config: execOptions,
  needs: { node: capabilities.node, log: capabilities.log },
  create: (options, { node, log }) => execFence(options, node, log),
});
