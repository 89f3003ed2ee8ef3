/** One spelling for an address, however a socket or a config writes it. */

import { isIP, SocketAddress } from "node:net";

/** An IPv4 client of a socket for both families shows as ::ffff:10.0.0.4. */
export function canonicalAddress(text: string): string {
  const bare = text.split("%")[0] ?? "";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  return isIP(bare) === 6 ? new SocketAddress({ address: bare, family: "ipv6" }).address : bare;
}
