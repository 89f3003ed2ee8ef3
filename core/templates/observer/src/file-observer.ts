/**
 * Writes each entry of the timeline as one line of JSON. The core calls `observe` one entry at a time and waits for it,
 * so the lines are in order; a failure is thrown, and the core logs it and goes on with the next entry.
 */

import { type FileHandle, open } from "node:fs/promises";
import type { Observer } from "@understudy/core/public";

export interface FileObserverOptions {
  readonly path: string;
  /** Empty: every kind. */
  readonly kinds: readonly string[];
}

export function fileObserver({ path, kinds }: FileObserverOptions): Observer {
  let file: FileHandle | undefined;
  let written = 0;
  let trouble: string | undefined = "not started";

  return {
    async start() {
      file = await open(path, "a", 0o640);
      trouble = undefined;
    },
    async observe(entry) {
      if (kinds.length > 0 && !kinds.includes(entry.kind)) return;
      if (file === undefined) throw new Error(`${path} is not open`);
      try {
        await file.appendFile(`${JSON.stringify(entry)}\n`);
        written += 1;
        trouble = undefined;
      } catch (error) {
        trouble = error instanceof Error ? error.message : String(error);
        throw error;
      }
    },
    // Called once, and also when start() failed or was never called.
    async stop() {
      const closing = file;
      file = undefined;
      trouble = "stopped";
      await closing?.close();
    },
    describe: () =>
      `${written} entries in ${path}${trouble === undefined ? "" : `: ${trouble}`}`.slice(0, 200),
  };
}
