/** When rounds of announcements leave (rule R7), to the millisecond, as the segment agrees, disagrees or says nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../src/failover/event.js";
import { initialState } from "../src/failover/state.js";
import { step } from "../src/failover/step.js";
import { testSettings } from "./settings-kit.js";

type Agreement = "agreed" | "disagreed" | "unknown";

/** A node that serves alone since 0 ms of its own time. */
function active() {
  let state = initialState({ ...testSettings, aloneAfterMs: 0 });
  let acquireId: number | undefined;
  let wakeAtMs = 0;
  let rounds: number[] = [];
  let sinceMs = 0;
  const tell = (event: Event) => {
    const out = step(state, event);
    state = out.state;
    wakeAtMs = out.wakeAtMs;
    for (const action of out.actions) {
      if (action.type === "acquireAddress") acquireId = action.id;
      if (action.type === "announce") rounds.push(event.atMs - sinceMs);
    }
  };
  const intents = { maintenance: false, preference: { side: undefined, version: 0 } };
  tell({ type: "started", atMs: 0, nonce: "00", epoch: 4, intents });
  const report = { services: true, store: true, verified: true, inSync: true, waitingFor: undefined };
  let atMs = 1;
  tell({ type: "nodeReported", atMs, report });
  for (; acquireId === undefined && atMs < 60_000; atMs += 5) {
    tell({ type: "nodeReported", atMs, report });
    tell({ type: "polled", atMs });
  }
  sinceMs = atMs;
  tell({ type: "actionFinished", atMs, id: acquireId ?? -1, outcome: "confirmed" });
  assert.equal(state.role, "active");
  return {
    hear: (agreement: Agreement, refreshMs = 60_000) =>
      tell({ type: "segmentAgreed", atMs, agreement, refreshMs, detail: "test" }),
    overlap: () => tell({ type: "addressAnswered", atMs, from: "peer", mac: "m" }),
    /** The rounds up to then, in milliseconds since the claim. */
    until(endMs: number): readonly number[] {
      for (; wakeAtMs - sinceMs <= endMs; ) {
        atMs = Math.max(wakeAtMs, atMs);
        tell({ type: "nodeReported", atMs, report });
      }
      atMs = sinceMs + endMs;
      const found = rounds;
      rounds = [];
      return found;
    },
  };
}

const series = [0, 5, 20, 50, 100, 250, 500, 1000];

test("R7: eight rounds in the first second, then every ten while nobody says anything", () => {
  assert.deepEqual(active().until(31_500), [...series, 11_000, 21_000, 31_000]);
});

test("R7: while the segment disagrees every second, without end", () => {
  const one = active();
  one.until(6);
  one.hear("disagreed");
  const rest = one.until(120_500);
  assert.deepEqual(rest.slice(0, 6), [20, 50, 100, 250, 500, 1000]);
  assert.deepEqual(
    rest.slice(6),
    Array.from({ length: 119 }, (_, at) => 2000 + at * 1000),
  );
});

test("R7: once it agrees at the interval it asked for, counted from the last round", () => {
  const one = active();
  one.until(6);
  one.hear("disagreed");
  assert.deepEqual(one.until(3500).slice(6), [2000, 3000]);
  one.hear("agreed", 60_000);
  assert.deepEqual(one.until(124_000), [63_000, 123_000]);
  one.hear("disagreed");
  assert.deepEqual(one.until(126_100), [124_000, 125_000, 126_000], "the last round was a second ago: now");
});

test("R7: agreement within the first second cuts nothing of it short", () => {
  const one = active();
  one.until(6);
  one.hear("agreed", 60_000);
  assert.deepEqual(one.until(61_500), [20, 50, 100, 250, 500, 1000, 61_000]);
});

test("R7: an overlap begins the series anew, and the interval afterwards is what it was", () => {
  const one = active();
  one.until(1500);
  one.hear("agreed", 60_000);
  one.until(5000);
  one.overlap();
  assert.deepEqual(one.until(70_000), [...series.map((at) => 5000 + at), 66_000]);
});

test("an interval of less than a second is not believed, and a standby hears nothing of it", () => {
  const one = active();
  one.until(1500);
  one.hear("agreed", 1);
  assert.deepEqual(one.until(4500), [2000, 3000, 4000]);
  const standby = initialState(testSettings);
  const told = { type: "segmentAgreed", atMs: 5, agreement: "disagreed", refreshMs: 1, detail: "" } as const;
  assert.equal(step(standby, told).state.announce, undefined);
});
