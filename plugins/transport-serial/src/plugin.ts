/**
 * The plugin "serial": heartbeats over a null-modem line, one instance a path. A line that cannot be used stays down and
 * says why, because a pair with one path less is better than a node that does not start.
 */

import { capabilities, definePlugin } from "@understudy/core/public";
import { shortestIntervalMs } from "./line-rate.js";
import { serialOptions } from "./options.js";
import { serialTransport } from "./serial-transport.js";
import { openTty } from "./tty.js";

export default definePlugin({
  name: "serial",
  kind: "transport",
  runsIn: "pulse",
  config: serialOptions,
  beatIntervalMs: ({ baud, interval }) => interval ?? shortestIntervalMs(baud),
  needs: { node: capabilities.node, log: capabilities.log },
  create({ device, baud }, { node, log }) {
    const path = typeof device === "string" ? device : device[node.side];
    return serialTransport({ device: path, baud, side: node.side }, openTty, log);
  },
});
