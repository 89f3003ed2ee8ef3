/**
 * `understudy plugin new` and `plugin test` as an author meets them: what is written compiles, passes its suite, can be
 * packed and is found by its package name beside another config; and what cannot be done is said.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { newNames } from "../src/kit/package-name.js";
import { pluginKinds } from "../src/plugin/kinds.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const program = join(root, "core/bin/understudy.js");
const folder = mkdtempSync(join(tmpdir(), "understudy-kit-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  return { status, stdout, stderr, text: `${stdout}\n${stderr}` };
}

const understudy = (cwd: string, ...args: readonly string[]) =>
  run(process.execPath, [program, ...args], cwd);

const kinds = readdirSync(join(root, "core/templates")).filter((name) => name !== "all" && name !== "about");

test("there is a template for every kind", () => {
  assert.deepEqual([...kinds].sort(), [...pluginKinds].sort());
});

for (const kind of kinds) {
  describe(`a new ${kind}`, () => {
    const packageName = `@acme/understudy-${kind}-pigeon`;
    const made = join(folder, `understudy-${kind}-pigeon`);

    test("is written, with no word left to fill in", () => {
      const { status, text } = understudy(folder, "plugin", "new", kind, "@acme/pigeon");
      assert.equal(status, 0, text);
      for (const name of ["package.json", "README.md", "example.yaml", ".gitignore", "src/plugin.ts"]) {
        assert.doesNotMatch(readFileSync(join(made, name), "utf8"), /@@/, name);
      }
      assert.match(readFileSync(join(made, "package.json"), "utf8"), new RegExp(`"name": "${packageName}"`));
    });

    test("passes its suite and its own tests at once, without a build", () => {
      const own = readdirSync(join(made, "test")).map((name) => join("test", name));
      const { status, text } = understudy(made, "plugin", "test", ".", ...own, "--reporter", "tap");
      assert.equal(status, 0, text);
      assert.match(text, /# Subtest: its definition/);
      assert.match(text, /# pass [1-9]/);
    });

    test("its example is a config that loads", () => {
      const { status, text } = understudy(made, "--config", "example.yaml", "check");
      assert.equal(status, 0, text);
    });

    test("compiles, and is then found by its package name and tested as it is shipped", () => {
      // What npm install would bring.
      mkdirSync(join(made, "node_modules"));
      cpSync(join(root, "node_modules/@types"), join(made, "node_modules/@types"), { recursive: true });
      cpSync(join(root, "node_modules/undici-types"), join(made, "node_modules/undici-types"), {
        recursive: true,
      });
      const compiled = run(process.execPath, [join(root, "node_modules/typescript/bin/tsc")], made);
      assert.equal(compiled.status, 0, compiled.text);

      const host = join(folder, `host-${kind}`);
      const installed = join(host, "node_modules", packageName);
      for (const name of ["package.json", "dist"])
        cpSync(join(made, name), join(installed, name), { recursive: true });
      const example = readFileSync(join(made, "example.yaml"), "utf8").replace(
        "./src/plugin.ts",
        `"${packageName}"`,
      );
      writeFileSync(join(host, "understudy.yaml"), example);
      const checked = understudy(host, "--config", "understudy.yaml", "check", "--json");
      assert.equal(checked.status, 0, checked.text);
      assert.ok(checked.stdout.includes(packageName));
      const tested = understudy(host, "plugin", "test", packageName, "--reporter", "tap");
      assert.equal(tested.status, 0, tested.text);
    });
  });
}

test("nothing is written over what is there", () => {
  const { status, text } = understudy(folder, "plugin", "new", "observer", "@acme/pigeon");
  assert.equal(status, 2, text);
  assert.match(text, /there is a .*understudy-observer-pigeon already[\s\S]*CLI_EXISTS/);
});

test("names are those that npm takes", () => {
  const named = (kind: string, name: string) => {
    const names = newNames(kind, name);
    return "why" in names ? names.why : `${names.packageName} ${names.name}`;
  };
  assert.equal(named("transport", "pigeon"), "understudy-transport-pigeon pigeon");
  assert.equal(named("transport", "understudy-transport-pigeon"), "understudy-transport-pigeon pigeon");
  assert.equal(named("fence", "@acme/fence-it"), "@acme/understudy-fence-it it");
  assert.match(named("transports", "x"), /no kind transports; the kinds are transport, /);
  for (const wrong of ["", "Pigeon", "a b", "../a", "a/b", ".x", "@/a", "@A/b", "ünï", "-x"]) {
    assert.match(named("store", wrong), /no name|no scope/, wrong);
  }
  assert.match(named("store", "x".repeat(220)), /more than 214 characters/);
});

test("what cannot be tested is told from what fails", () => {
  const at = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const ended = (...args: readonly string[]) => {
    const { status, text } = understudy(folder, "plugin", "test", ...args);
    return [status, /\[([A-Z_]+)\]/.exec(text)?.[1]];
  };
  assert.deepEqual(ended("nowhere"), [2, "PLUGIN_NOT_FOUND"]);
  assert.deepEqual(ended(at("plugin.yaml", "")), [2, "CLI_USAGE"]);
  assert.deepEqual(ended(at("empty.mjs", "export {}")), [2, "PLUGIN_NO_SUITE"]);
  assert.deepEqual(ended(at("broken.mjs", "throw new Error('no')")), [2, "PLUGIN_BROKEN_IMPORT"]);
  assert.deepEqual(ended(at("bare.mjs", "export const conformance = {}")), [2, "PLUGIN_NO_SUITE"]);
  assert.deepEqual(ended(at("none.mjs", "export const conformance = []"), "--kind", "store"), [
    2,
    "PLUGIN_NO_SUITE",
  ]);
  assert.deepEqual(ended("nowhere", "--kind", "pigeon"), [2, "CLI_USAGE"]);
  const failing = at(
    "failing.mjs",
    `export const conformance = { name: "bad", make() { throw new Error("it cannot be made"); }, makeBroken() { throw new Error("nor this"); } };`,
  );
  const { status, text } = understudy(folder, "plugin", "test", failing, "--kind", "observer");
  assert.equal(status, 1, text);
  assert.match(text, /it cannot be made/);
  assert.equal(existsSync(join(folder, ".understudy")), false);
});

test("what a host would refuse or overlook is found in the definition", () => {
  const judged = (name: string, api: number, kind: string, config: string) => {
    const own = join(folder, name);
    mkdirSync(own);
    const understudyField = { api, kind, conformance: "./suite.mjs" };
    writeFileSync(
      join(own, "package.json"),
      JSON.stringify({ name, type: "module", understudy: understudyField }),
    );
    writeFileSync(
      join(own, "suite.mjs"),
      `import { definePlugin, z } from "@understudy/core/public";
       export const plugin = definePlugin({ name: "mute", kind: "fence", needs: {}, config: ${config}, create() {} });
       export const conformance = { name: "mute", make() { throw new Error("it cannot be made"); } };`,
    );
    const { text } = understudy(own, "plugin", "test");
    return text.slice(text.indexOf("failing tests:"));
  };
  const found = judged("understudy-fence-mute", 2, "fence", "z.object({})");
  assert.match(found, /understudy\.api: it was made for version 2 .*PLUGIN_API_TOO_NEW/);
  assert.match(found, /make the schema a z\.strictObject/);
  assert.match(
    judged("mute-of-kind", 1, "store", "z.strictObject({})"),
    /understudy\.kind says store, and .* fence/,
  );
  const other = judged("understudy-fence-loud", 1, "fence", "z.strictObject({})");
  assert.match(other, /calls itself mute, and its package calls it loud/);
  assert.doesNotMatch(other, /understudy\.|strictObject/);
});

test("a link says how the compiler finds it, where it would not", () => {
  const own = join(folder, "linked");
  mkdirSync(own);
  assert.match(
    understudy(own, "plugin", "link").text,
    /"paths": \{ "@understudy\/core\/\*": \["(.*)\*\.d\.ts"\]/,
  );
  assert.ok(existsSync(join(own, ".understudy/core/dist/src/public.d.ts")));
  writeFileSync(
    join(own, "tsconfig.json"),
    '{ "compilerOptions": { "paths": { "x": ["./.understudy/core/x"] } } }',
  );
  assert.doesNotMatch(understudy(own, "plugin", "link").text, /paths/);
});

test("a suite in which something still runs at its end fails, and says what", { timeout: 120_000 }, () => {
  const module = join(folder, "timer.mjs");
  const observer =
    "{ async start() { setInterval(() => {}, 1000); }, async observe({ what }) { seen.push(what); }, async stop() {}, describe: () => 'a list' }";
  writeFileSync(
    module,
    `const make = async () => { const seen = []; return { observer: ${observer}, seen: () => seen, dispose() {} }; };
     export const conformance = { name: "a timer", make, makeBroken: make };`,
  );
  const { status, text } = understudy(folder, "plugin", "test", module, "--kind", "observer");
  assert.equal(status, 1, text);
  assert.doesNotMatch(text, /✖/, "each test by itself finds nothing wrong with it");
  assert.match(text, /still runs: a timer[\s\S]*PLUGIN_LEAVES_RUNNING/);
});
