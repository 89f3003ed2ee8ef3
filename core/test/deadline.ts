/** Waiting for an event with an end: a test that waits for nothing else says what it waited for. */

export function deadline<T>(promise: Promise<T>, what: string, withinMs = 20_000): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => timeout.reject(new Error(`waited ${withinMs} ms in vain for: ${what}`)),
    withinMs,
  );
  return Promise.race([promise, timeout.promise]).finally(() => clearTimeout(timer));
}
