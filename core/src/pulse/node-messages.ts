/** What the node process says, as events of the decision core or as work for the part of pulse that it concerns. */

import type { NodeToPulse } from "../ipc/messages.js";
import type { Happening } from "./happening.js";
import type { NodeLink } from "./node-link.js";
import type { Paths } from "./paths.js";
import type { Reloading } from "./reload.js";

export interface NodeMessageParts {
  readonly node: Pick<NodeLink, "settle">;
  readonly paths: Pick<Paths, "receive" | "describedByNode">;
  readonly reloading: Reloading;
  tell(happening: Happening): void;
  /** A path of the node process is described in other words than before. */
  pathDescribed(): void;
}

type Handlers = {
  readonly [T in NodeToPulse["type"]]?: (message: Extract<NodeToPulse, { readonly type: T }>) => void;
};

export function createNodeMessages(parts: NodeMessageParts): (message: NodeToPulse) => void {
  const { node, paths, reloading, tell } = parts;
  const handlers: Handlers = {
    report: ({ report }) => tell({ type: "nodeReported", report }),
    peerGoodbye: ({ epoch }) => tell({ type: "peerSaidGoodbye", epoch }),
    peerLink: ({ up }) => tell({ type: "peerLinkChanged", up }),
    peerRole: ({ id, active, epoch }) => {
      node.settle(id);
      tell({ type: "peerRoleAnswered", id, active, epoch });
    },
    arbiterRuled: (ruled) => tell(ruled),
    pluginBlocked: (news) => tell(news),
    frame: ({ path, frame }) => paths.receive(path, Buffer.from(frame, "base64")),
    pathDescription({ path, description }) {
      if (paths.describedByNode(path, description)) parts.pathDescribed();
    },
    operator: ({ requestId, request }) => tell({ type: "operatorAsked", requestId, request }),
    reload: () => void reloading.reloadConfig(),
    keysChanged: () => reloading.reloadKeys(),
  };
  return (message) => {
    // The table pairs every type with its own message; the compiler cannot follow that through an index.
    const handler = handlers[message.type] as ((message: NodeToPulse) => void) | undefined;
    handler?.(message);
  };
}
