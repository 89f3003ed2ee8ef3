/**
 * Turns the process that was started by the command line into the smallest one that can be pulse: the same process id,
 * without the command line's modules, with a heap that is kept small. Small also means quickly gone: a killed process's
 * sockets close only when its memory has been given back.
 */

import { fileURLToPath } from "node:url";

export interface LeanOptions {
  readonly configFile: string | undefined;
  readonly node: string | undefined;
}

/**
 * Young objects of pulse live for one beat, so a large nursery only grows the process. The first compiler alone is the
 * best of both: 70 MB, where the optimising ones bring 79 and a tenth less processor time, and none at all 64 and a
 * quarter more. On a heap of a few megabytes collecting costs less than waking other threads to help (a tenth as well).
 */
const flags = ["--max-semi-space-size=1", "--no-opt", "--no-maglev", "--single-threaded", "--v8-pool-size=1"];

/** Does not return where a process can replace its program; returns where it cannot, and pulse runs in the one there is. */
export function becomeLean(options: LeanOptions): void {
  const { execve } = process;
  if (execve === undefined || process.execArgv.includes(flags[0] ?? "")) return;
  const entry = fileURLToPath(new URL("./entry.js", import.meta.url));
  const args = [
    process.execPath,
    ...process.execArgv,
    ...flags,
    entry,
    JSON.stringify({ configFile: options.configFile, node: options.node }),
  ];
  // One arena instead of one for every thread.
  execve.call(process, process.execPath, args, { ...process.env, MALLOC_ARENA_MAX: "1" });
}
