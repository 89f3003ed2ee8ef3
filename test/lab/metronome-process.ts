/**
 * Sends a datagram of a beat's size every so many milliseconds and does nothing else, until standard input ends.
 *
 * Usage: metronome-process.js ADDRESS PORT INTERVAL. Writes `ready`.
 */

import { createSocket } from "node:dgram";

const [address = "", port = "", interval = ""] = process.argv.slice(2);
const intervalMs = Number(interval);
const beat = Buffer.alloc(96);
const socket = createSocket({ type: "udp4", lookup: (host, _options, found) => found(null, host, 4) });
socket.on("error", (error) => {
  throw error;
});

let dueMs = performance.now() + intervalMs;

/** By a fixed beat, and not from each to the next: what is late once makes the next come early, as in pulse. */
function tick(): void {
  const nowMs = performance.now();
  if (nowMs >= dueMs) {
    socket.send(beat, Number(port), address);
    dueMs = Math.max(dueMs + intervalMs, nowMs);
  }
  setTimeout(tick, Math.max(1, Math.ceil(dueMs - Math.floor(nowMs))));
}

process.stdin.resume().once("end", () => process.exit());
console.log("ready");
tick();
