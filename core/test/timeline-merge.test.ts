/** The order of a merged timeline, whatever the wall clocks say. */

import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { betterOffset, offsetOf } from "../src/node/clock-offset.js";
import { createTimelineFile } from "../src/node/timeline-file.js";
import { type KeptEntry, mergeTimelines, notedOffsets } from "../src/node/timeline-merge.js";
import { quietLog } from "./node-kit.js";

function entry(boot: string, monotonicMs: number, what: string, at = "2026-01-01T00:00:00.000Z"): KeptEntry {
  return { at, node: boot, boot, monotonicMs, kind: "role", what, rules: [], details: {} };
}

function whats(entries: readonly KeptEntry[]): readonly string[] {
  return entries.map(({ what }) => what);
}

test("the measured offset orders what the wall clocks would order wrongly", () => {
  // The peer's monotonic clock is 5000 ahead; its wall clock a year behind.
  const own = [entry("a", 100, "1 cause"), entry("a", 300, "3 effect")];
  const peer = [entry("b", 5200, "2 between", "2025-01-01T00:00:00.000Z")];
  const offsets = [{ ownBoot: "a", peerBoot: "b", peerMs: 5200, offsetMs: 5000, errorMs: 1 }];
  assert.deepEqual(whats(mergeTimelines(own, peer, offsets)), ["1 cause", "2 between", "3 effect"]);
  assert.deepEqual(whats(mergeTimelines(own, peer, [])), ["2 between", "1 cause", "3 effect"]);
});

test("clocks drift: the measurement nearest in time counts", () => {
  const own = [entry("a", 1000, "1"), entry("a", 100_000, "3")];
  const peer = [entry("b", 1010, "2"), entry("b", 100_050, "4")];
  const offsets = [
    { ownBoot: "a", peerBoot: "b", peerMs: 1000, offsetMs: 0, errorMs: 1 },
    { ownBoot: "a", peerBoot: "b", peerMs: 100_000, offsetMs: 40, errorMs: 1 },
  ];
  assert.deepEqual(whats(mergeTimelines(own, peer, offsets)), ["1", "2", "3", "4"]);
});

test("entries of both processes are ordered within a boot, and a wrong wall clock puts no boot after its successor", () => {
  const own = [
    entry("first", 50, "before the reboot", "2040-01-01T00:00:00.000Z"),
    entry("second", 20, "node, later", "2026-01-01T00:00:00.020Z"),
    entry("second", 10, "pulse, earlier", "2026-01-01T00:00:00.010Z"),
  ];
  assert.deepEqual(whats(mergeTimelines(own, [], [])), [
    "before the reboot",
    "pulse, earlier",
    "node, later",
  ]);
});

test("measurements are read back out of the timeline", () => {
  const noted = {
    ...entry("a", 7, "clock"),
    kind: "clock",
    details: { peerBoot: "b", peerMs: 9, offsetMs: 2, errorMs: 1 },
  };
  assert.deepEqual(notedOffsets([entry("a", 1, "x"), noted]), [
    { ownBoot: "a", peerBoot: "b", peerMs: 9, offsetMs: 2, errorMs: 1 },
  ]);
});

test("of several round trips the shortest says the most, until it is old", () => {
  const slow = { ...offsetOf({ sentMs: 0, receivedMs: 100, peerMs: 1080 }), atMs: 100 };
  const quick = { ...offsetOf({ sentMs: 200, receivedMs: 201, peerMs: 1200.5 }), atMs: 201 };
  assert.equal(quick.offsetMs, 1000);
  assert.equal(betterOffset(slow, quick), quick);
  assert.equal(betterOffset(quick, { ...slow, atMs: 300 }), quick);
  const muchLater = { ...slow, atMs: 10_000_000 };
  assert.equal(betterOffset(quick, muchLater), muchLater);
});

test("a torn last line costs itself alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ust-"));
  const first = createTimelineFile(folder, quietLog);
  first.append(entry("a", 1, "whole"));
  await first.close();
  appendFileSync(join(folder, "timeline.jsonl"), '{"at":"2026');
  const second = createTimelineFile(folder, quietLog);
  second.append(entry("a", 2, "after the crash"));
  await second.close();
  assert.deepEqual(whats(await createTimelineFile(folder, quietLog).load(10)), ["whole", "after the crash"]);
  rmSync(folder, { recursive: true });
});

test("the file is rotated, one older is kept, and both are read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ust-"));
  const file = createTimelineFile(folder, quietLog, 1000);
  for (let number = 1; number <= 30; number += 1) {
    file.append(entry("a", number, `entry ${number}`));
    await file.flushed();
  }
  await file.close();
  const kept = await createTimelineFile(folder, quietLog).load(100);
  assert.equal(kept.at(-1)?.what, "entry 30");
  assert.ok(kept.length >= 6 && kept.length < 30, `${kept.length} entries kept`);
  assert.ok(readFileSync(join(folder, "timeline.jsonl"), "utf8").length < 2000);
  rmSync(folder, { recursive: true });
});
