/** What is said of a plugin that holds its process up, in the same words wherever it runs, and how often. */

import type { LongCall } from "./call-meter.js";

/** As pulse's decision core is told of it: see the event `pluginBlocked`. */
export interface BlockedNews {
  readonly plugin: string;
  readonly what: string;
  readonly forMs: number;
}

/** The alarm is over when there was no such call for so long. */
export const quietForMs = 600_000;
const sayAgainMs = 60_000;

/** "its send blocked for 40 ms" */
export function longCallText({ method, ms, cause }: LongCall): string {
  const did = cause === "computed" ? "computed" : cause === "waited" ? "blocked" : "took";
  return `its ${method} ${did} for ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** "holds pulse up: its send blocked for 40 ms" */
export function holdsUpText(process: "pulse" | "node", call: LongCall): string {
  const doubt = call.delayKnown ? "" : ` (${doubtText})`;
  return `holds ${process} up: ${longCallText(call)}${doubt}`;
}

export const doubtText =
  "this system does not say how long a thread was kept from the processor, so a busy machine may be to blame";

/** Once a minute for each sort of news. */
export function createNewsGate(nowMs: () => number): (what: string) => boolean {
  const saidMs = new Map<string, number>();
  return (what) => {
    const now = nowMs();
    if (now - (saidMs.get(what) ?? Number.NEGATIVE_INFINITY) < sayAgainMs) return false;
    saidMs.set(what, now);
    return true;
  };
}
