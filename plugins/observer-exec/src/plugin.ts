/** The plugin "exec" of kind observer: commands that are run when the role changes or an alarm is raised. */

import { capabilities, definePlugin } from "@understudy/core/public";
import { execObserver } from "./hooks.js";
import { execOptions } from "./options.js";

export default definePlugin({
  name: "exec",
  kind: "observer",
  config: execOptions,
  needs: { node: capabilities.node, log: capabilities.log },
  create: (options, { node, log }) => execObserver(options, node, log),
});
