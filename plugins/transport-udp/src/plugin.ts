/**
 * The plugin "udp": heartbeats over unicast UDP, one instance a path. A path that cannot exist by its config stays down
 * and says why, because a pair with one path less is better than a node that does not start.
 */

import { capabilities, definePlugin, type Log, type Transport } from "@understudy/core/public";
import { endpointsOf } from "./endpoints.js";
import { udpOptions } from "./options.js";
import { udpTransport } from "./udp-transport.js";

export default definePlugin({
  name: "udp",
  kind: "transport",
  runsIn: "pulse",
  config: udpOptions,
  needs: { node: capabilities.node, log: capabilities.log },
  create(options, { node, log }) {
    const endpoints = endpointsOf(options, node);
    return typeof endpoints === "string" ? impossible(endpoints, log) : udpTransport(endpoints, log);
  },
});

function impossible(reason: string, log: Log): Transport {
  return {
    async start() {
      log.error({ reason }, "udp path is not possible");
    },
    send() {},
    async stop() {},
    probeTarget: () => undefined,
    describe: () => `down, ${reason}`,
  };
}
