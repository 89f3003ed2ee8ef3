/**
 * Sends the frame that prolongs the lease, once for each interface with an HA address, and learns from its fate whether
 * the lease was alive: the kernel's rule swallows a frame that did prolong it.
 */

import type { Interface } from "./interfaces.js";
import { openPacketSender, type PacketSender } from "./packet-socket.js";
import { refreshFrame } from "./refresh-frame.js";

export interface LeaseRefresher {
  /** `alive`: prolonged. `lapsed`: there is no lease, or no table. `unsent`: no interface took the frame. */
  refresh(): "alive" | "lapsed" | "unsent";
  /** An interface was made anew under the same name. */
  interfaceAppeared(link: { readonly index: number; readonly name: string }): void;
  close(): void;
}

/** Throws when there is no packet socket to be had. */
export function makeLeaseRefresher(
  interfaces: readonly Interface[],
  port: number,
  secret: Uint8Array,
): LeaseRefresher {
  const sender: PacketSender = openPacketSender();
  const routes = interfaces.map(({ index, name, mac }) => ({
    index,
    name,
    frame: refreshFrame(mac, port, secret),
  }));
  return {
    refresh() {
      const fates = routes.map(({ index, frame }) => sender.send(index, frame));
      if (fates.includes("swallowed")) return "alive";
      return fates.includes("sent") ? "lapsed" : "unsent";
    },
    interfaceAppeared({ index, name }) {
      for (const route of routes) if (route.name === name) route.index = index;
    },
    close() {
      sender.close();
    },
  };
}
