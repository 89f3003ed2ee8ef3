/**
 * Judges what a transport says of how often its medium carries a beat, for one set of options that its schema accepted.
 * Asked by the host, and by the kit before a plugin gets as far as a host.
 */

import type { Plugin } from "./define-plugin.js";

/** A path that carries less than a beat a minute tells nothing about life. */
const longestBeatIntervalMs = 60_000;

export interface BeatFault {
  readonly what: string;
  readonly cause?: unknown;
}

/** Undefined where it is a time. Pulse reckons silence by it: what is no time would make it deaf or blind. */
export function beatIntervalFault(plugin: Plugin, options: unknown): BeatFault | undefined {
  if (plugin.kind !== "transport") return undefined;
  let intervalMs: unknown;
  try {
    intervalMs = plugin.beatIntervalMs?.(options) ?? 0;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return { what: `its beatIntervalMs threw: ${why}`, cause };
  }
  if (typeof intervalMs === "number" && intervalMs >= 0 && intervalMs <= longestBeatIntervalMs)
    return undefined;
  const what = `its beatIntervalMs gave ${String(intervalMs)}, which is no time from 0 to ${longestBeatIntervalMs} ms`;
  return { what };
}
