/**
 * The timeline of this node (G9): what pulse and node record, on disk and, for questions, its newest part in memory.
 */

import { readFileSync } from "node:fs";
import type { TimelineEntry } from "../plugin/contract.js";
import type { Clock, Log } from "../plugin/tokens.js";
import { createTimelineFile } from "./timeline-file.js";
import type { KeptEntry } from "./timeline-merge.js";

export interface Timeline {
  readonly boot: string;
  open(): Promise<void>;
  /** From pulse. */
  add(entry: TimelineEntry): void;
  /** From node itself. */
  record(
    kind: string,
    what: string,
    rules: readonly string[],
    details?: Readonly<Record<string, unknown>>,
  ): void;
  /** The newest, oldest first. */
  newest(limit: number): readonly KeptEntry[];
  onEntry(listener: (entry: TimelineEntry) => void): void;
  close(): Promise<void>;
}

export const keptInMemory = 3000;

export interface TimelineOptions {
  readonly stateFolder: string;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly boot?: string;
}

export function createTimeline(options: TimelineOptions): Timeline {
  const boot = options.boot ?? bootId();
  const file = createTimelineFile(options.stateFolder, options.log);
  const listeners: ((entry: TimelineEntry) => void)[] = [];
  let tail: KeptEntry[] = [];

  function add(entry: TimelineEntry): void {
    const kept = { ...entry, boot };
    tail.push(kept);
    // In halves, so that the cost of a shift is not paid for each entry.
    if (tail.length >= 2 * keptInMemory) tail = tail.slice(-keptInMemory);
    file.append(kept);
    for (const listener of listeners) listener(entry);
  }

  return {
    boot,
    async open() {
      tail = [...(await file.load(keptInMemory)), ...tail];
    },
    add,
    record(kind, what, rules, details = {}) {
      const at = new Date().toISOString();
      add({ at, node: options.node, monotonicMs: options.clock.nowMs(), kind, what, rules, details });
    },
    newest: (limit) => tail.slice(-Math.min(limit, keptInMemory)),
    onEntry: (listener) => void listeners.push(listener),
    close: () => file.close(),
  };
}

/** Monotonic clocks start anew with the kernel; where it has no name for that, the process's start must do. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return `process-${process.pid}-${Date.now()}`;
  }
}
