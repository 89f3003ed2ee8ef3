/**
 * Which two addresses a path runs between and where its frames are sent, worked out from the options and the node's own
 * addresses. Pure: it asks nothing of the machine.
 */

import { isIP, SocketAddress } from "node:net";
import type { NodeIdentity } from "@understudy/core/public";
import type { UdpOptions } from "./options.js";

export interface Endpoints {
  readonly family: 4 | 6;
  /** With %interface where it is link-local. */
  readonly local: string;
  readonly peer: string;
  readonly port: number;
  readonly to: Destination;
  /** The interface as the option names it for this node. */
  readonly interfaceName: string | undefined;
}

/** `group` without %interface, `address` a broadcast address. */
export type Destination =
  | { readonly kind: "unicast" }
  | { readonly kind: "multicast"; readonly group: string; readonly ttl: number }
  | { readonly kind: "broadcast"; readonly address: string };

const everybody = "255.255.255.255";

/** The endpoints, or one sentence that says why there are none. */
export function endpointsOf(options: UdpOptions, node: NodeIdentity): Endpoints | string {
  const to = destinationOf(options);
  const wanted = to.kind === "multicast" ? isIP(to.group) : to.kind === "broadcast" ? 4 : undefined;
  const found = options.addresses
    ? { local: options.addresses[node.side], peer: options.addresses[otherSide(node)] }
    : firstOfOneFamily(node, wanted);
  if (!found) {
    const family =
      wanted === undefined ? "no address family" : `no IPv${wanted}, which ${to.kind} needs here,`;
    return `${family} is shared by this node (${node.addresses.join(", ")}) and ${node.peerName} (${node.peerAddresses.join(", ")})`;
  }
  const name =
    typeof options.interface === "object" ? options.interface[node.side] : (options.interface ?? undefined);
  const local = canonical(found.local, name);
  // The peer's own %interface means nothing here: the path leaves by ours.
  const peer = canonical(withoutScope(found.peer), name ?? scopeOf(local));
  // Rule R1: a beat from the HA address would come from whoever holds it and keep a double active alive.
  const ours = [local, peer].find((text) => node.haAddresses.some((ha) => canonical(ha.address) === text));
  if (ours) return `${ours} is the HA address, and beats may never use it`;
  if (isLinkLocal(local) && scopeOf(local) === undefined) {
    return `${local} is link-local and the option interface does not say of which network`;
  }
  return {
    family: isIP(local) === 4 ? 4 : 6,
    local,
    peer,
    port: options.port ?? node.heartbeatPort,
    to,
    interfaceName: name,
  };
}

function destinationOf({ multicast, broadcast }: UdpOptions): Destination {
  if (multicast !== undefined)
    return { kind: "multicast", group: canonical(multicast.group), ttl: multicast.ttl };
  if (broadcast === undefined || broadcast === false) return { kind: "unicast" };
  return { kind: "broadcast", address: broadcast === true ? everybody : broadcast };
}

function otherSide(node: NodeIdentity): "primary" | "secondary" {
  return node.side === "primary" ? "secondary" : "primary";
}

function firstOfOneFamily(
  node: NodeIdentity,
  wanted: number | undefined,
): { local: string; peer: string } | undefined {
  for (const local of node.addresses) {
    if (wanted !== undefined && isIP(local) !== wanted) continue;
    const peer = node.peerAddresses.find((text) => isIP(text) === isIP(local));
    if (peer !== undefined) return { local, peer };
  }
  return undefined;
}

/** The one spelling the kernel uses too, so that addresses can be compared as text. */
export function canonical(text: string, interfaceName?: string): string {
  const [bare = "", scope] = text.split("%");
  if (isIP(bare) !== 6) return bare;
  const { address } = new SocketAddress({ address: bare, family: "ipv6" });
  if (!isLinkLocal(address)) return address;
  const wanted = scope ?? interfaceName;
  return wanted === undefined ? address : `${address}%${wanted}`;
}

/** fe80::/10 */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address);
}

function withoutScope(address: string): string {
  return address.split("%")[0] ?? address;
}

export function scopeOf(address: string): string | undefined {
  return address.split("%")[1];
}
