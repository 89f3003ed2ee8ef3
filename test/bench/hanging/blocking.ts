/** Keeps the thread busy, as a plugin does that calls something slow synchronously. */

export function block(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}
