/** Your own tests stand beside the suite: here, that other addresses are left as they are. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { recordingReports } from "@understudy/core/conformance/address";
import { tableBackend } from "../src/table-backend.ts";

test("addresses that are not its own stay", async () => {
  const folder = await mkdtemp(join(tmpdir(), "address-"));
  const path = join(folder, "addresses");
  await writeFile(path, "10.0.0.2\n");
  const backend = tableBackend(path, ["10.0.0.4"]);
  await backend.start(recordingReports());
  assert.equal(await backend.acquire(1), "confirmed");
  assert.equal(await readFile(path, "utf8"), "10.0.0.2\n10.0.0.4\n");
  await backend.stop();
  assert.equal(await readFile(path, "utf8"), "10.0.0.2\n");
  await rm(folder, { recursive: true });
});
