/** Your own tests stand beside the suite: here, that what cannot be looked at is unknown, and not denied. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { signArbiter } from "../src/sign-arbiter.ts";

test("a place that cannot be looked at is unknown", async () => {
  const folder = await mkdtemp(join(tmpdir(), "arbiter-"));
  await writeFile(join(folder, "file"), "");
  const arbiter = signArbiter(join(folder, "file", "sign"));
  const { verdict } = await arbiter.ask(1, new AbortController().signal);
  assert.equal(verdict, "unknown");
  await rm(folder, { recursive: true });
});
