/** ICMP echo in bytes (RFC 792, RFC 4443 section 4): a request that carries a token of ours, and what a reply to it is. */

export const tokenLength = 8;
const headerLength = 8;
const requestType = { 4: 8, 6: 128 } as const;
const replyType = { 4: 0, 6: 129 } as const;

export function echoRequest(
  family: 4 | 6,
  identifier: number,
  sequence: number,
  token: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(headerLength + tokenLength);
  const view = new DataView(bytes.buffer);
  bytes[0] = requestType[family];
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  bytes.set(token, headerLength);
  // For IPv6 the kernel reckons it, over a header that only it knows (RFC 3542 section 3.1).
  if (family === 4) view.setUint16(2, checksum(bytes));
  return bytes;
}

/** The sequence of a reply that carries our token; undefined for all else that a raw socket hears. */
export function replySequence(family: 4 | 6, datagram: Uint8Array, token: Uint8Array): number | undefined {
  // A raw IPv4 socket gives the IP header too, whose first half byte is 4: no ICMP type that we look for is 0x4_.
  const skip = family === 4 && (datagram[0] ?? 0) >> 4 === 4 ? ((datagram[0] ?? 0) & 0x0f) * 4 : 0;
  const message = datagram.subarray(skip);
  if (message.length < headerLength + tokenLength || message[0] !== replyType[family]) return undefined;
  for (let at = 0; at < tokenLength; at += 1) if (message[headerLength + at] !== token[at]) return undefined;
  return new DataView(message.buffer, message.byteOffset).getUint16(6);
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let sum = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
