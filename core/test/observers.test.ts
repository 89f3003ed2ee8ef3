/** Observers never hold anybody up: one call at a time, a bounded queue, the oldest dropped and counted. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createObserverQueue, observerQueueLength } from "../src/node/observers.js";
import type { TimelineEntry } from "../src/plugin/contract.js";
import { quietLog, until } from "./node-kit.js";

function entry(number: number): TimelineEntry {
  return { at: "", node: "a", monotonicMs: number, kind: "x", what: `${number}`, rules: [], details: {} };
}

test("tells one entry at a time, in order, and counts what it had to drop", async () => {
  const told: TimelineEntry[] = [];
  const gate = Promise.withResolvers<void>();
  let inside = 0;
  const queue = createObserverQueue(
    "slow",
    {
      start: async () => {},
      async observe(entry) {
        inside += 1;
        assert.equal(inside, 1);
        await gate.promise;
        told.push(entry);
        inside -= 1;
      },
      stop: async () => {},
      describe: () => "a slow one",
    },
    quietLog,
  );
  await queue.start();
  const total = observerQueueLength + 11;
  for (let number = 1; number <= total; number += 1) queue.push(entry(number));
  // The first is being told already; of the others ten are too many.
  assert.equal(queue.status().dropped, 10);
  gate.resolve();
  await until(() => told.length === observerQueueLength + 1, "every entry that was kept");
  assert.deepEqual(
    told.slice(0, 3).map(({ what }) => what),
    ["1", "12", "13"],
  );
  assert.equal(told[1]?.details.droppedBefore, 10);
  assert.equal(told.at(-1)?.what, String(total));
  await queue.stop();
});

test("an observer that fails is told the next entry all the same", async () => {
  const told: string[] = [];
  const queue = createObserverQueue(
    "broken",
    {
      start: () => Promise.reject(new Error("no")),
      async observe({ what }) {
        told.push(what);
        throw new Error("no");
      },
      stop: async () => {},
      describe: () => {
        throw new Error("no");
      },
    },
    quietLog,
  );
  await queue.start();
  queue.push(entry(1));
  queue.push(entry(2));
  await until(() => told.length === 2, "both entries");
  assert.match(queue.status().description, /no description/);
  await queue.stop();
});
