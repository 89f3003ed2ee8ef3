/**
 * Makes the timeline's entries (G9) from what the decision core records, for node, observers and the log. A sentence that
 * repeats with every beat, as during an overlap, is written once a second.
 */

import type { Action } from "../failover/action.js";
import type { TimelineEntry } from "../plugin/contract.js";
import type { Log } from "../plugin/tokens.js";

export interface TimelineParts {
  readonly node: string;
  readonly log: Log;
  write(entry: TimelineEntry): void;
}

export interface PulseTimeline {
  record(
    atMs: number,
    kind: string,
    what: string,
    rules: readonly string[],
    details?: Readonly<Record<string, unknown>>,
  ): void;
  /** `raiseAlarm` and `clearAlarm`. */
  alarm(atMs: number, action: Extract<Action, { readonly type: "raiseAlarm" | "clearAlarm" }>): void;
}

const repeatAfterMs = 1000;

export function createPulseTimeline({ node, log, write }: TimelineParts): PulseTimeline {
  const last = new Map<string, { readonly what: string; readonly atMs: number; repeated: number }>();

  function record(
    atMs: number,
    kind: string,
    what: string,
    rules: readonly string[],
    details: Readonly<Record<string, unknown>> = {},
  ): void {
    const before = last.get(kind);
    if (before !== undefined && before.what === what && atMs - before.atMs < repeatAfterMs) {
      before.repeated += 1;
      return;
    }
    const repeated = before?.what === what && before.repeated > 0 ? { repeated: before.repeated } : {};
    last.set(kind, { what, atMs, repeated: 0 });
    const all = { ...details, ...repeated };
    write({ at: new Date().toISOString(), node, monotonicMs: atMs, kind, what, rules, details: all });
    log.info({ kind, what, rules, details: all }, "timeline");
  }

  return {
    record,
    alarm(atMs, action) {
      if (action.type === "raiseAlarm") {
        record(atMs, "alarm", `${action.code}: ${action.detail}`, [], { code: action.code, raised: true });
      } else {
        record(atMs, "alarm", `${action.code} is over`, [], { code: action.code, raised: false });
      }
    },
  };
}
