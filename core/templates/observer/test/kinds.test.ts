/** Your own tests stand beside the suite: here, that only the kinds asked for are written. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { timelineEntry } from "@understudy/core/conformance/observer";
import { fileObserver } from "../src/file-observer.ts";

test("only the kinds asked for are written", async () => {
  const folder = await mkdtemp(join(tmpdir(), "observer-"));
  const path = join(folder, "entries.jsonl");
  const observer = fileObserver({ path, kinds: ["alarm"] });
  try {
    await observer.start();
    await observer.observe(timelineEntry({ kind: "role" }));
    await observer.observe(timelineEntry({ kind: "alarm", what: "something is wrong" }));
  } finally {
    await observer.stop();
  }
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { what: string }).what),
    ["something is wrong"],
  );
  await rm(folder, { recursive: true });
});
