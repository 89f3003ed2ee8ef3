/**
 * Calls into plugins with an end: a promise that is not settled by its deadline is `late`, whatever becomes of it, and
 * nothing that a plugin throws goes further than here.
 */

export type Bounded<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "late"; readonly reason: string };

export async function bounded<T>(work: () => Promise<T>, limitMs: number): Promise<Bounded<T>> {
  const late = Promise.withResolvers<Bounded<T>>();
  const timer = setTimeout(
    () => late.resolve({ kind: "late", reason: `no answer within ${limitMs} ms` }),
    limitMs,
  );
  try {
    return await Promise.race([settled(work), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function settled<T>(work: () => Promise<T>): Promise<Bounded<T>> {
  try {
    return { kind: "done", value: await work() };
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Resolves with undefined after `limitMs` when the promise has not been settled by then. Never rejects. */
export async function atMost<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  const result = await bounded(() => promise, limitMs);
  return result.kind === "done" ? result.value : undefined;
}
