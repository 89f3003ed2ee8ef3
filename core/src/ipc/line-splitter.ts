/**
 * Cuts a stream of bytes into lines of bounded length. It keeps the pieces of a long line apart until its end has come,
 * so that a line of a mebibyte costs one copy and not one for each arriving piece.
 */

export const maxLineBytes = 1024 * 1024;

const newline = 0x0a;

export interface LineSplitter {
  /** Returns false once a line was longer than allowed: the stream is of no use after that. */
  push(chunk: Uint8Array): boolean;
}

export function createLineSplitter(onLine: (line: string) => void, limitBytes = maxLineBytes): LineSplitter {
  let pieces: Uint8Array[] = [];
  let heldBytes = 0;
  let broken = false;

  function push(chunk: Uint8Array): boolean {
    let start = 0;
    while (!broken && start < chunk.length) {
      const end = chunk.indexOf(newline, start);
      const piece = chunk.subarray(start, end === -1 ? chunk.length : end);
      heldBytes += piece.length;
      if (heldBytes > limitBytes) {
        broken = true;
        pieces = [];
        break;
      }
      if (end === -1) {
        // The chunk belongs to the caller, who may reuse it.
        if (piece.length > 0) pieces.push(Uint8Array.prototype.slice.call(piece));
        break;
      }
      const line = pieces.length === 0 ? piece : Buffer.concat([...pieces, piece]);
      pieces = [];
      heldBytes = 0;
      start = end + 1;
      if (line.length > 0) onLine(Buffer.from(line.buffer, line.byteOffset, line.length).toString("utf8"));
    }
    return !broken;
  }

  return { push };
}
