/**
 * Notices when the main thread of node did nothing else for a while, and says who held it: the plugin whose call it was
 * where that is known. Pulse is not held up by it, but sessions, services and the answers to pulse are.
 */

import type { CallMeter } from "../plugin/call-meter.js";
import type { ThreadLook } from "../plugin/thread-look.js";

export interface StallParts {
  readonly meter: Pick<CallMeter, "lastLong">;
  nowMs(): number;
  look(): ThreadLook | undefined;
  /** At most one in ten seconds. */
  record(
    what: string,
    details: { readonly code: "NODE_STALLED"; readonly ms: number; readonly others: number },
  ): void;
}

export interface StallWatch {
  stop(): void;
}

const lookEveryMs = 50;
/** Pulse calls a node hung after a second by default; a fifth of it is worth a word. */
export const stallMs = 200;
const sayEveryMs = 10_000;

export function watchStalls(parts: StallParts): StallWatch {
  let saidMs = Number.NEGATIVE_INFINITY;
  let others = 0;
  let seenMs = parts.nowMs();
  let seen = parts.look();

  function look(): void {
    const nowMs = parts.nowMs();
    const ms = nowMs - seenMs - lookEveryMs;
    const now = parts.look();
    if (ms >= stallMs) stalled(nowMs, ms, now);
    seenMs = parts.nowMs();
    seen = now;
  }

  function stalled(nowMs: number, ms: number, now: ThreadLook | undefined): void {
    if (nowMs - saidMs < sayEveryMs) {
      others += 1;
      return;
    }
    const rounded = Math.round(ms);
    const holder = callThatHeld(parts.meter, seenMs, ms) ?? unnamed(ms, seen, now);
    const what = `node's main thread did nothing else for ${rounded} ms: ${holder}`;
    parts.record(what, { code: "NODE_STALLED", ms: rounded, others });
    saidMs = nowMs;
    others = 0;
  }

  const timer = setInterval(look, lookEveryMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** On a busy machine a stall may be longer than what the plugin did in it. */
function callThatHeld(meter: Pick<CallMeter, "lastLong">, sinceMs: number, ms: number): string | undefined {
  const call = meter.lastLong;
  if (call === undefined || call.endMs < sinceMs || call.ms < Math.min(stallMs, ms / 2)) return undefined;
  return `${call.plugin} held it in ${call.method} for ${Math.round(call.ms)} ms`;
}

function unnamed(ms: number, before: ThreadLook | undefined, after: ThreadLook | undefined): string {
  if (before === undefined || after === undefined)
    return "an unnamed task held it, or the machine gave it no time";
  if (after.cpuMs - before.cpuMs > ms / 2) return "an unnamed task computed";
  if (after.delayedMs === undefined || before.delayedMs === undefined)
    return "an unnamed task waited for the system, or the machine gave the process no time";
  return after.delayedMs - before.delayedMs > ms / 2
    ? "the machine gave the process no time"
    : "an unnamed task waited for the system";
}
