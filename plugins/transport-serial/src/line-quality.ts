/**
 * What the arriving bytes say about the line: whether they are the peer's frames, our own, somebody's text, or nothing
 * that makes sense. Pure; it decides nothing and only finds the words.
 */

/** Three beats' worth of bytes without one beat is no passing noise. */
const senselessBytes = 312;
/** By chance 40 of 100 bytes are printable. */
const textShare = 0.9;
const ownFramesCountMs = 3000;

export interface LineQuality {
  opened(nowMs: number): void;
  arrived(bytes: Uint8Array, nowMs: number): void;
  frameHeard(): void;
  ownFrameHeard(nowMs: number): void;
  frameDamaged(): void;
  /** What is wrong with the line, one part of a sentence; undefined when nothing is. */
  trouble(nowMs: number): string | undefined;
  /** Since the start. */
  readonly damagedFrames: number;
}

/** `silentAfterMs`: how long a line on which beats travel can be without a byte. */
export function createLineQuality(silentAfterMs: number): LineQuality {
  let byteMs = 0;
  let ownFrameMs = -Infinity;
  let bytesSinceFrame = 0;
  let printableSinceFrame = 0;
  let damagedFrames = 0;
  const startOver = (): void => {
    bytesSinceFrame = 0;
    printableSinceFrame = 0;
  };
  return {
    opened(nowMs) {
      byteMs = nowMs;
      ownFrameMs = -Infinity;
      startOver();
    },
    arrived(bytes, nowMs) {
      byteMs = nowMs;
      bytesSinceFrame += bytes.length;
      for (const byte of bytes) if (isPrintable(byte)) printableSinceFrame += 1;
    },
    frameHeard: startOver,
    ownFrameHeard(nowMs) {
      ownFrameMs = nowMs;
      startOver();
    },
    frameDamaged() {
      damagedFrames += 1;
    },
    trouble(nowMs) {
      if (nowMs - ownFrameMs < ownFramesCountMs) {
        return "its own frames come back: a loopback plug, an echo, or a second node that runs as this side";
      }
      const silentMs = nowMs - byteMs;
      if (silentMs > silentAfterMs) {
        return `nothing has arrived for ${Math.floor(silentMs / 1000)} s: cable, or the other node`;
      }
      if (bytesSinceFrame < senselessBytes) return undefined;
      return printableSinceFrame > textShare * bytesSinceFrame
        ? "text arrives and no frame: is there a login prompt (getty) or a console on the other end?"
        : "bytes arrive but no frame: is the baud rate the same on both sides?";
    },
    get damagedFrames() {
      return damagedFrames;
    },
  };
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x1b;
}
