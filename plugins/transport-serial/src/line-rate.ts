/**
 * What a line carries: how long bytes take at a baud rate, and so how often a beat can be sent. Pure arithmetic.
 */

import { bytesOnLine } from "./frames.js";

/** The rates that termios(3) names, from 50 on. */
export const baudRates = [
  50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200,
  230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000, 2_500_000,
  3_000_000, 3_500_000, 4_000_000,
] as const;

/** A start bit, eight data bits, a stop bit. */
const bitsPerByte = 10;
/** What the core sends all the time: see core/src/heartbeat/wire.ts. */
const beatBytes = 96;
/** A change of role is sent at once, between two beats, and the two clocks of a line may differ by 2 %. */
const mostUse = 0.8;

export function bytesTakeMs(bytes: number, baud: number): number {
  return (bytes * bitsPerByte * 1000) / baud;
}

export const beatBytesOnLine = bytesOnLine(beatBytes);

/** Whole milliseconds: at 9600 baud 136, at 19200 68, at 115200 12. */
export function shortestIntervalMs(baud: number): number {
  return Math.ceil(bytesTakeMs(beatBytesOnLine, baud) / mostUse);
}

/** The lowest rate that carries a beat so often; undefined when none does. */
export function baudFor(intervalMs: number): number | undefined {
  return baudRates.find((baud) => shortestIntervalMs(baud) <= intervalMs);
}
