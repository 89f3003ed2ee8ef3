/** What has been started and must be stopped, newest first, also when one of them fails to. */

import type { Log } from "../plugin/tokens.js";

export interface Undo {
  add(close: () => Promise<void>): void;
  all(): Promise<void>;
}

export function createUndo(log: Log): Undo {
  const closers: (() => Promise<void>)[] = [];
  return {
    add: (close) => void closers.push(close),
    async all() {
      for (const close of closers.splice(0).toReversed()) {
        try {
          await close();
        } catch (error) {
          log.error({ error }, "pulse could not close a part of itself");
        }
      }
    },
  };
}
