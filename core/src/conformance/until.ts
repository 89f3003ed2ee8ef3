/**
 * Waiting in conformance suites: for something to become true, with an end that says what was waited for, and for a
 * while in which something must not happen.
 */

import { setTimeout as pause } from "node:timers/promises";

let mostMs = Number.POSITIVE_INFINITY;

/** For tests of the suites themselves: while `work` runs nothing is waited for longer than this. */
export async function impatiently<T>(ms: number, work: () => Promise<T>): Promise<T> {
  mostMs = ms;
  try {
    return await work();
  } finally {
    mostMs = Number.POSITIVE_INFINITY;
  }
}

/** Asks again every few milliseconds; `again` runs before each question, for what may have to be repeated. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  options: { readonly withinMs?: number; readonly again?: () => void } = {},
): Promise<void> {
  const { again } = options;
  const withinMs = Math.min(mostMs, options.withinMs ?? 20_000);
  const endMs = performance.now() + withinMs;
  for (;;) {
    again?.();
    if (await holds()) return;
    if (performance.now() > endMs) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await pause(5);
  }
}

/** Settles as `promise` does, or rejects naming what it waited for. */
export function within<T>(what: string, promise: Promise<T>, allowedMs = 20_000): Promise<T> {
  const withinMs = Math.min(mostMs, allowedMs);
  const end = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => end.reject(new Error(`waited ${withinMs} ms in vain for: ${what}`)),
    withinMs,
  );
  return Promise.race([promise, end.promise]).finally(() => clearTimeout(timer));
}
