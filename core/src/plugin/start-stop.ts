/**
 * Starts and stops a plugin under a deadline, in either process. Nothing that a plugin throws or never settles goes
 * further than here: it becomes a reason with the code that the docs explain.
 */

import { withDeadline } from "./deadline.js";

type Phase = "START" | "STOP";

export interface Trouble {
  readonly code: `PLUGIN_${Phase}_${"FAILED" | "DEADLINE"}`;
  /** For people: what it threw, or that it did not finish. */
  readonly reason: string;
  /** What was thrown; undefined when nothing was. */
  readonly error: unknown;
}

/** Undefined when it has started. Never rejects; what is late goes on by itself. */
export function startPlugin(work: () => Promise<unknown>, limitMs: number): Promise<Trouble | undefined> {
  return troubleOf("START", work, limitMs);
}

/** Undefined when it has stopped; otherwise as `startPlugin`. */
export function stopPlugin(work: () => Promise<unknown>, limitMs: number): Promise<Trouble | undefined> {
  return troubleOf("STOP", work, limitMs);
}

async function troubleOf(
  phase: Phase,
  work: () => Promise<unknown>,
  limitMs: number,
): Promise<Trouble | undefined> {
  try {
    const result = await withDeadline((async () => await work())(), limitMs);
    if (result.done) return undefined;
    const reason = `did not finish within ${limitMs} ms`;
    return { code: `PLUGIN_${phase}_DEADLINE`, reason, error: undefined };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { code: `PLUGIN_${phase}_FAILED`, reason, error };
  }
}
