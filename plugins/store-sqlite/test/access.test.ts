/** Disks that can only be read, and files that this user may not touch. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { folderFor, onSmallDisk, storeAt } from "./stores.js";

test("a disk that became read-only is a broken store, and loses nothing", (context) => {
  const report = onSmallDisk(folderFor(context), 16, "open-program", "read-only");
  assert.deepEqual(report, { readOnly: "broken", after: "opened" });
});

test("files and folders without access are named as such", (context) => {
  const folder = folderFor(context);
  const path = join(folder, "sessions.db");
  const store = storeAt(path);
  store.open();
  store.close();
  assert.equal(withoutPrivilege(folder), "opened");
  chmodSync(path, 0o400);
  assert.equal(withoutPrivilege(folder), "STORE_NO_ACCESS");
  chmodSync(path, 0o600);
  chmodSync(folder, 0o500);
  assert.equal(withoutPrivilege(folder), "STORE_NO_ACCESS");
  chmodSync(folder, 0o700);
  assert.equal(withoutPrivilege(folder), "opened");
});

/** Root may touch every file, so this runs as a root that has lost this one power. */
function withoutPrivilege(folder: string): string {
  const program = fileURLToPath(new URL("./open-program.js", import.meta.url));
  const run = spawnSync(
    "unshare",
    ["-r", "setpriv", "--bounding-set=-dac_override,-dac_read_search", process.execPath, program, folder],
    { encoding: "utf8" },
  );
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout).outcome;
}
