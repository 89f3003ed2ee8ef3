/** What every command of a service is told of the pair. */

import type { NodeIdentity } from "@understudy/core/public";

export type Operation = "run" | "start" | "stop" | "promote" | "demote" | "health";

export function environmentOf(
  node: NodeIdentity,
  operation: Operation,
  epoch: number | undefined,
): Record<string, string> {
  return {
    UNDERSTUDY_CLUSTER: node.cluster,
    UNDERSTUDY_NODE: node.name,
    UNDERSTUDY_SIDE: node.side,
    UNDERSTUDY_PEER: node.peerName,
    UNDERSTUDY_HA_ADDRESSES: node.haAddresses.map(({ address }) => address).join(" "),
    UNDERSTUDY_OPERATION: operation,
    ...(epoch === undefined ? {} : { UNDERSTUDY_EPOCH: String(epoch) }),
  };
}
