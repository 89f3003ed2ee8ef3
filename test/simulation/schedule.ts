/**
 * Simulated time: what is to happen, in order, and the clock that jumps from one to the next. Things due at the same
 * instant happen in the order they were asked for.
 */

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

export interface Schedule {
  readonly nowMs: number;
  /** Returns a function that takes it back. */
  after(delayMs: number, run: () => void): () => void;
  /** Runs all that is due until then, calling `each` after every one, and leaves the clock there. */
  runUntil(untilMs: number, each: () => void): void;
}

function before(left: Due, right: Due): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}

export function makeSchedule(): Schedule {
  const heap: Due[] = [];
  let nowMs = 0;
  let order = 0;
  const at = (index: number): Due => heap[index] as Due;
  const swap = (one: number, other: number) => {
    const held = at(one);
    heap[one] = at(other);
    heap[other] = held;
  };
  const push = (due: Due) => {
    heap.push(due);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (before(at(parent), at(index))) break;
      swap(parent, index);
      index = parent;
    }
  };
  const sink = () => {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const least = right < heap.length && before(at(right), at(left)) ? right : left;
      if (before(at(index), at(least))) return;
      swap(index, least);
      index = least;
    }
  };
  const pop = () => {
    const first = at(0);
    const last = heap.pop() as Due;
    if (heap.length > 0) {
      heap[0] = last;
      sink();
    }
    return first;
  };
  return {
    get nowMs() {
      return nowMs;
    },
    after: (delayMs, run) => {
      order += 1;
      const due: Due = { atMs: nowMs + Math.max(0, delayMs), order, run, cancelled: false };
      push(due);
      return () => {
        due.cancelled = true;
      };
    },
    runUntil: (untilMs, each) => {
      while (heap.length > 0 && at(0).atMs <= untilMs) {
        const due = pop();
        if (due.cancelled) continue;
        nowMs = due.atMs;
        due.run();
        each();
      }
      nowMs = untilMs;
    },
  };
}
