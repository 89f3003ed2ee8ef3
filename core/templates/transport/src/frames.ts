/** Frames on a stream: each behind its length in two bytes. Finds them again however the stream cuts them. */

export const longestFrame = 512;

const headerBytes = 2;

export function withLength(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerBytes + frame.length);
  new DataView(bytes.buffer).setUint16(0, frame.length);
  bytes.set(frame, headerBytes);
  return bytes;
}

/** Takes what arrives and gives each whole frame; returns false when the stream makes no sense any more. */
export function createFrameReader(deliver: (frame: Uint8Array) => void): (chunk: Uint8Array) => boolean {
  let rest = new Uint8Array(0);
  return (chunk) => {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    let at = 0;
    while (bytes.length - at >= headerBytes) {
      const length = new DataView(bytes.buffer).getUint16(at);
      if (length === 0 || length > longestFrame) return false;
      if (bytes.length - at < headerBytes + length) break;
      // A copy, because `bytes` is cut up further; the core itself has read a frame when deliver() returns.
      deliver(bytes.slice(at + headerBytes, at + headerBytes + length));
      at += headerBytes + length;
    }
    rest = bytes.slice(at);
    return true;
  };
}
