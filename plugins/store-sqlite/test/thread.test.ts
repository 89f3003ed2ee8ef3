/** A session thread that ended without closing its store is followed by another one in the same process. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { rowOf } from "@understudy/core/conformance/session-rows";
import { folderFor, storeAt } from "./stores.js";

test("a thread that ends leaves the database to the next, locked against others", async (context) => {
  const path = join(folderFor(context), "sessions.db");
  for (let threads = 1; threads <= 3; threads += 1) {
    const thread = new Worker(new URL("./thread-program.js", import.meta.url), { workerData: { path } });
    const [code] = await once(thread, "exit");
    assert.equal(code, 1);
  }
  const store = storeAt(path);
  assert.deepEqual(store.open(), { found: true, setAside: undefined });
  assert.equal(store.size().running, 3);
  assert.equal(store.get(rowOf(1000).id), undefined);
  await store.snapshot(`${path}.copy`, () => {});
  assert.equal(openElsewhere(path), "STORE_IN_USE");
  store.close();
  assert.equal(openElsewhere(path), "opened");
});

/** Locks of one process do not bind itself: only another one can tell whether the file is locked. */
function openElsewhere(path: string): string {
  const program = fileURLToPath(new URL("./open-program.js", import.meta.url));
  const run = spawnSync(process.execPath, [program, join(path, "..")], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout).outcome;
}
