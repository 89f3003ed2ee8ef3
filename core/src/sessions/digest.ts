/**
 * A 64-bit hash of a row's bytes and the sum of such hashes over a database: equal for equal rows in whatever order they
 * came (rule R22). Two halves of 32 bits, because big integers would cost more than the rest of a change.
 */

/** A number modulo 2^64. */
export interface Sum64 {
  high: number;
  low: number;
}

export const zero = { high: 0, low: 0 } as const;

/** Finds corruption, not malice: the link is authenticated. */
export function hash64(bytes: Uint8Array, start: number, end: number, into: Sum64): Sum64 {
  let a = 0x9e3779b9 ^ (end - start);
  let b = 0x7f4a7c15;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    a = Math.imul(a ^ word, 0x85ebca6b);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b + word + a, 0xc2b2ae35);
    b ^= b >>> 15;
  }
  for (; at < end; at += 1) {
    a = Math.imul(a ^ (bytes[at] as number), 0x85ebca6b);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b + (bytes[at] as number) + a, 0xc2b2ae35);
    b ^= b >>> 15;
  }
  into.low = finish(a ^ Math.imul(b, 0x27d4eb2f));
  into.high = finish(b + Math.imul(a, 0x165667b1));
  return into;
}

function finish(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export function add(sum: Sum64, value: Readonly<Sum64>): void {
  const low = sum.low + value.low;
  sum.low = low >>> 0;
  sum.high = (sum.high + value.high + (low > 0xffffffff ? 1 : 0)) >>> 0;
}

export function subtract(sum: Sum64, value: Readonly<Sum64>): void {
  const low = sum.low - value.low;
  sum.low = low >>> 0;
  sum.high = (sum.high - value.high - (low < 0 ? 1 : 0)) >>> 0;
}

export function same(a: Readonly<Sum64>, b: Readonly<Sum64>): boolean {
  return a.low === b.low && a.high === b.high;
}

export function sumText(sum: Readonly<Sum64>): string {
  return sum.high.toString(16).padStart(8, "0") + sum.low.toString(16).padStart(8, "0");
}

export function parseSum(text: string): Sum64 | undefined {
  if (!/^[0-9a-f]{16}$/.test(text)) return undefined;
  return { high: Number.parseInt(text.slice(0, 8), 16), low: Number.parseInt(text.slice(8), 16) };
}
