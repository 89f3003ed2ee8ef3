/** The pages made from the code say what the code says, and every code and option is explained. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { optionsOf } from "@understudy/core/internal/config/options";
import { fileSchema } from "@understudy/core/internal/config/schema";
import { pages } from "../docs/pages.js";
import { root } from "./source-files.js";

for (const { path, make } of pages) {
  test(`${path} is what npm run docs would write`, async () => {
    const written = readFileSync(join(root, path), "utf8");
    assert.ok(written === (await make()), `${path} is stale: run npm run docs and commit it`);
  });
}

test("every key of the config file says what it is for", () => {
  const options = optionsOf(fileSchema);
  assert.ok(options.length > 40);
  assert.deepEqual(
    options.filter(({ description }) => description === "").map(({ path }) => path),
    [],
  );
});
