/**
 * Plays every scenario file and compares what it brings about with what stands in it. `UNDERSTUDY_REWRITE=1` writes the
 * files anew instead: the diff is then what to read.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseScenario, playScenario, printScenario, rulesOf } from "./script.js";

// The files stand beside the source, not beside what it was compiled to.
const folder = fileURLToPath(new URL("../../scenarios/", import.meta.url));
const rewrite = process.env.UNDERSTUDY_REWRITE === "1";

for (const name of readdirSync(folder)
  .filter((file) => file.endsWith(".txt"))
  .sort()) {
  test(name, () => {
    const path = join(folder, name);
    const text = readFileSync(path, "utf8");
    assert.ok(rulesOf(text).length > 0, "a scenario names the rules it shows: # Rules: R…");
    const played = printScenario(playScenario(parseScenario(text)));
    if (rewrite) writeFileSync(path, played);
    else assert.equal(played, text);
  });
}
