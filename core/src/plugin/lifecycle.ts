/**
 * Starts things in order and stops them in reverse, each under a deadline. What was started is always stopped, also
 * after another failed to start.
 */

import type { UnderstudyError } from "../errors/error.js";
import { pluginError } from "../errors/plugins.js";
import { withDeadline } from "./deadline.js";

export interface Startable {
  /** For messages, such as "transport udp". */
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface Deadlines {
  /** Default 10000. */
  readonly startMs?: number;
  /** Default 5000. */
  readonly stopMs?: number;
}

/**
 * Throws PLUGIN_START_FAILED or PLUGIN_START_DEADLINE after it has stopped, in reverse, the one that failed and all
 * before it; what went wrong while stopping is in `details.whileStopping`.
 */
export async function startInOrder(items: readonly Startable[], deadlines: Deadlines = {}): Promise<void> {
  const deadlineMs = deadlines.startMs ?? 10_000;
  for (const [index, item] of items.entries()) {
    const problem = await startOne(item, deadlineMs);
    if (problem === undefined) continue;
    const whileStopping = await stopInReverse(items.slice(0, index + 1), deadlines);
    const details = { whileStopping: whileStopping.map(({ message }) => message) };
    throw pluginError(problem.code, problem.what, { cause: problem.cause, details });
  }
}

interface StartProblem {
  readonly code: "PLUGIN_START_FAILED" | "PLUGIN_START_DEADLINE";
  readonly what: string;
  readonly cause?: unknown;
}

async function startOne(item: Startable, deadlineMs: number): Promise<StartProblem | undefined> {
  try {
    const inTime = await withDeadline(item.start(), deadlineMs);
    if (inTime.done) return undefined;
    return {
      code: "PLUGIN_START_DEADLINE",
      what: `${item.name} did not start within ${deadlineMs / 1000} s`,
    };
  } catch (cause) {
    return { code: "PLUGIN_START_FAILED", what: `${item.name} could not start: ${messageOf(cause)}`, cause };
  }
}

/** Stops all, whatever happens on the way, and tells what went wrong. */
export async function stopInReverse(
  items: readonly Startable[],
  deadlines: Deadlines = {},
): Promise<readonly UnderstudyError[]> {
  const deadlineMs = deadlines.stopMs ?? 5000;
  const problems: UnderstudyError[] = [];
  for (const item of items.toReversed()) {
    const { name } = item;
    try {
      const inTime = await withDeadline(item.stop(), deadlineMs);
      if (!inTime.done) {
        problems.push(
          pluginError("PLUGIN_STOP_DEADLINE", `${name} did not stop within ${deadlineMs / 1000} s`),
        );
      }
    } catch (cause) {
      problems.push(
        pluginError("PLUGIN_STOP_FAILED", `${name} failed to stop: ${messageOf(cause)}`, { cause }),
      );
    }
  }
  return problems;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
