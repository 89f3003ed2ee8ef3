/**
 * A store whose process is killed in the middle of commits: whatever it had reported as committed is there, and nothing
 * is half there. A kill keeps the page cache; that commits reach the disk itself is shown by the calls it makes.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { rowOf } from "@understudy/core/conformance/session-rows";
import { folderFor, start, storeAt } from "./stores.js";

const kills = 8;

test("nothing that was reported committed is missing after a kill", { timeout: 120_000 }, async (context) => {
  const path = join(folderFor(context), "sessions.db");
  let before = 0;
  for (let kill = 1; kill <= kills; kill += 1) {
    const reported = await killedAfter(path, 3 + kill * 19);
    const store = storeAt(path);
    assert.deepEqual(store.open(), { found: true, setAside: undefined });
    const { running } = store.size();
    assert.ok(running >= reported && reported > before, `${running} of ${reported} after ${before}`);
    assert.equal(running % 16, 0, "groups are whole");
    assert.equal(Number(store.getMeta("written")), running);
    for (const number of [1, before + 1, reported, running]) {
      assert.deepEqual(store.get(rowOf(number).id), rowOf(number));
    }
    assert.equal(store.changesAfter(rowOf(1).origin, before, 1_000_000).length, running - before);
    before = running;
    store.close();
  }
});

/** Kills the writer when it has reported so many groups. Returns the last number it reported. */
async function killedAfter(path: string, groups: number): Promise<number> {
  const writer = start("writer-program", [path, "16"]);
  const closed = once(writer, "close");
  let reported = 0;
  let seen = 0;
  assert.ok(writer.stdout);
  for await (const line of createInterface({ input: writer.stdout })) {
    reported = Number(line);
    seen += 1;
    if (seen === groups) writer.kill("SIGKILL");
  }
  await closed;
  return reported;
}

test("every commit has written its pages through to the disk before it returns", (context) => {
  const folder = folderFor(context);
  const trace = join(folder, "trace");
  const program = fileURLToPath(new URL("./writer-program.js", import.meta.url));
  const calls = "trace=fdatasync,fsync,pwrite64,write";
  const run = spawnSync(
    "strace",
    [
      "-f",
      "-y",
      "-e",
      calls,
      "-o",
      trace,
      process.execPath,
      program,
      join(folder, "sessions.db"),
      "16",
      "40",
    ],
    { encoding: "utf8", timeout: 60_000 },
  );
  assert.equal(run.status, 0, run.stderr);
  const steps = stepsOf(readFileSync(trace, "utf8"));
  const reports = steps.filter((step) => step === "report").length;
  assert.equal(reports, 40);
  let unsynced = false;
  let syncs = 0;
  for (const step of steps) {
    if (step === "page") unsynced = true;
    if (step === "sync") {
      syncs += 1;
      unsynced = false;
    }
    if (step !== "report") continue;
    assert.equal(unsynced, false, "a page of the log was not synced when the commit was reported");
    assert.ok(syncs >= 1, "no sync since the report before");
    syncs = 0;
  }
});

/** Writes to the log, syncs of it, and reports of a commit, in the order in which they happened. */
function stepsOf(trace: string): ("page" | "sync" | "report")[] {
  return trace.split("\n").flatMap((line): ("page" | "sync" | "report")[] => {
    if (/pwrite64\(\d+<[^>]*sessions\.db-wal>/.test(line)) return ["page"];
    if (/(fdatasync|fsync)\(\d+<[^>]*sessions\.db-wal>.* = 0$/.test(line)) return ["sync"];
    return /write\(1<[^>]*>, "\d+\\n"/.test(line) ? ["report"] : [];
  });
}
