/** What plugins may know of the node that they run on: the capability `node`, made from the config. */

import type { LocalConfig } from "../config/config.js";
import type { NodeIdentity } from "./tokens.js";

export function identityOf({ config, self, peer }: LocalConfig): NodeIdentity {
  return {
    cluster: config.cluster,
    name: self.name,
    side: self.side,
    peerName: peer.name,
    addresses: self.addresses,
    peerAddresses: peer.addresses,
    haAddresses: config.haAddresses,
    heartbeatPort: config.heartbeat.port,
    leaseMs: config.leaseMs,
  };
}
