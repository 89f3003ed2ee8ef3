/**
 * What every observer must show, as tests of node:test: it takes whatever it is told, one call at a time and in order,
 * and its failures stay its own.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Observer, TimelineEntry } from "../plugin/contract.js";
import { noteSuite } from "./suites-run.js";
import { until, within } from "./until.js";

export interface ObserverFixture {
  /** Not started. */
  readonly observer: Observer;
  /** What reached the world so far, oldest first: the `what` of each entry. */
  seen(): readonly string[] | Promise<readonly string[]>;
  dispose(): void | Promise<void>;
}

export interface ObserverSuite {
  readonly name: string;
  /** True for one that counts what it is told and keeps no texts: then `seen` gives one word an entry, whichever. */
  readonly countsOnly?: boolean;
  /** An observer that is told of every kind. */
  make(): Promise<ObserverFixture>;
  /** One whose way to the world is broken: it may fail, but it may not hang. */
  makeBroken(): Promise<ObserverFixture>;
}

export function timelineEntry(changes: Partial<TimelineEntry> = {}): TimelineEntry {
  return {
    at: "2026-01-02T03:04:05.678Z",
    node: "one",
    monotonicMs: 1234.5,
    kind: "role",
    what: "standby -> claiming: the other node is gone",
    rules: ["R9", "R13"],
    details: { from: "standby", to: "claiming", epoch: 7 },
    ...changes,
  };
}

export function observerConformance(suite: ObserverSuite): void {
  noteSuite("observer");
  describe(`${suite.name} is an observer`, () => {
    for (const [what, work] of observerTests(suite)) test(what, work);
  });
}

export function observerTests(suite: ObserverSuite): readonly (readonly [string, () => Promise<void>])[] {
  const use = (make: () => Promise<ObserverFixture>, work: Work) => async () => {
    const fixture = await make();
    try {
      await work(fixture);
    } finally {
      await within("stop", Promise.allSettled([fixture.observer.stop()]), stopMs);
      await fixture.dispose();
    }
  };
  const make = () => suite.make();
  return [
    ["what it is told reaches the world in order", use(make, inOrder(suite))],
    ["any text is carried as it is", use(make, anyText(suite))],
    ["an entry is shared with other observers, and is not changed", use(make, changesNothing)],
    ["a broken way to the world ends each call by itself", use(() => suite.makeBroken(), settlesBroken)],
    ["it stops without a start", use(make, stopsUnstarted)],
    ["it stops while an entry is under way", use(make, stopsInTheMiddle)],
    ["what it says of itself is one line", use(make, oneLine)],
  ];
}

const startMs = 10_000;
const stopMs = 5000;

type Work = (fixture: ObserverFixture) => Promise<void>;

/** Word for word, or as many. */
function sameWords(suite: ObserverSuite, seen: readonly string[], told: readonly string[]): void {
  if (suite.countsOnly === true) assert.equal(seen.length, told.length);
  else assert.deepEqual(seen, told);
}

const inOrder =
  (suite: ObserverSuite): Work =>
  async ({ observer, seen }) => {
    await within("start", observer.start(), startMs);
    const told = ["first", "second", "third", "fourth"];
    for (const what of told) await within(what, observer.observe(timelineEntry({ what })));
    await until("all four", async () => (await seen()).length >= 4);
    sameWords(suite, await seen(), told);
  };

const anyText =
  (suite: ObserverSuite): Work =>
  async ({ observer, seen }) => {
    await within("start", observer.start(), startMs);
    const what = "quotes ' \" ` $(id) ; | & \\ and ünïcödé \u{1f3ad}, two\nlines";
    await within("an odd text", observer.observe(timelineEntry({ what, details: { nested: [{ a: 1 }] } })));
    await within("a long one", observer.observe(timelineEntry({ what: "x".repeat(100_000) })));
    await until("both", async () => (await seen()).length >= 2);
    sameWords(suite, await seen(), [what, "x".repeat(100_000)]);
  };

async function changesNothing({ observer }: ObserverFixture): Promise<void> {
  await within("start", observer.start(), startMs);
  const entry = timelineEntry();
  const told = observer.observe(entry);
  assert.equal(
    typeof (told as Partial<Promise<void>> | undefined)?.then,
    "function",
    "observe gives a promise",
  );
  await within("an entry", told);
  assert.deepEqual(entry, timelineEntry());
}

async function settlesBroken({ observer }: ObserverFixture): Promise<void> {
  await Promise.allSettled([within("start", observer.start(), startMs)]);
  for (let count = 0; count < 3; count += 1) {
    const outcome = observer.observe(timelineEntry()).then(
      () => "settled",
      () => "settled",
    );
    assert.equal(await within("an entry that cannot be delivered", outcome, 50_000), "settled");
  }
}

async function stopsUnstarted({ observer }: ObserverFixture): Promise<void> {
  await within("stop without start", observer.stop(), stopMs);
}

async function stopsInTheMiddle({ observer }: ObserverFixture): Promise<void> {
  await within("start", observer.start(), startMs);
  const underWay = Promise.allSettled([observer.observe(timelineEntry())]);
  // The core gives a stop five seconds.
  await within("stop", observer.stop(), stopMs);
  await within("the entry that was under way", underWay);
}

async function oneLine({ observer }: ObserverFixture): Promise<void> {
  const check = () => {
    const line = observer.describe();
    assert.match(line, /^\S.*\S$/);
    assert.ok(!line.includes("\n") && line.length <= 200, line);
  };
  check();
  await within("start", observer.start(), startMs);
  check();
  await within("stop", observer.stop(), stopMs);
  check();
}
