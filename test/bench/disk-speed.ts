/** What a flush costs on the disk that is measured on: the floor under every durable acknowledgement. */

import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { quantile } from "./figures.js";

const flushes = 400;

/** Writes a page into a file that has its length already, and flushes it, as a log that is written again does. */
export function flushTimes(folder: string): { readonly medianMs: number; readonly p99Ms: number } {
  const path = join(folder, "flush");
  const page = Buffer.alloc(4096, 7);
  const file = openSync(path, "w");
  for (let at = 0; at < 64; at += 1) writeSync(file, page, 0, page.length, at * page.length);
  fdatasyncSync(file);
  const times = Array.from({ length: flushes }, (_, flush) => {
    writeSync(file, page, 0, page.length, (flush % 64) * page.length);
    const startMs = performance.now();
    fdatasyncSync(file);
    return performance.now() - startMs;
  }).sort((a, b) => a - b);
  closeSync(file);
  rmSync(path);
  return { medianMs: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

export function disk(folder: string): string {
  const { medianMs, p99Ms } = flushTimes(folder);
  return `fdatasync of one page: median ${medianMs.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
}
