/**
 * HMAC-SHA256 with a key that is used hundreds of times a second: the two padded blocks are made once, and each MAC is
 * two one-shot hashes. Making an Hmac object for every beat costs ten times as much.
 */

import { hash } from "node:crypto";

/** RFC 2104: SHA-256 works on blocks of 64 bytes. */
const blockBytes = 64;
const hashBytes = 32;

export interface Mac {
  /** 32 bytes, valid until the next call. */
  digest(message: Uint8Array): Buffer;
}

/** @param messageBytes every message has exactly this length. */
export function createMac(key: Uint8Array, messageBytes: number): Mac {
  if (key.length > blockBytes) throw new RangeError(`a key of ${key.length} bytes is longer than a block`);
  const inner = Buffer.alloc(blockBytes + messageBytes, 0x36);
  const outer = Buffer.alloc(blockBytes + hashBytes, 0x5c);
  for (const [index, byte] of key.entries()) {
    inner[index] = byte ^ 0x36;
    outer[index] = byte ^ 0x5c;
  }
  return {
    digest(message) {
      if (message.length !== messageBytes) throw new RangeError(`a message of ${message.length} bytes`);
      inner.set(message, blockBytes);
      hash("sha256", inner, "buffer").copy(outer, blockBytes);
      return hash("sha256", outer, "buffer");
    },
  };
}
