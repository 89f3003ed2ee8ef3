/**
 * The plugin host against good and bad plugins written to a folder: each misuse has its code and its place, only what
 * is named is imported, and starts and stops keep their order and deadlines.
 */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { makePlugin } from "@understudy/core/conformance/capabilities";
import { definePlugin, z } from "@understudy/core/public";
import { check } from "../src/cli/check.js";
import type { LocalConfig } from "../src/config/config.js";
import { parseConfig } from "../src/config/parse.js";
import { UnderstudyError } from "../src/errors/error.js";
import { buildPlugin, checkPlugins, loadPlugins } from "../src/plugin/host.js";
import { methods } from "../src/plugin/methods.js";
import { installedNames } from "../src/plugin/resolve.js";
import { startPlugin, stopPlugin } from "../src/plugin/start-stop.js";

const folder = mkdtempSync(join(tmpdir(), "understudy-plugins-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const contract = JSON.stringify(new URL("../src/public.js", import.meta.url).href);
const head = `import { definePlugin, z, capabilities } from ${contract};\n`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

interface Written {
  readonly name?: string;
  readonly runsIn?: string;
  readonly config?: string;
  readonly schema?: string;
  readonly needs?: string;
  readonly create?: string;
  /** Further members of what create gives; they win. */
  readonly made?: string;
  readonly more?: string;
}

/** Every method of its kind, doing nothing; it describes itself by its options and the names of its needs. */
function pluginText(kind: keyof typeof methods, written: Written = {}): string {
  const {
    name = "x",
    runsIn = kind === "address" ? "pulse" : "node",
    schema = `z.strictObject({${written.config ?? ""}})`,
  } = written;
  const all = Object.keys(methods[kind]).map((method) => `${method}() {}`);
  const described = `describe: () => JSON.stringify([config, Object.keys(needs)])`;
  const made = [...all, described, written.made ?? ""].filter((text) => text !== "").join(", ");
  return `${head}export default definePlugin({
    name: ${JSON.stringify(name)}, kind: "${kind}", runsIn: "${runsIn}", config: ${schema},
    needs: {${written.needs ?? ""}}, create: ${written.create ?? `(config, needs) => ({ ${made} })`}, ${written.more ?? ""}
  });\n`;
}

write("transport.js", pluginText("transport", { runsIn: "pulse" }));
write("slow-transport.js", pluginText("transport"));
write("address.js", pluginText("address"));
write("store.js", pluginText("store"));
write("observer.js", pluginText("observer"));
write(
  "service.js",
  pluginText("service", {
    config: `agents: z.array(z.string()).default([]), port: z.int().max(65535).default(1)`,
    needs: "log: capabilities.log",
  }),
);
write(
  "node_modules/@acme/understudy-thing/package.json",
  '{ "name": "@acme/understudy-thing", "version": "3.2.1", "type": "module", "exports": { "import": "./main.js" } }',
);
write("node_modules/@acme/understudy-thing/main.js", pluginText("service"));
write(
  "boxed/package.json",
  '{ "name": "boxed", "version": "0.0.9", "type": "module", "exports": "./inner.js" }',
);
write("boxed/inner.js", pluginText("service"));

const base = `cluster: c
nodes: { one: 10.9.0.2, two: 10.9.0.3 }
haAddress: 10.9.0.4/24
`;
const harmless = `heartbeat: { paths: [ ./transport.js ] }
address: [ ./address.js ]
sessions: ./store.js
`;

function local(text: string, name = "understudy.yaml"): LocalConfig {
  write(name, text);
  const file = join(folder, name);
  const config = parseConfig(text, file);
  return { file, config, self: config.nodes[0], peer: config.nodes[1] };
}

async function refusal(text: string, which: "pulse" | "node" = "node"): Promise<UnderstudyError> {
  return loadPlugins(local(text), which).then(
    () => assert.fail("it was accepted"),
    (error: unknown) => {
      assert.ok(error instanceof UnderstudyError, String(error));
      return error;
    },
  );
}

test("each process loads what it runs, in the order of the file, and nothing else", async () => {
  const text = `${base}heartbeat: { paths: [ { plugin: ./slow-transport.js, class: private }, { plugin: ./transport.js, class: client } ] }
address: [ ./address.js ]
sessions: ./store.js
services: [ "@acme/understudy-thing", ./boxed ]
observers: [ ./observer.js ]
`;
  const node = await loadPlugins(local(text), "node");
  assert.deepEqual(
    node.transports.map(({ entry }) => entry.name),
    ["slow-transport"],
  );
  assert.deepEqual(
    node.otherPaths.map(({ entry }) => entry.name),
    ["transport"],
  );
  assert.deepEqual(
    node.services.map(({ packageName, version }) => [packageName, version]),
    [
      ["@acme/understudy-thing", "3.2.1"],
      ["boxed", "0.0.9"],
    ],
  );
  assert.equal(node.store?.plugin.kind, "store");
  assert.equal(node.addresses.length, 1);
  const pulse = await loadPlugins(local(text.replace("./boxed", "./not-there.js")), "pulse");
  assert.deepEqual(
    pulse.transports.map(({ entry }) => entry.name),
    ["transport"],
  );
  assert.deepEqual(
    pulse.otherPaths.map(({ entry }) => entry.name),
    ["slow-transport"],
  );
  assert.deepEqual([pulse.store, pulse.services.length, pulse.observers.length], [undefined, 0, 0]);
  const all = await checkPlugins(local(text));
  assert.deepEqual(
    all.map(({ plugin }) => plugin.kind),
    ["transport", "transport", "address", "store", "service", "service", "observer"],
  );
});

const edited = (changes: string) => `import p from "./service.js"; export default { ...p, ${changes} }`;

const misuses: readonly (readonly [code: string, text: string, message: RegExp])[] = [
  ["PLUGIN_BROKEN_IMPORT", "throw new Error('boom')", /cannot be loaded: boom/],
  ["PLUGIN_BROKEN_IMPORT", "export default {", /cannot be loaded/],
  ["PLUGIN_NO_DEFAULT_EXPORT", "export const plugin = 1", /has no default export/],
  ["PLUGIN_NOT_A_PLUGIN", "export default { name: 'x' }", /is no plugin/],
  ["PLUGIN_NOT_A_PLUGIN", "export default 7", /is no plugin/],
  ["PLUGIN_WRONG_KIND", pluginText("observer"), /is of kind observer, and service is wanted here/],
  ["PLUGIN_API_TOO_NEW", edited("apiVersion: 99"), /version 99/],
  ["PLUGIN_API_TOO_OLD", edited("apiVersion: 0"), /version 0/],
  ["PLUGIN_API_WRONG", edited("apiVersion: '1'"), /contract is "1"/],
  ["PLUGIN_UNKNOWN_KIND", edited("kind: 'pigeon'"), /of kind pigeon; the kinds are transport, /],
  ["PLUGIN_NAME_WRONG", pluginText("service", { name: "My Service" }), /its name is "My Service"/],
  ["PLUGIN_EXCLUSIVE_WRONG", pluginText("service", { more: "exclusive: true" }), /only an arbiter can be/],
  ["PLUGIN_EXCLUSIVE_WRONG", pluginText("service", { more: "exclusive: 1" }), /not true or false/],
  [
    "PLUGIN_BEAT_INTERVAL_WRONG",
    pluginText("service", { more: "beatIntervalMs: () => 5" }),
    /only a transport carries beats/,
  ],
  ["PLUGIN_SCHEMA_MISSING", pluginText("service", { schema: "{ port: 5 }" }), /no zod schema/],
  ["PLUGIN_SCHEMA_MISSING", pluginText("service", { schema: "undefined" }), /no zod schema/],
  ["PLUGIN_SCHEMA_NO_MAP", pluginText("service", { schema: "z.string()" }), /something else than a map/],
  [
    "PLUGIN_SCHEMA_ASYNC",
    pluginText("service", { schema: "z.strictObject({}).refine(async () => true)" }),
    /answers later/,
  ],
  [
    "PLUGIN_SCHEMA_THREW",
    pluginText("service", { schema: "z.strictObject({}).refine(() => { throw new Error('oh') })" }),
    /threw instead of answering: oh/,
  ],
  [
    "PLUGIN_SCHEMA_DEFAULT",
    pluginText("service", { config: "port: z.int().max(9).default(10)" }),
    /default of its option `port`, 10, is not what it accepts/,
  ],
  ["PLUGIN_OPTION_RESERVED", pluginText("service", { config: "plugin: z.string().optional()" }), /`plugin`/],
  [
    "PLUGIN_NEEDS_UNAVAILABLE",
    pluginText("service", { needs: "path: capabilities.path" }),
    /needs path, and is of kind service: only for transport/,
  ],
  ["PLUGIN_NEEDS_WRONG", pluginText("service", { needs: "log: true" }), /need `log` is none of/],
  [
    "PLUGIN_NEEDS_UNKNOWN",
    pluginText("service", { needs: "tea: { key: Symbol.for('understudy:tea'), name: 'tea' }" }),
    /needs tea, which this Understudy does not know/,
  ],
  ["PLUGIN_WRONG_PROCESS", pluginText("service", { runsIn: "pulse" }), /says that it runs in pulse/],
];

for (const [index, [code, text, message]] of misuses.entries()) {
  test(`${code} (${index})`, async () => {
    write(`misuse-${index}.js`, text);
    const error = await refusal(`${base}${harmless}services:\n  - ./misuse-${index}.js\n`);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.match(error.message, /understudy\.yaml:8:5 {2}services\[0\]/);
  });
}

test("all that is wrong with one definition is told at once", async () => {
  write("very-wrong.js", pluginText("service", { name: "No", runsIn: "pulse", more: "exclusive: true" }));
  const error = await refusal(`${base}${harmless}services: [ ./very-wrong.js ]\n`);
  assert.equal(error.code, "PLUGINS_WRONG");
  assert.match(error.message, /PLUGIN_NAME_WRONG[\s\S]*PLUGIN_WRONG_PROCESS[\s\S]*PLUGIN_EXCLUSIVE_WRONG/);
});

test("what its package.json says of the contract is believed before its code runs", async () => {
  const description = {
    name: "understudy-service-later",
    type: "module",
    exports: "./main.js",
    understudy: { api: 7 },
  };
  write("node_modules/understudy-service-later/package.json", JSON.stringify(description));
  write(
    "node_modules/understudy-service-later/main.js",
    "import { notThereYet } from '@understudy/core/public';",
  );
  const error = await refusal(`${base}${harmless}services: [ understudy-service-later ]\n`);
  assert.equal(error.code, "PLUGIN_API_TOO_NEW");
});

test("a package is called after the plugin in it", async () => {
  const description = { name: "@acme/understudy-service-tea", type: "module", exports: "./main.js" };
  write("node_modules/@acme/understudy-service-tea/package.json", JSON.stringify(description));
  write("node_modules/@acme/understudy-service-tea/main.js", pluginText("service", { name: "coffee" }));
  const error = await refusal(`${base}${harmless}services: [ "@acme/understudy-service-tea" ]\n`);
  assert.equal(error.code, "PLUGIN_NAME_MISMATCH");
  assert.match(error.message, /calls itself coffee, and its package calls it tea/);
});

test("a plugin beside which there is no core gets this one's", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "understudy-outside-"));
  try {
    const file = join(elsewhere, "plugin.mjs");
    const lent = pluginText("service", {
      create: "() => { throw new UnderstudyError('X', 'y', { meaning: '', todo: '' }) }",
    })
      .replace(contract, '"@understudy/core/public"')
      .replace("{ definePlugin,", "{ UnderstudyError, definePlugin,");
    writeFileSync(file, lent);
    const { services } = await loadPlugins(local(`${base}${harmless}services: [ "${file}" ]\n`), "node");
    const [loaded] = services;
    assert.ok(loaded);
    assert.throws(
      () => buildPlugin(loaded, {}),
      (error: UnderstudyError) => error.cause instanceof UnderstudyError,
    );
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test("the beat interval that a transport gives for its options is a time", async () => {
  for (const [index, gives] of ["-1", "NaN", "'5'", "1e9", "(() => { throw new Error('no') })()"].entries()) {
    const name = `paced-${index}.js`;
    write(name, pluginText("transport", { more: `beatIntervalMs: () => ${gives}` }));
    const error = await refusal(`${base}${harmless.replace("./transport.js", `./${name}`)}`);
    assert.equal(error.code, "PLUGIN_BEAT_INTERVAL_WRONG", gives);
  }
});

test("a transport in pulse cannot have the status, which is known in node only", async () => {
  write("asking.js", pluginText("transport", { runsIn: "pulse", needs: "how: capabilities.status" }));
  const error = await refusal(`${base}${harmless.replace("./transport.js", "./asking.js")}`);
  assert.equal(error.code, "PLUGIN_NEEDS_UNAVAILABLE");
});

test("a plugin is not made in a test for a beat interval that is no time", () => {
  const made = (beatIntervalMs: () => number) =>
    makePlugin(
      definePlugin({
        name: "paced",
        kind: "transport",
        config: z.strictObject({}),
        needs: {},
        beatIntervalMs,
        create: () => ({ async start() {}, send() {}, async stop() {}, describe: () => "it goes nowhere" }),
      }),
      {},
      {},
    );
  assert.throws(() => made(() => Number.NaN), { code: "PLUGIN_BEAT_INTERVAL_WRONG" });
  assert.equal(made(() => 500).describe(), "it goes nowhere");
});

test("an address plugin must run in pulse", async () => {
  write("late-address.js", pluginText("address", { runsIn: "node" }));
  const error = await refusal(`${base}${harmless.replace("./address.js", "./late-address.js")}`);
  assert.equal(error.code, "PLUGIN_WRONG_PROCESS");
});

test("a plugin that is not there is told with what may have been meant", async () => {
  const error = await refusal(`${base}${harmless}services: [ execc ]\n`);
  assert.equal(error.code, "PLUGIN_NOT_FOUND");
  assert.match(error.message, /there is no package @understudy\/service-execc.*did you mean exec\?/);
  assert.ok(installedNames("service").includes("exec"));
});

test("wrong options are placed in the file, all of them", async () => {
  const error = await refusal(`${base}${harmless}services:
  - plugin: ./service.js
    agent: [ a ]
    port: 70000
`);
  assert.equal(error.code, "PLUGIN_CONFIG_WRONG");
  assert.match(
    error.message,
    /understudy\.yaml:9:5 {2}services\[0\]\.agent: no such key; did you mean agents\?/,
  );
  assert.match(
    error.message,
    /understudy\.yaml:10:11 {2}services\[0\]\.port: must be at most 65535; found 70000/,
  );
});

test("several wrong plugins are reported together", async () => {
  write("no-plugin.js", "export default 1");
  const error = await refusal(`${base}${harmless}services: [ ./no-plugin.js, ./nowhere.js ]\n`);
  assert.equal(error.code, "PLUGINS_WRONG");
  assert.match(error.message, /PLUGIN_NOT_A_PLUGIN[\s\S]*PLUGIN_NOT_FOUND/);
});

let made = 0;

async function serviceOf(text: string) {
  // Each text needs a name of its own: modules are imported once.
  made += 1;
  const name = `made-${made}.js`;
  write(name, text);
  const { services } = await loadPlugins(local(`${base}${harmless}services: [ ./${name} ]\n`), "node");
  const [loaded] = services;
  assert.ok(loaded);
  return loaded;
}

test("a plugin gets its parsed options and what it needs, as plain values", async () => {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const loaded = await serviceOf(
    pluginText("service", { config: "port: z.int().default(9)", needs: "log: capabilities.log" }),
  );
  const service = buildPlugin(loaded, { log, clock: { nowMs: () => 1 } });
  assert.equal(service.describe(), '[{"port":9},["log"]]');
});

const uncreated: readonly (readonly [code: string, written: Written, message: RegExp])[] = [
  [
    "PLUGIN_NEEDS_UNAVAILABLE",
    { needs: "s: capabilities.sessions, l: capabilities.log" },
    /needs sessions and log/,
  ],
  ["PLUGIN_CREATE_FAILED", { create: "() => { throw new Error('bang') }" }, /failed in create: bang/],
  ["PLUGIN_CREATE_ASYNC", { create: "async () => { throw new Error('later') }" }, /gave a promise/],
  ["PLUGIN_CREATE_NOTHING", { create: "() => undefined" }, /gave undefined/],
  ["PLUGIN_CREATE_NOTHING", { create: "() => null" }, /gave null/],
  [
    "PLUGIN_METHOD_MISSING",
    { create: "() => ({ start() {}, stop() {} })" },
    /no promote, demote, health, describe/,
  ],
  ["PLUGIN_METHOD_WRONG", { made: "health: 'healthy'" }, /no functions: health/],
  ["PLUGIN_METHOD_ARGUMENTS", { made: "promote(epoch, address) {}" }, /promote wants 2 and gets 1/],
];

for (const [index, [code, written, message]] of uncreated.entries()) {
  test(`${code} (made ${index})`, async () => {
    const loaded = await serviceOf(pluginText("service", written));
    assert.throws(() => buildPlugin(loaded, { sessions: undefined }), { code, message });
  });
}

test("a start or stop that throws, rejects or never ends becomes a reason with its code", async () => {
  const never = () => new Promise<void>(() => {});
  const busy = new Error("busy");
  const rejects = () => Promise.reject(busy);
  const throws = (): Promise<void> => {
    throw busy;
  };
  assert.equal(await startPlugin(async () => {}, 1000), undefined);
  assert.equal(await stopPlugin(async () => {}, 1000), undefined);
  for (const work of [rejects, throws]) {
    const told = { reason: "busy", error: busy };
    assert.deepEqual(await startPlugin(work, 1000), { code: "PLUGIN_START_FAILED", ...told });
    assert.deepEqual(await stopPlugin(work, 1000), { code: "PLUGIN_STOP_FAILED", ...told });
  }
  const late = { reason: "did not finish within 20 ms", error: undefined };
  assert.deepEqual(await startPlugin(never, 20), { code: "PLUGIN_START_DEADLINE", ...late });
  assert.deepEqual(await stopPlugin(never, 20), { code: "PLUGIN_STOP_DEADLINE", ...late });
});

test("check tells the mistakes of a wrong file and those of its plugins' options in one go", async () => {
  write(
    "both-wrong.yaml",
    `${base}${harmless}leas: 250ms
services:
  - { plugin: ./service.js, port: 70000 }
  - ./nowhere.js
`,
  );
  const { problems } = await check({ config: join(folder, "both-wrong.yaml") });
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["CONFIG_WRONG", "PLUGIN_CONFIG_WRONG", "PLUGIN_NOT_FOUND"],
  );
});
