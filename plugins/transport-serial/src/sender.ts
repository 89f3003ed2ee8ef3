/**
 * Sends frames no faster than the line drains: one is on its way, the newest of those that came meanwhile waits, and the
 * others are dropped, because a heartbeat that waits is worth nothing.
 *
 * The time a frame takes is reckoned from the baud rate as well as asked of the driver: an adapter takes bytes into
 * buffers of its own, of which the driver does not know.
 */

import type { Side } from "@understudy/core/public";
import { encodeFrame, longestOnLine } from "./frames.js";
import { bytesTakeMs } from "./line-rate.js";
import type { Port } from "./port.js";

/** A driver that has not emptied itself in the time of so many of the longest frames, at least a second, is stuck. */
const stuckFrames = 4;
const leastStuckMs = 1000;

export interface Sender {
  attach(port: Port): void;
  /** What waits is dropped. */
  detach(): void;
  /** Synchronous; a frame of 1 to 512 bytes. */
  send(side: Side, frame: Uint8Array): void;
}

/** `stuck` is called when the driver keeps what it was given; what becomes of the port is the caller's business. */
export function createSender(baud: number, stuck: () => void): Sender {
  const waiting = new Uint8Array(longestOnLine);
  const stuckMs = Math.max(leastStuckMs, stuckFrames * bytesTakeMs(longestOnLine, baud));
  let port: Port | undefined;
  let waitingBytes = 0;
  let freeAtMs = 0;
  let sentMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const sendWaiting = (): void => {
    timer = undefined;
    if (port === undefined || waitingBytes === 0) return;
    const nowMs = performance.now();
    const unsent = nowMs < freeAtMs ? 0 : port.unsentBytes();
    if (unsent > 0) {
      if (nowMs - sentMs > stuckMs) {
        stuck();
        return;
      }
      freeAtMs = nowMs + bytesTakeMs(unsent, baud);
    }
    if (nowMs < freeAtMs) {
      timer = setTimeout(sendWaiting, Math.max(1, Math.ceil(freeAtMs - nowMs)));
      return;
    }
    const bytes = waiting.subarray(0, waitingBytes);
    waitingBytes = 0;
    sentMs = nowMs;
    // What the driver did not take of a frame is lost; the zero before the next one ends it.
    freeAtMs = nowMs + bytesTakeMs(bytes.length, baud);
    port.write(bytes);
  };

  return {
    attach(opened) {
      port = opened;
      freeAtMs = 0;
    },
    detach() {
      clearTimeout(timer);
      timer = undefined;
      port = undefined;
      waitingBytes = 0;
    },
    send(side, frame) {
      if (port === undefined) return;
      waitingBytes = encodeFrame(side, frame, waiting);
      if (timer === undefined) sendWaiting();
    },
  };
}
