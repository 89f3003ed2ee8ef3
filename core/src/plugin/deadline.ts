/**
 * Waits for a promise, but not for ever. A promise that misses its deadline goes on by itself; nobody hears of it again.
 */

export type InTime<T> = { readonly done: true; readonly value: T } | { readonly done: false };

/** Rejects as the promise does; after `ms` resolves to `done: false`. */
export function withDeadline<T>(promise: Promise<T>, ms: number): Promise<InTime<T>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve({ done: false }), ms);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve({ done: true, value });
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
