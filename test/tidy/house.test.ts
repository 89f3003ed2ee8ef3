/**
 * The rules of the house, checked on the source itself: who may import whom, and how files are named and opened. A rule
 * that only stands in a document is broken within a month.
 */

import assert from "node:assert/strict";
import { basename, dirname, normalize } from "node:path";
import { test } from "node:test";
import { type SourceFile, sourceFiles } from "./source-files.js";

const files = sourceFiles();

function under(...folders: readonly string[]): readonly SourceFile[] {
  const found = files.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));
  assert.ok(found.length > 0, `there are files under ${folders.join(", ")}`);
  return found;
}

/** Every import of those files that `allowed` does not let pass, as "file imports module". */
function offences(
  of: readonly SourceFile[],
  allowed: (from: string, file: SourceFile, typeOnly: boolean) => boolean,
): readonly string[] {
  return of.flatMap((file) =>
    file.imports
      .filter(({ from, typeOnly }) => !allowed(from, file, typeOnly))
      .map(({ from }) => `${file.path} imports ${from}`),
  );
}

/** A relative import as a path from the root. */
function target(from: string, file: SourceFile): string {
  return from.startsWith(".") ? normalize(`${dirname(file.path)}/${from}`) : from;
}

test("plugins import only the core's public contract, their own files and libraries", () => {
  const sources = under("plugins/").filter(({ path }) => path.includes("/src/"));
  const found = offences(sources, (from, file) => {
    if (from.startsWith("."))
      return target(from, file).startsWith(file.path.split("/").slice(0, 2).join("/"));
    return !from.startsWith("@understudy/") || from === "@understudy/core/public";
  });
  assert.deepEqual(found, []);
});

test("the core imports no plugin", () => {
  const found = offences(
    under("core/src/"),
    (from) => !/^@understudy\/(transport|address|store|service|observer|arbiter|fence)-/.test(from),
  );
  assert.deepEqual(found, []);
});

test("the decision core imports nothing that runs from outside itself", () => {
  const found = offences(
    under("core/src/failover/"),
    (from, file, typeOnly) => typeOnly || target(from, file).startsWith("core/src/failover/"),
  );
  assert.deepEqual(found, []);
});

test("the pure part of sessions imports nothing that runs from outside itself", () => {
  const found = offences(
    under("core/src/sessions/"),
    (from, file, typeOnly) => typeOnly || target(from, file).startsWith("core/src/sessions/"),
  );
  assert.deepEqual(found, []);
});

test("neither reads a clock, draws a random number or waits", () => {
  const forbidden =
    /\b(Date\.now|new Date|performance\.now|process\.|Math\.random|setTimeout|setInterval|setImmediate|Promise|await)\b/;
  const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  const found = under("core/src/failover/", "core/src/sessions/")
    // The contract of the store is a type that other code implements with promises.
    .filter(({ path }) => path !== "core/src/sessions/store.ts")
    .filter(({ text }) => forbidden.test(code(text)))
    .map(({ path }) => path);
  assert.deepEqual(found, []);
});

test("only composition roots see the container", () => {
  const roots = new Set(["core/src/plugin/di.ts", "core/src/node/compose.ts", "core/src/pulse/compose.ts"]);
  const found = offences(
    files.filter(({ path }) => !roots.has(path)),
    (from) => from !== "tsyringe",
  );
  assert.deepEqual(found, []);
});

test("files are named in kebab case, by what they own", () => {
  const vague = /(^|-)(utils?|helpers?|common|manager|base|misc|index)(-|$)/;
  const found = files
    .map(({ path }) => path)
    .filter((path) => {
      const name = basename(path).replace(/(\.test)?\.(ts|js)$/, "");
      return !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || vague.test(name);
    });
  assert.deepEqual(found, []);
});

test("a file opens by saying what it owns", () => {
  const found = files.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text)).map(({ path }) => path);
  assert.deepEqual(found, []);
});

test("a file has one concept, and so fewer than 500 lines", () => {
  const found = files.filter(({ text }) => text.split("\n").length > 500).map(({ path }) => path);
  assert.deepEqual(found, []);
});
