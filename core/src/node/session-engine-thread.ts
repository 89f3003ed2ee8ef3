/**
 * Keeps a session thread running: makes it, makes a new one a while after one has failed, and says when the start is
 * impossible. A new thread begins with a new incarnation, so nothing of the old one can be doubted into the new.
 */

import { Worker } from "node:worker_threads";
import { UnderstudyError } from "../errors/error.js";
import type { Log } from "../plugin/tokens.js";
import type { FromThread, ThreadStart, ToThread } from "./session-thread-messages.js";

const firstPauseMs = 500;
const longestPauseMs = 10_000;
const stopDeadlineMs = 4000;

export interface SessionThread {
  /** Settles when the thread runs or will be tried again; rejects when it never can. */
  start(): Promise<void>;
  /** False while there is no thread. */
  send(message: ToThread): boolean;
  stop(): Promise<void>;
}

export interface SessionThreadOptions {
  readonly begin: () => ThreadStart;
  readonly log: Log;
  readonly message: (message: FromThread) => void;
  /** A thread runs: it knows nothing of what was said to an earlier one. */
  readonly began: () => void;
  /** It ended, and another will follow. */
  readonly lost: (why: string) => void;
}

export function createSessionThread(options: SessionThreadOptions): SessionThread {
  const { log } = options;
  let worker: Worker | undefined;
  let ready = false;
  let wanted = true;
  let pauseMs = firstPauseMs;
  let timer: NodeJS.Timeout | undefined;
  let why = "";

  function make(settled: (impossible?: Error) => void): void {
    const made = new Worker(new URL("./session-thread.js", import.meta.url), {
      workerData: options.begin(),
      name: "sessions",
    });
    worker = made;
    made.on("message", (message: FromThread) => {
      if (worker !== made) return;
      if (message.type === "ready") {
        ready = true;
        pauseMs = firstPauseMs;
        options.began();
        settled();
      } else if (message.type === "impossible") {
        const { code, message: what, meaning, todo } = message.error;
        why = what;
        settled(new UnderstudyError(code, what, { meaning, todo }));
      } else if (message.type === "broken") {
        why = message.message;
      } else {
        options.message(message);
      }
    });
    made.on("error", (error: Error) => {
      why = error.message;
    });
    made.once("exit", () => {
      if (worker !== made) return;
      worker = undefined;
      ready = false;
      if (wanted) {
        log.error({ why, retryInMs: pauseMs }, "the session thread ended; another is made");
        options.lost(why || "the session thread ended");
        timer = setTimeout(() => make(() => {}), pauseMs);
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
      settled();
    });
  }

  return {
    start: () =>
      new Promise((resolve, reject) => {
        make((impossible) => {
          if (impossible === undefined) {
            resolve();
            return;
          }
          wanted = false;
          reject(impossible);
        });
      }),
    send(message) {
      if (worker === undefined || !ready) return false;
      worker.postMessage(message);
      return true;
    },
    stop() {
      wanted = false;
      clearTimeout(timer);
      const ending = worker;
      if (ending === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        const late = setTimeout(() => void ending.terminate(), stopDeadlineMs);
        ending.once("exit", () => {
          clearTimeout(late);
          resolve();
        });
        ending.postMessage({ type: "stop" } satisfies ToThread);
      });
    },
  };
}
