/** The plugin "prometheus" of kind observer: `/metrics` over HTTP. */

import { capabilities, definePlugin } from "@understudy/core/public";
import { prometheusObserver } from "./observer.js";
import { prometheusOptions } from "./options.js";

export default definePlugin({
  name: "prometheus",
  kind: "observer",
  config: prometheusOptions,
  needs: { status: capabilities.status, node: capabilities.node, log: capabilities.log },
  create: prometheusObserver,
});
