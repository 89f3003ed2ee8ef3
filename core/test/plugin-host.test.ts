/**
 * The plugin host against good and bad plugins written to a folder: each misuse has its code and its place, only what
 * is named is imported, and starts and stops keep their order and deadlines.
 */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import type { LocalConfig } from "../src/config/config.js";
import { parseConfig } from "../src/config/parse.js";
import { UnderstudyError } from "../src/errors/error.js";
import type { Service } from "../src/plugin/contract.js";
import { buildPlugin, checkPlugins, loadPlugins } from "../src/plugin/host.js";
import { type Startable, startInOrder, stopInReverse } from "../src/plugin/lifecycle.js";
import { installedNames } from "../src/plugin/resolve.js";

const folder = mkdtempSync(join(tmpdir(), "understudy-plugins-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const contract = JSON.stringify(new URL("../src/public.js", import.meta.url).href);
const head = `import { definePlugin, z, capabilities } from ${contract};\n`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function pluginText(
  kind: string,
  more: { runsIn?: string; config?: string; needs?: string; create?: string } = {},
): string {
  return `${head}export default definePlugin({
    name: "x", kind: "${kind}", runsIn: "${more.runsIn ?? (kind === "address" ? "pulse" : "node")}",
    config: z.strictObject({${more.config ?? ""}}), needs: {${more.needs ?? ""}},
    create: ${more.create ?? "(config, needs) => ({ config, needs, async start() {}, async stop() {}, open() {} })"},
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

const misuses: readonly (readonly [code: string, text: string, message: RegExp])[] = [
  ["PLUGIN_BROKEN_IMPORT", "throw new Error('boom')", /cannot be loaded: boom/],
  ["PLUGIN_BROKEN_IMPORT", "export default {", /cannot be loaded/],
  ["PLUGIN_NO_DEFAULT_EXPORT", "export const plugin = 1", /has no default export/],
  ["PLUGIN_NOT_A_PLUGIN", "export default { name: 'x' }", /is no plugin/],
  ["PLUGIN_NOT_A_PLUGIN", "export default 7", /is no plugin/],
  ["PLUGIN_WRONG_KIND", pluginText("observer"), /is of kind observer, and service is wanted here/],
  [
    "PLUGIN_API_TOO_NEW",
    `import p from "./service.js"; export default { ...p, apiVersion: 99 }`,
    /version 99/,
  ],
  ["PLUGIN_API_TOO_OLD", `import p from "./service.js"; export default { ...p, apiVersion: 0 }`, /version 0/],
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
  const service = buildPlugin(loaded, { log, clock: { nowMs: () => 1 } }) as Service &
    Record<string, unknown>;
  assert.deepEqual(service.config, { port: 9 });
  assert.deepEqual(Object.keys(service.needs as object), ["log"]);
  assert.equal((service.needs as { log: unknown }).log, log);
});

test("a need that cannot be met, a create that throws and one that makes nothing are refused", async () => {
  const needy = await serviceOf(
    pluginText("service", { needs: "s: capabilities.sessions, l: capabilities.log" }),
  );
  assert.throws(() => buildPlugin(needy, { sessions: undefined }), {
    code: "PLUGIN_NEEDS_UNKNOWN",
    message: /needs sessions and log/,
  });
  const thrower = await serviceOf(pluginText("service", { create: "() => { throw new Error('bang') }" }));
  assert.throws(() => buildPlugin(thrower, {}), {
    code: "PLUGIN_CREATE_FAILED",
    message: /failed in create: bang/,
  });
  const maker = await serviceOf(pluginText("service", { create: "() => ({})" }));
  assert.throws(() => buildPlugin(maker, {}), { code: "PLUGIN_CREATE_FAILED", message: /no.* method start/ });
});

function recorded(log: string[], name: string, behaviour: Partial<Startable> = {}): Startable {
  return {
    name,
    start: async () => {
      log.push(`start ${name}`);
      await behaviour.start?.();
    },
    stop: async () => {
      log.push(`stop ${name}`);
      await behaviour.stop?.();
    },
  };
}

const never = () => new Promise<void>(() => {});

test("starts are in order; a failure stops what started, and itself, in reverse", async () => {
  const log: string[] = [];
  const broken = recorded(log, "b", { start: () => Promise.reject(new Error("no device")) });
  await assert.rejects(startInOrder([recorded(log, "a"), broken, recorded(log, "c")]), {
    code: "PLUGIN_START_FAILED",
    message: /b could not start: no device/,
  });
  assert.deepEqual(log, ["start a", "start b", "stop b", "stop a"]);
});

test("a start or stop that does not end is left behind at its deadline", async () => {
  const log: string[] = [];
  const items = [recorded(log, "a"), recorded(log, "b", { start: never, stop: never })];
  await assert.rejects(startInOrder(items, { startMs: 20, stopMs: 20 }), (error: unknown) => {
    assert.ok(error instanceof UnderstudyError && error.code === "PLUGIN_START_DEADLINE");
    assert.deepEqual(error.details.whileStopping, ["b did not stop within 0.02 s"]);
    return true;
  });
  assert.deepEqual(log, ["start a", "start b", "stop b", "stop a"]);
  const failing = recorded(log, "c", { stop: () => Promise.reject(new Error("busy")) });
  const problems = await stopInReverse([recorded(log, "d"), failing]);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["PLUGIN_STOP_FAILED"],
  );
  assert.deepEqual(log.slice(4), ["stop c", "stop d"]);
});
