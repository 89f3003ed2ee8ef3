/** The plugin "etcd" of kind arbiter: an etcd cluster grants one node at a time the right to serve (rule R30). */

import { capabilities, definePlugin } from "@understudy/core/public";
import { etcdArbiter } from "./etcd-arbiter.js";
import { etcdOptions } from "./options.js";

export default definePlugin({
  name: "etcd",
  kind: "arbiter",
  exclusive: true,
  config: etcdOptions,
  needs: { node: capabilities.node, clock: capabilities.clock, log: capabilities.log },
  create: (options, { node, clock, log }) => etcdArbiter(options, node, clock, log),
});
