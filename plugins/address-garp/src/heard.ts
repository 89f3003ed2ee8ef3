/**
 * What a received frame says about who is where: every ARP packet and every neighbour discovery message names at least
 * one address together with the machine that has it. Pure; anything malformed says nothing.
 */

import { addressKey, macText } from "./bytes.js";

export interface Heard {
  /** The address, as `addressKey` of its bytes; IPv4 has 8 digits, IPv6 32. */
  readonly key: string;
  /** The machine that says the address is its own. */
  readonly mac: string;
  /** An answer sent to this machine alone, hence proof that our frames arrive too. */
  readonly toUs: boolean;
  /** Of an answer: the address that had asked, as `addressKey`. */
  readonly asker?: string;
}

const arpType = 0x0806;
const ipv6Type = 0x86dd;

export function readFrame(frame: Buffer, ownMac: string): Heard | undefined {
  if (frame.length < 42) return undefined;
  const toUs = macText(frame.subarray(0, 6)) === ownMac;
  const type = frame.readUInt16BE(12);
  if (type === arpType) return readArp(frame, toUs);
  return type === ipv6Type ? readNeighbourDiscovery(frame, toUs) : undefined;
}

function readArp(frame: Buffer, toUs: boolean): Heard | undefined {
  if (frame.readUInt16BE(14) !== 1 || frame.readUInt16BE(16) !== 0x0800) return undefined;
  const sender = frame.subarray(28, 32);
  // An address probe (RFC 5227) says that its sender has no address yet.
  if (sender.every((byte) => byte === 0)) return undefined;
  const isReply = frame.readUInt16BE(20) === 2;
  const heard = { key: addressKey(sender), mac: macText(frame.subarray(22, 28)), toUs: toUs && isReply };
  return isReply ? { ...heard, asker: addressKey(frame.subarray(38, 42)) } : heard;
}

function readNeighbourDiscovery(frame: Buffer, toUs: boolean): Heard | undefined {
  const hopLimit = frame[21];
  if (frame.length < 78 || frame[20] !== 58 || hopLimit !== 255) return undefined;
  const type = frame[54];
  const mac = macText(frame.subarray(6, 12));
  if (type === 136) {
    const asker = addressKey(frame.subarray(38, 54));
    return { key: addressKey(frame.subarray(62, 78)), mac: macOption(frame) ?? mac, toUs, asker };
  }
  const source = frame.subarray(22, 38);
  if (type !== 135 || source.every((byte) => byte === 0)) return undefined;
  return { key: addressKey(source), mac, toUs: false };
}

/** The target's own word about its MAC, behind the 24 bytes of an advertisement. */
function macOption(frame: Buffer): string | undefined {
  const option = frame.subarray(78, 86);
  return option.length === 8 && option[0] === 2 && option[1] === 1 ? macText(option.subarray(2)) : undefined;
}
