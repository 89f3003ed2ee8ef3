/**
 * The frame that prolongs the lease on its way out (rule R2): UDP to a link-local multicast group from no address at
 * all, so that it needs no neighbour, no route and no address of ours. The kernel's rule swallows it.
 */

/** 224.0.0.0/24 never leaves a link; this group is assigned to nobody. */
const group = [224, 0, 0, 248] as const;
const groupMac = [0x01, 0x00, 0x5e, 0x00, 0x00, 0xf8] as const;
const udpProtocol = 17;

export function refreshFrame(mac: string | undefined, port: number, secret: Uint8Array): Uint8Array {
  const source =
    mac === undefined ? [0, 0, 0, 0, 0, 0] : mac.split(":").map((byte) => Number.parseInt(byte, 16));
  const ethernet = Buffer.from([...groupMac, ...source, 0x08, 0x00]);
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(port, 0);
  udp.writeUInt16BE(port, 2);
  udp.writeUInt16BE(udp.length + secret.length, 4);
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(ip.length + udp.length + secret.length, 2);
  ip[8] = 1;
  ip[9] = udpProtocol;
  ip.set(group, 16);
  ip.writeUInt16BE(internetChecksum(ip), 10);
  return Buffer.concat([ethernet, ip, udp, secret]);
}

function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
