/**
 * Frames on a line of bytes: a side byte, the frame and its checksum, stuffed so that no zero is left, between two zeros.
 * Pure. Whatever garbage came before, the next zero begins anew, and a frame that was touched does not check.
 *
 * Stuffing: consistent overhead byte stuffing (Cheshire and Baker, IEEE/ACM Transactions on Networking 7(2), 1999), one
 * byte for each 254. Checksum: CRC-32 with the polynomial 0x04C11DB7, reflected (ISO 3309, ITU-T V.42; RFC 1952 section 8),
 * four bytes, little-endian. The zero before a frame costs one byte and saves the frame when noise came just before it.
 */

import { crc32 } from "node:zlib";
import type { Side } from "@understudy/core/public";

export const longestFrame = 512;
const sideBytes = 1;
const checksumBytes = 4;
const longestContent = sideBytes + longestFrame + checksumBytes;
const longestStuffed = longestContent + stuffingBytes(longestContent);
/** What a frame of 512 bytes takes on the line. */
export const longestOnLine = longestStuffed + 2;

/** The high half is the version of this framing. */
const sideByte: Readonly<Record<Side, number>> = { primary: 0x11, secondary: 0x12 };

function stuffingBytes(content: number): number {
  return Math.floor(content / 254) + 1;
}

/** How many bytes a frame of that length is on the line, at most. */
export function bytesOnLine(frame: number): number {
  const content = sideBytes + frame + checksumBytes;
  return content + stuffingBytes(content) + 2;
}

const content = new Uint8Array(longestContent);

/** Writes the frame (1 to 512 bytes) as it goes out into `into` (`longestOnLine` bytes); gives its length there. */
export function encodeFrame(side: Side, frame: Uint8Array, into: Uint8Array): number {
  const unchecked = sideBytes + frame.length;
  content[0] = sideByte[side];
  content.set(frame, sideBytes);
  const checksum = crc32(content.subarray(0, unchecked));
  for (let byte = 0; byte < checksumBytes; byte += 1) content[unchecked + byte] = checksum >>> (8 * byte);
  const end = 1 + stuff(content.subarray(0, unchecked + checksumBytes), into, 1);
  into[0] = 0;
  into[end] = 0;
  return end + 1;
}

/** A code says how far the next zero is; 255 says that 254 bytes follow without one. Gives the stuffed length. */
function stuff(bytes: Uint8Array, into: Uint8Array, from: number): number {
  let codeAt = from;
  let at = from + 1;
  for (const byte of bytes) {
    if (byte !== 0) {
      into[at] = byte;
      at += 1;
    }
    if (byte === 0 || at - codeAt === 255) {
      into[codeAt] = at - codeAt;
      codeAt = at;
      at += 1;
    }
  }
  into[codeAt] = at - codeAt;
  return at - from;
}

export interface Arrivals {
  /** A frame that checks, and who sent it; its bytes are the receiver's to keep. */
  frame(from: Side, frame: Uint8Array): void;
  /** That many bytes stood between two zeros and are no frame. */
  damaged(bytes: number): void;
}

/** Takes what arrives, in pieces of any size, and holds at most one frame. */
export function createDecoder(arrivals: Arrivals): (bytes: Uint8Array) => void {
  const held = new Uint8Array(longestStuffed);
  let length = 0;
  const finish = (): void => {
    const arrived = length <= held.length ? unpack(held.subarray(0, length)) : undefined;
    if (arrived === undefined) arrivals.damaged(length);
    else arrivals.frame(arrived.from, arrived.frame);
    length = 0;
  };
  return (bytes) => {
    for (const byte of bytes) {
      if (byte !== 0) {
        if (length < held.length) held[length] = byte;
        length += 1;
      } else if (length > 0) finish();
    }
  };
}

function unpack(stuffed: Uint8Array): { readonly from: Side; readonly frame: Uint8Array } | undefined {
  const bytes = unstuff(stuffed);
  if (bytes === undefined || bytes.length <= sideBytes + checksumBytes) return undefined;
  const checked = bytes.subarray(0, bytes.length - checksumBytes);
  const checksum = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32LE(checked.length);
  if (crc32(checked) !== checksum) return undefined;
  const from = bytes[0] === sideByte.primary ? "primary" : "secondary";
  if (bytes[0] !== sideByte[from]) return undefined;
  return { from, frame: checked.subarray(sideBytes) };
}

function unstuff(stuffed: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(stuffed.length);
  let length = 0;
  for (let at = 0; at < stuffed.length; ) {
    const code = stuffed[at] ?? 0;
    const next = at + code;
    if (next > stuffed.length) return undefined;
    bytes.set(stuffed.subarray(at + 1, next), length);
    length += code - 1;
    // The last zero is the one that every frame is thought to end with.
    if (code < 255 && next < stuffed.length) length += 1;
    at = next;
  }
  return bytes.subarray(0, length);
}
