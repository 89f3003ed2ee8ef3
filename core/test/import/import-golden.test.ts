/**
 * Files as people have them, imported: the report and the config as they stand in golden/import. UNDERSTUDY_REWRITE=1
 * writes them anew, and the diff is read by a person.
 */

import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Answers, type Imported, noAnswers } from "../../src/import/answers.js";
import { importHeartbeat } from "../../src/import/heartbeat/translate.js";
import type { SourceFile } from "../../src/import/keepalived/source-lines.js";
import { importKeepalived } from "../../src/import/keepalived/translate.js";
import { reportText } from "../../src/import/report.js";
import { mustBeAccepted } from "./fuzz-kit.js";

const golden = fileURLToPath(new URL("../../../test/golden/import/", import.meta.url));

function answersIn(folder: string): Answers {
  const given = JSON.parse(readFileSync(join(folder, "answers.json"), "utf8"));
  return { ...noAnswers, ...given, paths: new Map(Object.entries(given.paths ?? {})) };
}

function included(folder: string, pattern: string): readonly SourceFile[] {
  const found = globSync(pattern, { cwd: folder }).sort();
  return found.map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
}

function importFolder(folder: string): Imported {
  const read = (name: string) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : undefined;
  const conf = read("keepalived.conf");
  if (conf !== undefined) {
    const main = { file: "keepalived.conf", text: conf };
    return importKeepalived(main, (pattern) => included(folder, pattern), answersIn(folder));
  }
  const haCf = read("ha.cf");
  assert.ok(haCf !== undefined);
  return importHeartbeat(
    { haCf, haresources: read("haresources"), authkeys: read("authkeys") },
    answersIn(folder),
  );
}

for (const name of readdirSync(golden)) {
  test(`${name} is imported as it stands in golden`, async () => {
    const folder = join(golden, name);
    const imported = importFolder(folder);
    assert.deepEqual(imported.missing, []);
    assert.ok(imported.text !== undefined);
    await mustBeAccepted(imported.text, name);
    const text = `${reportText(imported.entries, imported.notes)}\n---\n${imported.text}`;
    const file = join(folder, "expected.txt");
    if (process.env.UNDERSTUDY_REWRITE === "1") writeFileSync(file, text);
    assert.equal(text, readFileSync(file, "utf8"));
  });
}
