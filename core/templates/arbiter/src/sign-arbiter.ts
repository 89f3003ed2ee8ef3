/**
 * Looks for a file. There: granted. Gone: denied. Anything else, such as a folder that does not answer, is unknown, which
 * holds nobody up: an adviser that knows nothing has no say.
 */

import { access } from "node:fs/promises";
import type { Arbiter, Ruling } from "@understudy/core/public";

export function signArbiter(path: string): Arbiter {
  const stopped = new AbortController();
  let last = "not asked yet";

  async function look(): Promise<Ruling> {
    try {
      await access(path);
      return { verdict: "granted", why: `${path} is there` };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return { verdict: "denied", why: `${path} is not there` };
      return { verdict: "unknown", why: message };
    }
  }

  /** Settles at once when the question is called off; a look that hangs is left to itself. */
  function calledOff(signal: AbortSignal): Promise<Ruling> {
    const ended = AbortSignal.any([signal, stopped.signal]);
    const ruling: Ruling = { verdict: "unknown", why: "the question was called off" };
    return new Promise((settle) => {
      if (ended.aborted) settle(ruling);
      else ended.addEventListener("abort", () => settle(ruling), { once: true });
    });
  }

  return {
    async start() {},
    async ask(_epoch, signal) {
      const off = calledOff(signal);
      if (signal.aborted || stopped.signal.aborted) return off;
      const ruling = await Promise.race([look(), off]);
      last = ruling.why;
      return ruling;
    },
    async stop() {
      stopped.abort();
    },
    describe: () => `looks for ${path}: ${last}`.replaceAll(/\s+/g, " ").slice(0, 200),
  };
}
