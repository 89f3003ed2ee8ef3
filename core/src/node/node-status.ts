/** The status of a node as the operator gets it: what its parts say, and what the process is. */

import type { LocalConfig } from "../config/config.js";
import type { NodeStatus } from "../ipc/control.js";

export interface StatusSources
  extends Pick<
    NodeStatus,
    | "version"
    | "startedAt"
    | "pulse"
    | "pulseSilentMs"
    | "sessions"
    | "services"
    | "arbiters"
    | "fences"
    | "observers"
    | "nodeLink"
  > {
  readonly local: LocalConfig;
}

export function nodeStatus({ local, ...said }: StatusSources): NodeStatus {
  const { config, self, peer } = local;
  const { user, system } = process.cpuUsage();
  return {
    ...said,
    cluster: config.cluster,
    node: self.name,
    side: self.side,
    peerName: peer.name,
    haAddresses: config.haAddresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
    configDigest: config.digest,
    pid: process.pid,
    rssBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / 1000,
  };
}
