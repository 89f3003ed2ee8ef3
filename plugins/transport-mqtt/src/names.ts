/**
 * The names a path has at a broker: its topics and its client id, made of what both nodes know from the one config.
 * Pure. The names of clusters and paths are letters, digits, dots, hyphens and underscores, so they need no escaping.
 */

import type { NodeIdentity, PathIdentity, Side } from "@understudy/core/public";

export interface Names {
  /** What we send on, and what the other node sends on. */
  readonly ourBeats: string;
  readonly theirBeats: string;
  readonly ourPresence: string;
  readonly theirPresence: string;
  /**
   * The same at every start: a connection that the broker still believes alive is taken over by the next one, and two
   * machines that run as one node are noticed by it (MQTT 5, 3.1.4-3).
   */
  readonly clientId: string;
}

export function namesOf(topic: string, node: NodeIdentity, path: PathIdentity): Names {
  const at = (side: Side, what: string) => `${topic}/${node.cluster}/${path.name}/${side}/${what}`;
  const other = node.side === "primary" ? "secondary" : "primary";
  return {
    ourBeats: at(node.side, "beat"),
    theirBeats: at(other, "beat"),
    ourPresence: at(node.side, "presence"),
    theirPresence: at(other, "presence"),
    clientId: `${topic.replaceAll("/", "-")}-${node.cluster}-${path.name}-${node.side}`,
  };
}
