/** What fits into one answer on the control socket, whose lines hold a mebibyte. Pure. */

const mostAnswerBytes = 900 * 1024;

/** How many items from the front fit, at least one. */
export function fitsFromFront(items: readonly unknown[]): number {
  return Math.max(1, countFitting(items));
}

/** How many items from the end fit. */
export function fitsFromEnd(items: readonly unknown[]): number {
  return countFitting(items.toReversed());
}

function countFitting(items: readonly unknown[]): number {
  let bytes = 0;
  let count = 0;
  for (const item of items) {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    if (bytes > mostAnswerBytes) break;
    count += 1;
  }
  return count;
}
