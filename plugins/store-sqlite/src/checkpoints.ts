/**
 * Brings the write-ahead log into the database between transactions, after those who wait for a commit were answered,
 * and never while the file is being copied.
 */

import type { DatabaseSync } from "node:sqlite";

/** Pages in the log that call for it: 3 MiB, less than the ballast, written in some 3 to 9 ms (measured). */
const duePages = 750;
/** SQLite does it itself within the commit, should the thread never come to rest. */
const unavoidablePages = 4 * duePages;

export interface Checkpoints {
  /** After each commit; looks when the present turn of the event loop has ended. */
  committed(): void;
  /** Brings everything over now. False: it could not, and all is still in the log. */
  now(): boolean;
  /** From now on the file does not change until `release`. May be called several times. */
  hold(): void;
  release(): void;
  stop(): void;
}

export function createCheckpoints(
  database: DatabaseSync,
  /** What a checkpoint of its own threw: nothing committed is lost by it. */
  failed: (error: unknown) => void,
): Checkpoints {
  const look = database.prepare("PRAGMA wal_checkpoint(NOOP)");
  const run = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
  const automatic = (pages: number) => database.exec(`PRAGMA wal_autocheckpoint = ${pages}`);
  let holds = 0;
  let waiting: NodeJS.Immediate | undefined;

  automatic(unavoidablePages);

  function now(): boolean {
    const outcome = run.get();
    return outcome?.busy === 0 && outcome.log === outcome.checkpointed;
  }

  function ifDue(): void {
    waiting = undefined;
    if (holds > 0 || database.isTransaction) return;
    try {
      const state = look.get();
      if (Number(state?.log) - Number(state?.checkpointed) >= duePages) now();
    } catch (error) {
      failed(error);
    }
  }

  return {
    committed() {
      waiting ??= setImmediate(ifDue);
    },
    now,
    hold() {
      if (holds === 0) automatic(0);
      holds += 1;
    },
    release() {
      holds -= 1;
      if (holds > 0 || !database.isOpen) return;
      automatic(unavoidablePages);
      waiting ??= setImmediate(ifDue);
    },
    stop() {
      clearImmediate(waiting);
    },
  };
}
