/** A plugin's work under a deadline: what is not settled by then counts as failed, whatever it does later. */

import { withDeadline } from "../plugin/deadline.js";

export class DeadlinePassed extends Error {
  constructor(what: string, limitMs: number) {
    super(`${what} did not finish within ${limitMs} ms`);
    this.name = "DeadlinePassed";
  }
}

/** `work` may throw at once; that is a rejection like any other. Rejects with DeadlinePassed. */
export async function inTime<T>(what: string, limitMs: number, work: () => Promise<T>): Promise<T> {
  const result = await withDeadline(work(), limitMs);
  if (!result.done) throw new DeadlinePassed(what, limitMs);
  return result.value;
}
