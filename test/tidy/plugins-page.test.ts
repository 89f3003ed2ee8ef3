/**
 * The page for plugin authors says what the code says: its TypeScript compiles against the contract, its commands exist,
 * and every method, capability and code of the contract stands where an author looks for it.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pluginErrors } from "@understudy/core/internal/errors/plugins";
import { pluginKinds } from "@understudy/core/internal/plugin/kinds";
import { methods } from "@understudy/core/internal/plugin/methods";
import { capabilities, PLUGIN_API_VERSION } from "@understudy/core/public";
import { root } from "./source-files.js";

const page = readFileSync(join(root, "core/PLUGINS.md"), "utf8");

function blocks(language: string): readonly string[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].flatMap(([, of, text]) =>
    of === language ? [text ?? ""] : [],
  );
}

function section(title: string): string {
  const [, text] = new RegExp(`^## ${title}\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, "m").exec(page) ?? [];
  assert.ok(text, `there is a section ${title}`);
  return text;
}

test("its TypeScript compiles against the contract, and the host accepts the plugin in it", () => {
  const folder = mkdtempSync(join(tmpdir(), "understudy-page-"));
  try {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const files = blocks("ts").map((text, at) => {
      writeFileSync(join(folder, `block-${at}.ts`), text);
      return `block-${at}.ts`;
    });
    assert.ok(files.length > 0);
    const options = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2024",
      "--skipLibCheck",
      "--types",
      "node",
    ];
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const compiled = spawnSync(process.execPath, [compiler, ...options, ...files], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(compiled.status, 0, compiled.stdout);
    const [first = ""] = files;
    mkdirSync(join(folder, "config"));
    const config = `cluster: c\nnodes: { a: 10.9.0.2, b: 10.9.0.3 }\nhaAddress: 10.9.0.4/24\nheartbeat: { paths: [ { plugin: ../${first}, class: private, loft: roof } ] }\n`;
    writeFileSync(join(folder, "config/understudy.yaml"), config);
    const program = join(root, "core/bin/understudy.js");
    const checked = spawnSync(
      process.execPath,
      [program, "--config", join(folder, "config/understudy.yaml"), "check"],
      { encoding: "utf8" },
    );
    assert.equal(checked.status, 0, checked.stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("every method is explained under its kind", () => {
  for (const kind of pluginKinds) {
    const text = section(`${kind[0]?.toUpperCase()}${kind.slice(1)}`);
    const silent = Object.keys(methods[kind]).filter((name) => !new RegExp(`\`${name}[(\`]`).test(text));
    assert.deepEqual(silent, [], `methods of a ${kind} that are not explained`);
  }
});

test("every capability is in the table, and every code it names exists", () => {
  const needs = section("What a plugin may need");
  assert.deepEqual(
    Object.keys(capabilities).filter((name) => !needs.includes(`| \`${name}\` |`)),
    [],
  );
  const named = [...page.matchAll(/\bPLUGIN_[A-Z_]+\b/g)].map(([code]) => code);
  const known = new Set([...Object.keys(pluginErrors), "PLUGIN_API_VERSION"]);
  assert.deepEqual(
    named.filter((code) => !known.has(code)),
    [],
  );
  assert.match(page, new RegExp(`\`PLUGIN_API_VERSION\` of .* is ${PLUGIN_API_VERSION}\\.`));
});

test("its JSON is JSON, and its commands are commands", () => {
  for (const text of blocks("json")) JSON.parse(text);
  const commands = blocks("sh").flatMap((text) => [...text.matchAll(/^understudy (\w+) (\w+)/gm)]);
  assert.ok(commands.length >= 2);
  for (const [, command = "", below = ""] of commands) {
    const program = join(root, "core/bin/understudy.js");
    const { status } = spawnSync(process.execPath, [program, command, below, "--help"]);
    assert.equal(status, 0, `${command} ${below}`);
  }
});
