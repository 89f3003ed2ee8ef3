/**
 * What a thread has done since its start, as the system accounts for it: time on a processor, time for which it was ready
 * and others had the processor, and how often it waited for something of its own accord.
 */

import { openSync, readSync } from "node:fs";

export interface ThreadLook {
  /** Milliseconds on a processor. */
  readonly cpuMs: number;
  /** Milliseconds for which it could have run and was kept from it. Undefined: this system does not account for that. */
  readonly delayedMs: number | undefined;
  /** How often it gave the processor up to wait; where the system does not say it of a thread, of the whole process. */
  readonly waits: number;
}

/**
 * Linux, Documentation/scheduler/sched-stats.rst: nanoseconds on a processor, nanoseconds ready without one, time slices.
 * A kernel that does not count gives zeros, which a thread that runs never has.
 */
const schedstat = "schedstat";
const status = "status";
/** Other lines of status are short, but for the groups of the user. */
const buffer = Buffer.alloc(8192);
/** Kept open, which makes a look five times cheaper. They belong to the thread that opened them, as this module does. */
const opened = new Map<string, number | undefined>();

/** Of the thread that calls it, in some 15 µs. Undefined where the system does not tell the time of a thread. */
export function lookAtThread(): ThreadLook | undefined {
  try {
    const { user, system } = process.threadCpuUsage();
    return { cpuMs: (user + system) / 1000, delayedMs: delayedMs(), waits: waits() };
  } catch {
    return undefined;
  }
}

/** The part of it that is cheap, in some 5 µs. */
export function delayedMs(): number | undefined {
  const length = read(schedstat);
  if (length === 0) return undefined;
  const text = buffer.toString("latin1", 0, length);
  const at = text.indexOf(" ");
  const counts = Number(text.slice(0, at)) > 0;
  return counts ? Number(text.slice(at + 1, text.indexOf(" ", at + 1))) / 1e6 : undefined;
}

function waits(): number {
  const length = read(status);
  const label = "\nvoluntary_ctxt_switches:";
  const at = length === 0 ? -1 : buffer.subarray(0, length).indexOf(label, 0, "latin1");
  if (at < 0) return process.resourceUsage().voluntaryContextSwitches;
  return Number.parseInt(buffer.toString("latin1", at + label.length, length), 10);
}

/** Into the buffer; gives the bytes, none where there is no such file. */
function read(name: string): number {
  const file = opened.has(name) ? opened.get(name) : open(name);
  return file === undefined ? 0 : readSync(file, buffer, 0, buffer.length, 0);
}

function open(name: string): number | undefined {
  let file: number | undefined;
  try {
    file = openSync(`/proc/thread-self/${name}`, "r");
  } catch {
    // Not Linux, or no /proc here: what is known without it must do.
  }
  opened.set(name, file);
  return file;
}
