/**
 * The plugin "udp": heartbeats over UDP, to the peer's address or to a group, one instance a path. A path that cannot
 * exist by its config stays down and says why, because a pair with one path less is better than a node that does not start.
 */

import { capabilities, definePlugin, type Log, type Transport } from "@understudy/core/public";
import { defaultDscp, dscpValue } from "./dscp.js";
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
    if (typeof endpoints === "string") return impossible(endpoints, log);
    const dscp = dscpValue(options.dscp ?? defaultDscp);
    return udpTransport(endpoints, { dscp, wanted: options.dscp !== undefined }, log);
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
