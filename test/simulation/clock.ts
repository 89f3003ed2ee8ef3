/**
 * A machine's own monotonic clock: it starts anywhere, drifts a little and stands still while the machine is paused, and
 * so do the timers on it. Two machines never share one (nothing may compare their times).
 */

import type { Schedule } from "./schedule.js";

export interface ClockOptions {
  readonly offsetMs: number;
  /** Parts in a million by which this clock runs fast. */
  readonly driftPpm: number;
}

export interface MachineClock {
  readonly nowMs: number;
  readonly paused: boolean;
  /** In this clock's milliseconds; returns a function that takes it back. */
  after(delayMs: number, run: () => void): () => void;
  pause(): void;
  resume(): void;
}

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
  takeBack: () => void;
}

export function makeMachineClock(schedule: Schedule, options: ClockOptions): MachineClock {
  const rate = 1 + options.driftPpm / 1_000_000;
  const timers = new Set<Timer>();
  let pausedAtMs: number | undefined;
  let pausedForMs = 0;
  let order = 0;
  /** Rounding must not make a timer see a time before the one it was set for. */
  let leastMs = Number.NEGATIVE_INFINITY;

  const now = (): number => {
    const worldMs = pausedAtMs ?? schedule.nowMs;
    return Math.max(leastMs, options.offsetMs + (worldMs - pausedForMs) * rate);
  };
  const arm = (timer: Timer): void => {
    timer.takeBack = schedule.after((timer.dueMs - now()) / rate, () => {
      timers.delete(timer);
      leastMs = Math.max(leastMs, timer.dueMs);
      timer.run();
    });
  };
  return {
    get nowMs() {
      return now();
    },
    get paused() {
      return pausedAtMs !== undefined;
    },
    after: (delayMs, run) => {
      order += 1;
      const timer: Timer = { dueMs: now() + Math.max(0, delayMs), order, run, takeBack: () => {} };
      timers.add(timer);
      if (pausedAtMs === undefined) arm(timer);
      return () => {
        timer.takeBack();
        timers.delete(timer);
      };
    },
    pause: () => {
      if (pausedAtMs !== undefined) return;
      pausedAtMs = schedule.nowMs;
      for (const timer of timers) timer.takeBack();
    },
    resume: () => {
      if (pausedAtMs === undefined) return;
      pausedForMs += schedule.nowMs - pausedAtMs;
      pausedAtMs = undefined;
      const waiting = [...timers].sort((left, right) => left.dueMs - right.dueMs || left.order - right.order);
      for (const timer of waiting) arm(timer);
    },
  };
}
