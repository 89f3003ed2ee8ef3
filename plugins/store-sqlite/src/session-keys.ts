/**
 * The numbers a row is found and checked by: keys for the indexes in memory, and the check that tells a damaged row.
 * SQLite keeps no checksum of its pages, so a flipped bit in a name would otherwise pass for another name.
 */

import { crc32 } from "node:zlib";

/** The order of the characters: digits, then letters of either case without I, L, O and U. */
const digitOf = new Uint8Array(128);
for (const [value, digit] of [..."0123456789ABCDEFGHJKMNPQRSTVWXYZ"].entries()) {
  digitOf[digit.charCodeAt(0)] = value;
  digitOf[digit.toLowerCase().charCodeAt(0)] = value;
}

/** Ids order as these numbers do, except within one and the same number. */
export function orderOf(id: string): number {
  let order = 0;
  for (let at = 0; at < 4; at += 1) order = order * 32 + (digitOf[id.charCodeAt(at) & 127] ?? 0);
  return order;
}

const tailBits = 12;

/** The order of an id in the upper 20 bits; the lower ones tell apart ids that begin alike. */
export function idKey(id: string): number {
  let tail = 0;
  for (let at = 21; at < 26; at += 1) tail = Math.imul(tail, 31) + (digitOf[id.charCodeAt(at) & 127] ?? 0);
  return orderOf(id) * 2 ** tailBits + (tail & (2 ** tailBits - 1));
}

export function orderOfKey(key: number): number {
  return Math.floor(key / 2 ** tailBits);
}

export function firstKeyOf(order: number): number {
  return order * 2 ** tailBits;
}

/** A well spread 32-bit number of a text (FNV-1a with the last mixing step of MurmurHash3). */
export function textKey(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const headBits = 20;
/** A place is the key of the id so many times, and the check. */
export const placeStep = 2 ** headBits;

/** Checks at twenty bits what the indexes are made of, for each row when a database is opened. */
function headCheck(ofId: number, ofUser: number, agent: number, flags: number): number {
  let mixed =
    Math.imul(ofId, 0x9e3779b1) ^ Math.imul(ofUser, 0x85ebca6b) ^ Math.imul(agent * 4 + flags, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> (32 - headBits);
}

/** The key of the id and the check of the head in one number of 52 bits. */
export function placeOf(ofId: number, ofUser: number, agent: number, flags: number): number {
  return ofId * placeStep + headCheck(ofId, ofUser, agent, flags);
}

/** The key of the id; undefined when the check says that one of these numbers is not what was written. */
export function idKeyAt(place: number, ofUser: number, agent: number, flags: number): number | undefined {
  const ofId = Math.floor(place / placeStep);
  return place === placeOf(ofId, ofUser, agent, flags) ? ofId : undefined;
}

export function nameCheck(key: string | number, value: string): number {
  return crc32(`${key}\0${value}`);
}
