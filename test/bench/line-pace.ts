/**
 * Whether a serial line of the lab is as slow as a real one: how long a beat's bytes take from the first write at one end to
 * the last byte at the other, beside what arithmetic says.
 */

import { close, constants, openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { median } from "../lab/outage.js";
import type { SerialLine } from "../lab/serial-line.js";
import { quantile } from "./figures.js";

const beatBytes = 104;
const tries = 20;

/** Cells of a table: by arithmetic, measured, lateness of deliveries. */
export async function measureLine(line: SerialLine, baud: number): Promise<readonly string[]> {
  const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
  const near = openSync(line.primary, flags);
  const far = openSync(line.secondary, flags);
  let missing = 0;
  let whole = Promise.withResolvers<void>();
  const callback = (length: number): boolean => {
    missing -= length;
    if (missing <= 0) whole.resolve();
    return true;
  };
  const stream = new ReadStream(far, { onread: { buffer: Buffer.alloc(4096), callback } });
  stream.resume();
  const times: number[] = [];
  for (let count = 0; count < tries; count += 1) {
    missing = beatBytes;
    whole = Promise.withResolvers();
    const fromMs = performance.now();
    writeSync(near, Buffer.alloc(beatBytes, 7));
    await whole.promise;
    times.push(performance.now() - fromMs);
  }
  stream.destroy();
  for (const fd of [near, far]) close(fd);
  const late = [...(await line.latenessMs())].sort((a, b) => a - b);
  const measured = [Math.min(...times), median(times), Math.max(...times)];
  const lateness = [quantile(late, 0.5), quantile(late, 0.99), quantile(late, 1)];
  const cell = (all: readonly number[]) => all.map((ms) => ms.toFixed(1)).join(" / ");
  return [((beatBytes * 10_000) / baud).toFixed(1), cell(measured), cell(lateness)];
}
