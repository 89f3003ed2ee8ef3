/**
 * Plugins that npm has installed beside the config of a plain host, as the commands that look at a config meet them: one
 * that works, and those whose code is broken, too new, ends the process or never ends to load.
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { root } from "../tidy/source-files.js";

const folder = mkdtempSync(join(tmpdir(), "understudy-beside-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const host = join(folder, "host");
const config = join(host, "understudy.yaml");

const { UNDERSTUDY_CONFIG: _, UNDERSTUDY_NODE: __, NODE_TEST_CONTEXT: ___, ...env } = process.env;

function understudy(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const program = join(root, "core/bin/understudy.js");
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    err += chunk;
  });
  return new Promise((settle) => child.once("close", (code) => settle({ code, out, err })));
}

const pager = `import { definePlugin, z } from "@understudy/core/public";
console.log("a plugin that prints while it is loaded");
const part = z.strictObject({ number: z.string().describe("Whom to page.") });
export default definePlugin({ name: "pager", kind: "observer", needs: {},
  config: z.strictObject({
    urgency: z.enum(["low", "high"]).default("low").describe("How loud."),
    get more() { return z.array(part).optional().describe("Whom to page afterwards."); },
  }),
  create: () => ({ async start() {}, async observe() {}, async stop() {}, describe: () => "pager" }) });
`;

/** Name of the package, its one file, and what its description says of itself. */
const packages: readonly (readonly [string, string, object?])[] = [
  ["@acme/understudy-observer-pager", pager],
  ["understudy-observer-broken", "throw new Error('it was never tested');"],
  ["understudy-observer-newer", pager, { api: 99 }],
  ["understudy-observer-waits", "await new Promise(() => setInterval(() => {}, 1000));"],
  ["understudy-observer-loops", "for (;;);"],
  ["understudy-observer-exits", "process.exit(0);"],
];

/** As npm makes a package and installs it, without a registry. */
function npm(cwd: string, ...args: readonly string[]): string {
  const quiet = [
    "--offline",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    `--cache=${join(folder, "cache")}`,
  ];
  const { status, stdout, stderr } = spawnSync("npm", [...args, ...quiet], { cwd, encoding: "utf8", env });
  assert.equal(status, 0, `npm ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout.trim();
}

before(() => {
  mkdirSync(host);
  const archives = packages.map(([name, text, understudyField], at) => {
    const made = join(folder, `package-${at}`);
    mkdirSync(made);
    const description = {
      name,
      version: "1.2.3",
      type: "module",
      exports: "./plugin.js",
      peerDependencies: { "@understudy/core": "*" },
      peerDependenciesMeta: { "@understudy/core": { optional: true } },
      understudy: { kind: "observer", ...understudyField },
    };
    writeFileSync(join(made, "package.json"), JSON.stringify(description));
    writeFileSync(join(made, "plugin.js"), text);
    return join(made, npm(made, "pack").split("\n").at(-1) ?? "");
  });
  npm(host, "install", "--prefix", host, ...archives);
  const observers = packages.map(([name]) => `  - { plugin: "${name}" }\n`).join("");
  writeFileSync(
    config,
    `cluster: c\nnodes: { a: 10.9.0.2, b: 10.9.0.3 }\nhaAddress: 10.9.0.4/24\nobservers:\n${observers}`,
  );
});

/** Name of the package and the code of what is wrong with it. */
const faulty: readonly (readonly [string, string])[] = [
  ["understudy-observer-broken", "PLUGIN_BROKEN_IMPORT"],
  ["understudy-observer-newer", "PLUGIN_API_TOO_NEW"],
  ["understudy-observer-waits", "PLUGIN_IMPORT_DEADLINE"],
  ["understudy-observer-loops", "PLUGIN_IMPORT_DEADLINE"],
  ["understudy-observer-exits", "PLUGIN_BROKEN_IMPORT"],
];

/** What was said of a plugin: the text that names it first, up to its code. */
function saidOf(text: string, name: string): string {
  const [, said = ""] = new RegExp(`(${name}[\\s\\S]*?\\[[A-Z]+_[A-Z_]+\\])`).exec(text) ?? [];
  return said;
}

test("the schema holds the options of the one that works, and says why not those of the others", async () => {
  const { code, out, err } = await understudy("--config", config, "config", "schema");
  assert.equal(code, 0, err);
  for (const [name, expected] of faulty)
    assert.match(saidOf(err, `options of ${name}`), new RegExp(expected));
  assert.doesNotMatch(err, /options of @acme/);
  const validate = new Ajv2020({ strictTypes: false, strictTuples: false }).compile(JSON.parse(out));
  const base = { cluster: "c", nodes: { a: "10.9.0.2", b: "10.9.0.3" }, haAddress: "10.9.0.4/24" };
  const accepts = (entry: object) => validate({ ...base, observers: [entry] });
  const plugin = "@acme/understudy-observer-pager";
  assert.ok(accepts({ plugin, urgency: "high", more: [{ number: "1" }] }));
  assert.ok(!accepts({ plugin, urgency: "loud" }));
  assert.ok(!accepts({ plugin, more: [{ nummer: "1" }] }));
  assert.ok(accepts({ plugin: "understudy-observer-loops", whatever: 1 }));
  assert.ok(!accepts({ plugin: "exec", whatever: 1 }));
});

test("check names each of them with its place, and ends", async () => {
  const { code, out } = await understudy("--config", config, "check");
  assert.equal(code, 2, out);
  for (const [at, [name, expected]] of faulty.entries())
    assert.match(
      saidOf(out, `understudy.yaml:${at + 6}:5  observers.${at + 1}.: .*${name}`),
      new RegExp(expected),
    );
});

test("check does so in a file that is wrong elsewhere, and judges the options of the one that works", async () => {
  const other = join(host, "other.yaml");
  const observers = "[ understudy-observer-exits, { plugin: '@acme/understudy-observer-pager', odd: 1 } ]";
  writeFileSync(other, `cluster: 3\nobservers: ${observers}\n`);
  const { code, out } = await understudy("--config", other, "check");
  assert.equal(code, 2, out);
  assert.match(out, /cluster: must be a text/);
  assert.match(
    saidOf(out, "understudy-observer-exits"),
    /ended the process.*with exit code 0[\s\S]*PLUGIN_BROKEN_IMPORT/,
  );
  assert.match(out, /odd: no such key/);
});

test("plugins lists nothing as long as one is broken; plugins show shows the one that works", async () => {
  const other = join(host, "two.yaml");
  writeFileSync(
    other,
    "cluster: c\nnodes: { a: 10.9.0.2, b: 10.9.0.3 }\nhaAddress: 10.9.0.4/24\n" +
      "observers: [ understudy-observer-broken, understudy-observer-newer ]\n",
  );
  const list = await understudy("--config", other, "plugins");
  assert.deepEqual([list.code, list.out], [2, ""]);
  assert.match(list.err, /^understudy: 2 things are wrong with plugins:/m);
  const show = await understudy("--config", other, "plugins", "show", "@acme/understudy-observer-pager");
  assert.equal(show.code, 0, show.err);
  assert.match(show.out, /^observer pager: @acme\/understudy-observer-pager 1\.2\.3, runs in node\n/);
  assert.match(show.out, /urgency {2}\(low or high; default "low"\)\n {4}How loud\./);
  const exits = await understudy("--config", other, "plugins", "show", "understudy-observer-exits");
  assert.equal(exits.code, 2);
  assert.match(exits.err, /^understudy: understudy-observer-exits: it ended the process that loaded it/m);
});

test("without a config the schema is of what came with Understudy; one that was named must be there", async () => {
  const missing = await understudy("--config", join(host, "nowhere.yaml"), "config", "schema");
  assert.deepEqual([missing.code, missing.out], [2, ""]);
  assert.match(missing.err, /CONFIG_MISSING/);
  const unreadable = join(host, "half.yaml");
  writeFileSync(unreadable, 'cluster: "c\nobservers: [');
  const half = await understudy("--config", unreadable, "config", "schema");
  assert.equal(half.code, 0);
  assert.match(half.err, /half\.yaml is no YAML that can be read, so the schema is without the plugins/);
  assert.ok((JSON.parse(half.out) as object) !== null);
});
