/**
 * When the engine collected garbage. It does so in the middle of whatever call asks for memory, whoever filled it, so that
 * time is nobody's in particular.
 */

import { type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";

export interface Collections {
  /** Gives how long of that time was spent so. The engine tells what it did a turn of the loop later, and so does this. */
  within(sinceMs: number, untilMs: number, tell: (ms: number) => void): void;
  stop(): void;
}

/** More than there can be within one call that is worth a word. */
const mostKept = 64;

export function watchCollections(nowMs: () => number): Collections {
  /** Their times are those of `performance.now()`, the same clock from another zero. */
  const zeroMs = nowMs() - performance.now();
  const kept: { readonly fromMs: number; readonly toMs: number }[] = [];
  const note = (entries: readonly PerformanceEntry[]) => {
    for (const { startTime, duration } of entries)
      kept.push({ fromMs: zeroMs + startTime, toMs: zeroMs + startTime + duration });
    if (kept.length > mostKept) kept.splice(0, kept.length - mostKept);
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: "gc", buffered: false });
  return {
    within(sinceMs, untilMs, tell) {
      setImmediate(() => {
        // Those that its own turn has not handed out yet.
        note(observer.takeRecords());
        tell(kept.reduce((sum, each) => sum + overlapMs(each, sinceMs, untilMs), 0));
      });
    },
    stop: () => observer.disconnect(),
  };
}

function overlapMs(
  each: { readonly fromMs: number; readonly toMs: number },
  sinceMs: number,
  untilMs: number,
) {
  return Math.max(0, Math.min(each.toMs, untilMs) - Math.max(each.fromMs, sinceMs));
}
