/**
 * Tells observers what happens: each has a queue of its own, is called one entry at a time, and loses the oldest
 * entries when it cannot keep up. Nothing waits for an observer.
 */

import type { Observer, TimelineEntry } from "../plugin/contract.js";
import { startPlugin, stopPlugin } from "../plugin/start-stop.js";
import type { Log } from "../plugin/tokens.js";
import { bounded } from "./bounded.js";

export interface ObserverStatus {
  readonly name: string;
  readonly description: string;
  readonly dropped: number;
}

export interface ObserverQueue {
  readonly name: string;
  start(): Promise<void>;
  /** Synchronous and cheap. */
  push(entry: TimelineEntry): void;
  status(): ObserverStatus;
  /** Gives what waits one second to be told, then ends. */
  stop(): Promise<void>;
}

export const observerQueueLength = 1000;

/** A hook that hangs costs its own queue only, but not for ever. */
const observeLimitMs = 60_000;
const startLimitMs = 10_000;
const lastWordsMs = 1000;
const stopLimitMs = 5000;

export function createObserverQueue(name: string, observer: Observer, log: Log): ObserverQueue {
  const waiting: TimelineEntry[] = [];
  let dropped = 0;
  let droppedBeforeNext = 0;
  let started = false;
  let ended = false;
  let draining: Promise<void> | undefined;

  function push(entry: TimelineEntry): void {
    if (ended) return;
    if (waiting.length >= observerQueueLength) {
      waiting.shift();
      dropped += 1;
      droppedBeforeNext += 1;
    }
    waiting.push(entry);
    drainSoon();
  }

  function drainSoon(): void {
    if (!started || draining !== undefined) return;
    draining = drain().finally(() => {
      draining = undefined;
      if (waiting.length > 0 && !ended) drainSoon();
    });
  }

  async function drain(): Promise<void> {
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
      const lost = droppedBeforeNext;
      droppedBeforeNext = 0;
      const told = lost === 0 ? entry : { ...entry, details: { ...entry.details, droppedBefore: lost } };
      const result = await bounded(() => observer.observe(told), observeLimitMs);
      if (result.kind !== "done") log.warn({ observer: name, reason: result.reason }, "an observer failed");
    }
  }

  return {
    name,
    async start() {
      const trouble = await startPlugin(() => observer.start(), startLimitMs);
      if (trouble !== undefined) log.error({ observer: name, ...trouble }, "an observer did not start");
      started = true;
      drainSoon();
    },
    push,
    status: () => ({ name, description: describe(observer), dropped }),
    async stop() {
      if (draining !== undefined) await bounded(() => draining ?? Promise.resolve(), lastWordsMs);
      ended = true;
      waiting.length = 0;
      const trouble = await stopPlugin(() => observer.stop(), stopLimitMs);
      if (trouble !== undefined) log.warn({ observer: name, ...trouble }, "an observer did not stop");
    },
  };
}

function describe(observer: Observer): string {
  try {
    return observer.describe();
  } catch (error) {
    return `(no description: ${error instanceof Error ? error.message : String(error)})`;
  }
}
