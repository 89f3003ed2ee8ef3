/**
 * The bytes of a peer link: every message is its length in four bytes, big-endian, and then itself; a message of no
 * bytes says only that the sender lives. Cuts arriving chunks into messages without copying those that came whole.
 */

export const mostMessageBytes = 8 * 1024 * 1024;
const headerBytes = 4;

/** One buffer for header and message, so that one write carries both. */
export function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + message.length);
  bytes.writeUInt32BE(message.length, 0);
  bytes.set(message, headerBytes);
  return bytes;
}

export interface FrameReader {
  /** Returns false once a message was longer than `limitBytes`: the stream is of no use after that. */
  push(chunk: Buffer, onMessage: (message: Uint8Array) => void): boolean;
}

export function createFrameReader(limitBytes: () => number): FrameReader {
  const header = Buffer.alloc(headerBytes);
  let headerFilled = 0;
  /** The message that has begun and not ended. */
  let body: Buffer | undefined;
  let bodyFilled = 0;

  return {
    push(chunk, onMessage) {
      let at = 0;
      while (at < chunk.length) {
        if (body === undefined) {
          const taken = chunk.copy(header, headerFilled, at, at + headerBytes - headerFilled);
          headerFilled += taken;
          at += taken;
          if (headerFilled < headerBytes) return true;
          headerFilled = 0;
          const length = header.readUInt32BE(0);
          if (length > limitBytes()) return false;
          if (at + length <= chunk.length) {
            onMessage(chunk.subarray(at, at + length));
            at += length;
            continue;
          }
          body = Buffer.allocUnsafe(length);
          bodyFilled = 0;
        }
        const taken = chunk.copy(body, bodyFilled, at);
        bodyFilled += taken;
        at += taken;
        if (bodyFilled === body.length) {
          const whole = body;
          body = undefined;
          onMessage(whole);
        }
      }
      return true;
    },
  };
}
