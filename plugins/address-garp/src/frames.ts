/**
 * The frames this plugin sends: gratuitous ARP and unsolicited neighbour advertisements, ARP requests and neighbour
 * solicitations (RFC 826, RFC 5227, RFC 4861). Pure bytes.
 */

const broadcast = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const noMac = new Uint8Array(6);
const allNodes = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const icmpv6 = 58;
const override = 0x20;
const optionSourceMac = 1;
const optionTargetMac = 2;

export type ArpOperation = "request" | "reply";

interface Arp {
  readonly operation: ArpOperation;
  readonly senderMac: Uint8Array;
  readonly senderAddress: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly targetAddress: Uint8Array;
}

function arp({ operation, senderMac, senderAddress, targetMac, targetAddress }: Arp): Uint8Array {
  const fixed = [0x00, 0x01, 0x08, 0x00, 6, 4, 0, operation === "request" ? 1 : 2];
  const frame = [
    broadcast,
    senderMac,
    [0x08, 0x06],
    fixed,
    senderMac,
    senderAddress,
    targetMac,
    targetAddress,
  ];
  return Uint8Array.from(frame.flatMap((part) => [...part]));
}

/** Both forms: some machines learn from the request only, some from the reply only. */
export function announcements(mac: Uint8Array, address: Uint8Array): readonly Uint8Array[] {
  if (address.length === 16) return [advertisement(mac, address)];
  const own = { senderMac: mac, senderAddress: address, targetAddress: address };
  return [
    arp({ ...own, operation: "request", targetMac: noMac }),
    arp({ ...own, operation: "reply", targetMac: broadcast }),
  ];
}

/** Asks who has `target`. `source` is an address of ours that is no HA address, or all zeros when there is none. */
export function question(mac: Uint8Array, source: Uint8Array, target: Uint8Array): Uint8Array {
  return target.length === 16
    ? solicitation(mac, source, target)
    : arp({
        operation: "request",
        senderMac: mac,
        senderAddress: source,
        targetMac: noMac,
        targetAddress: target,
      });
}

function advertisement(mac: Uint8Array, address: Uint8Array): Uint8Array {
  const body = [136, 0, 0, 0, override, 0, 0, 0, ...address, optionTargetMac, 1, ...mac];
  return ipv6(mac, address, allNodes, body);
}

function solicitation(mac: Uint8Array, source: Uint8Array, target: Uint8Array): Uint8Array {
  const unspecified = source.every((byte) => byte === 0);
  const option = unspecified ? [] : [optionSourceMac, 1, ...mac];
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...target.subarray(13));
  return ipv6(mac, source, group, [135, 0, 0, 0, 0, 0, 0, 0, ...target, ...option]);
}

/** Neighbour discovery is believed only with a hop limit of 255: no router can have passed it on. */
function ipv6(mac: Uint8Array, source: Uint8Array, group: Uint8Array, body: readonly number[]): Uint8Array {
  const frame = Buffer.from([
    ...[0x33, 0x33, ...group.subarray(12)],
    ...mac,
    ...[0x86, 0xdd],
    ...[0x60, 0, 0, 0, 0, body.length, icmpv6, 255],
    ...source,
    ...group,
    ...body,
  ]);
  const pseudo = Buffer.from([...source, ...group, 0, 0, 0, body.length, 0, 0, 0, icmpv6, ...body]);
  frame.writeUInt16BE(checksum(pseudo), 14 + 40 + 2);
  return frame;
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
