/**
 * A session row as bytes: about 230 for a usual one, opened by the hash that guards it on the wire and counts for it in
 * the digest. `overLimit` is left out of the hash, since it follows from the other rows (see row-order.ts).
 */

import {
  type ByteReader,
  type ByteWriter,
  createWriter,
  Malformed,
  putByte,
  putCount,
  putFixed,
  putText,
  putUint32,
  takeByte,
  takeCount,
  takeFixed,
  takeText,
  takeUint32,
} from "./bytes.js";
import { hash64, type Sum64, same } from "./digest.js";
import type { SessionRow } from "./store.js";

export const idCharacters = 26;
export const originCharacters = 13;
export const mostAttributeBytes = 4096;

const endedBit = 1;
const overLimitBit = 2;
const hashBytes = 8;

/** Writes the row and leaves its hash in `hash`. */
export function putRow(writer: ByteWriter, row: SessionRow, hash: Sum64): void {
  const start = writer.length;
  putUint32(writer, 0);
  putUint32(writer, 0);
  putByte(writer, row.ended ? endedBit : 0);
  putCount(writer, row.epoch);
  putCount(writer, row.sequence);
  putFixed(writer, row.origin, originCharacters);
  putFixed(writer, row.id, idCharacters);
  putText(writer, row.createdAt);
  putText(writer, row.user);
  putText(writer, row.agent);
  putText(writer, row.attributes);
  hash64(writer.buffer, start + hashBytes, writer.length, hash);
  writer.buffer.writeUInt32LE(hash.low, start);
  writer.buffer.writeUInt32LE(hash.high, start + 4);
  if (row.overLimit) writer.buffer[start + hashBytes] = (row.ended ? endedBit : 0) | overLimitBit;
}

const scratch = createWriter(16 * 1024);

export function hashRow(row: SessionRow, hash: Sum64): Sum64 {
  scratch.length = 0;
  putRow(scratch, row, hash);
  return hash;
}

/** Reads a row and leaves its hash in `hash`. Throws Malformed when the hash or a field is wrong. */
export function takeRow(reader: ByteReader, hash: Sum64): SessionRow {
  const stated: Sum64 = { low: takeUint32(reader), high: takeUint32(reader) };
  const start = reader.at;
  const flags = takeByte(reader);
  const row: SessionRow = {
    ended: (flags & endedBit) !== 0,
    overLimit: (flags & overLimitBit) !== 0,
    epoch: takeCount(reader),
    sequence: takeCount(reader),
    origin: takeFixed(reader, originCharacters),
    id: takeFixed(reader, idCharacters),
    createdAt: takeText(reader),
    user: takeText(reader),
    agent: takeText(reader),
    attributes: takeText(reader),
  };
  reader.buffer[start] = flags & endedBit;
  hash64(reader.buffer, start, reader.at, hash);
  reader.buffer[start] = flags;
  if (!same(hash, stated)) throw new Malformed("a row does not match its checksum");
  if (!isOrigin(row.origin) || !isSessionId(row.id)) throw new Malformed("a row names no session");
  return row;
}

export function isOrigin(text: string): boolean {
  return /^[ps][0-9a-f]{12}$/.test(text);
}

export function isSessionId(text: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
}
