/** What is recorded can be run again, across files, after a crash, and by a program that decides otherwise. */

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Event } from "../src/failover/event.js";
import { initialState, type State } from "../src/failover/state.js";
import { step } from "../src/failover/step.js";
import { createRecorder, type Recorder, type RecorderOptions } from "../src/pulse/recorder.js";
import { replayRecording } from "../src/pulse/replay.js";
import { seeded, testBeat } from "./beat-kit.js";
import { testSettings } from "./settings-kit.js";

let root = "";
let made = 0;
before(() => {
  root = mkdtempSync(join(tmpdir(), "understudy-recorder-"));
});
after(() => rmSync(root, { recursive: true, force: true }));

function newFolder(): string {
  made += 1;
  return join(root, String(made));
}

const warnings: string[] = [];
const log = {
  debug() {},
  info() {},
  warn: (_fields: object, message: string) => void warnings.push(message),
  error() {},
};
const initial = initialState(testSettings);

function recorder(folder: string, options: Partial<RecorderOptions> = {}): Recorder {
  return createRecorder({ folder, node: "two", software: "0.0.0", initial, log, ...options });
}

/** Half a minute of a standby whose peer serves, then dies. */
function play(into: Recorder, beats: number, silentFor: number): State {
  const next = seeded(5);
  let state = initial;
  let atMs = 1000.125;
  const tell = (event: Event) => {
    const out = step(state, event);
    state = out.state;
    into.record(event, out.actions, state);
  };
  const intents = { maintenance: false, preference: { side: undefined, version: 0 } };
  tell({ type: "started", atMs, nonce: "00", epoch: 4, intents });
  const report = { services: true, store: true, verified: true, inSync: true, waitingFor: undefined };
  tell({ type: "nodeReported", atMs, report });
  for (let count = 1; count <= beats + silentFor; count += 1) {
    atMs += 20 + next(1000) / 1000;
    tell({ type: "tick", atMs });
    if (count <= beats) {
      const echo = count % 50 === 0 ? undefined : { nonce: "00", sequence: count };
      const beat = testBeat({ sender: "primary", sequence: count, epoch: 5, goodbye: false, echo });
      tell({
        type: "beatReceived",
        atMs,
        path: "udp",
        beat,
        echoAgeMs: echo === undefined ? undefined : 20.5,
      });
    }
    tell({ type: "polled", atMs });
  }
  return state;
}

test("a recording replays to the same actions, and says why roles changed", async () => {
  const folder = newFolder();
  const one = recorder(folder);
  const state = play(one, 200, 40);
  assert.equal(state.role, "claiming");
  await one.close();
  const replay = await replayRecording(folder);
  assert.deepEqual([replay.divergence, replay.damagedLines, replay.node], [undefined, 0, "two"]);
  assert.equal(replay.events, 2 + 200 * 3 + 40 * 2);
  const roles = replay.records.filter(({ kind }) => kind === "role").map(({ what }) => what);
  assert.match(roles.at(-1) ?? "", /^standby -> claiming: the active node is dead/);
});

test("files are cut and the oldest thrown away; any of them replays by itself", async () => {
  const folder = newFolder();
  const one = recorder(folder, { fileBytes: 20_000, totalBytes: 60_000 });
  play(one, 3000, 40);
  await one.close();
  const names = readdirSync(folder);
  const bytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.ok(names.length >= 2 && bytes < 60_000 + 25_000, `${names.length} files, ${bytes} bytes`);
  assert.ok(!names.includes("recording-000000001.jsonl"));
  for (const path of [folder, ...names.map((name) => join(folder, name))]) {
    const replay = await replayRecording(path);
    assert.deepEqual([replay.divergence, replay.damagedLines], [undefined, 0], path);
    assert.ok(replay.events > 0);
  }
});

test("a program that decides otherwise is told where", async () => {
  const folder = newFolder();
  const one = recorder(folder);
  play(one, 100, 40);
  await one.close();
  const file = join(folder, readdirSync(folder)[0] ?? "");
  const lines = readFileSync(file, "utf8").split("\n");
  const at = lines.findIndex((line) => line.includes('"acquireAddress"'));
  writeFileSync(
    file,
    lines.map((line, index) => (index === at ? line.replace('"epoch":6', '"epoch":8') : line)).join("\n"),
  );
  const { divergence } = await replayRecording(folder);
  assert.equal(divergence?.line, at + 1);
  assert.equal(divergence?.event.type, "polled");
  assert.match(divergence?.recorded ?? "", /"epoch":8/);
  assert.match(divergence?.replayed ?? "", /"epoch":6/);
});

test("a recording cut off by power loss replays up to there", async () => {
  const folder = newFolder();
  const one = recorder(folder);
  play(one, 100, 40);
  await one.close();
  const file = join(folder, readdirSync(folder)[0] ?? "");
  const whole = readFileSync(file, "utf8");
  writeFileSync(file, whole.slice(0, whole.length - 30));
  const replay = await replayRecording(file);
  assert.deepEqual([replay.divergence, replay.damagedLines], [undefined, 1]);
});

test("the last words of a process that ends at once are on disk, also beside a write under way", async () => {
  const folder = newFolder();
  const one = recorder(folder);
  play(one, 100, 40);
  one.flushNow();
  const replay = await replayRecording(folder);
  assert.deepEqual([replay.divergence, replay.damagedLines], [undefined, 0]);
  assert.match(replay.records.at(-1)?.what ?? "", /claiming/);
  await one.close();
});

test("a folder that cannot be written costs a warning and nothing else", async () => {
  const file = newFolder();
  writeFileSync(file, "no folder");
  const one = recorder(join(file, "recording"));
  play(one, 100, 40);
  await one.close();
  one.flushNow();
  assert.ok(warnings.some((message) => /cannot be written/.test(message)));
});

test("what is no recording is refused with what to do", async () => {
  const folder = newFolder();
  await assert.rejects(replayRecording(folder), { code: "RECORDING_UNREADABLE" });
  const file = join(root, "text.jsonl");
  writeFileSync(file, "hello\n");
  await assert.rejects(replayRecording(file), { code: "RECORDING_UNREADABLE" });
});
