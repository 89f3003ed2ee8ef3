/**
 * The schema for editors against the loader: what the loader accepts no validator may call wrong, for every key and
 * option there is; and what people get wrong most is refused while they write.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { optionsOf } from "@understudy/core/internal/config/options";
import { parseConfig } from "@understudy/core/internal/config/parse";
import { fileSchema } from "@understudy/core/internal/config/schema";
import { UnderstudyError } from "@understudy/core/internal/errors/error";
import { findPlugin, loadPlugin } from "@understudy/core/internal/plugin/load-plugin";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { root } from "../tidy/source-files.js";

type Json = Record<string, unknown>;

let schema: Json = {};
let validate: ValidateFunction;

before(() => {
  const { UNDERSTUDY_CONFIG: _, ...env } = process.env;
  const program = join(root, "core/bin/understudy.js");
  const run = spawnSync(process.execPath, [program, "config", "schema"], { encoding: "utf8", env });
  assert.deepEqual([run.status, run.stderr], [0, ""]);
  schema = JSON.parse(run.stdout) as Json;
  // Strict: a word that no standard knows is an error. Its rules of style are not ours.
  validate = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
  }).compile(schema);
});

const minimal: Json = {
  cluster: "c",
  nodes: { a: "10.9.0.2", b: "10.9.0.3" },
  haAddress: "10.9.0.4/24",
};

const kinds = {
  paths: "transport",
  address: "address",
  sessions: "store",
  services: "service",
  arbiters: "arbiter",
  fences: "fence",
  observers: "observer",
} as const;
type Place = keyof typeof kinds;
const places = Object.keys(kinds) as Place[];

/** Undefined when the loader and the plugins accept it. */
async function refusal(value: unknown): Promise<string | undefined> {
  // Whatever this refuses the loader refuses, and it is a hundred times as fast.
  if (!fileSchema.safeParse(value).success) return "the file's schema refuses it";
  try {
    const { heartbeat, sessions, ...config } = parseConfig(JSON.stringify(value), "/config.yaml");
    for (const entry of heartbeat.paths) await loadPlugin(entry, "transport", "/config.yaml");
    if (sessions !== undefined) await loadPlugin(sessions, "store", "/config.yaml");
    for (const place of ["address", "services", "arbiters", "fences", "observers"] as const)
      for (const entry of config[place]) await loadPlugin(entry, kinds[place], "/config.yaml");
    return undefined;
  } catch (error) {
    if (error instanceof UnderstudyError) return error.message;
    throw error;
  }
}

/** What a person may write, right somewhere and wrong elsewhere. */
const values: readonly unknown[] = [
  ...[null, true, false, 0, 1, 2, 3, 7, 100, 250, 9600, 65_533, 1.5, -1, 1e9],
  ...["", "a", "Cable-1", "x".repeat(40), "auto", "never", "none", "client", "1", "on", "an.host", "a b"],
  ...["250ms", "10S", " 5 m ", "1.5 s", "1H", "2 Min", "10 seconds", "1e3", "99h"],
  ...[
    "/",
    "/a",
    "/dev/ttyS0",
    "./x.js",
    "10.0.0.9",
    "10.0.0.9/24",
    "fd00::9",
    "fd00::9/64",
    "::ffff:10.0.0.1",
  ],
  ...["mqtts://h", "mqtt://h:1", "https://h:2379", "http://10.0.0.9:2379/", "a.service", "A_b-c@1.service"],
  ...[
    [],
    ["a"],
    ["/a", "b"],
    ["10.0.0.9"],
    [1],
    [["a"]],
    {},
    { a: "b" },
    { shell: "x" },
    { address: "10.0.0.9/24" },
  ],
  ...[{ primary: "/a", secondary: "/b" }, { a: "/a", b: "/b" }, { mode: "manual" }, { plugin: "udp" }],
];

interface Rule {
  readonly if: { readonly properties: { readonly plugin: { readonly enum: readonly string[] } } };
  readonly then: Json & { readonly properties: Json };
}

function rulesOf(entry: unknown): readonly Rule[] {
  return ((entry as Json).anyOf as readonly { readonly allOf?: readonly Rule[] }[]).flatMap(
    ({ allOf }) => allOf ?? [],
  );
}

/** Where plugins stand, with those that are known there. */
function entries(): readonly { readonly place: Place; readonly rules: readonly Rule[] }[] {
  const properties = schema.properties as Readonly<Record<string, Json>>;
  const { paths } = (properties.heartbeat as { properties: { paths: Json } }).properties;
  return places.map((place) => {
    const shape = place === "paths" ? paths : properties[place];
    return { place, rules: rulesOf(shape?.items ?? shape) };
  });
}

function withEntry(place: Place, entry: Json): Json {
  if (place === "paths") return { ...minimal, heartbeat: { paths: [entry] } };
  return { ...minimal, [place]: place === "sessions" ? entry : [entry] };
}

/** The entries of all examples, by place and name: with what a plugin cannot do without. */
function written(): ReadonlyMap<string, Json> {
  const found = new Map<string, Json>();
  for (const path of globSync("plugins/*/example.yaml", { cwd: root })) {
    const example = parse(readFileSync(join(root, path), "utf8")) as Json;
    const { paths = [] } = (example.heartbeat ?? {}) as { paths?: unknown };
    for (const place of places)
      for (const one of [place === "paths" ? paths : (example[place] ?? [])].flat() as (Json | string)[])
        if (typeof one !== "string")
          found.set(`${place} ${one.plugin}`, { ...found.get(`${place} ${one.plugin}`), ...one });
  }
  return found;
}

/** Paths to every value of a config, maps and lists among them. */
function pathsIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [
    ...(path.length > 0 ? [path] : []),
    ...Object.entries(value).flatMap(([key, below]) => pathsIn(below, [...path, key])),
  ];
}

function changed(value: unknown, [step, ...rest]: readonly string[], to: unknown): unknown {
  if (step === undefined) return to;
  const below = (value as Json)[step];
  const next = rest.length === 0 ? to : changed(below, rest, to);
  if (Array.isArray(value)) return value.map((one: unknown, at) => (String(at) === step ? next : one));
  return { ...(value as Json), [step]: next };
}

type Verdict = string | boolean | undefined;

/** The loader must refuse what the schema refuses. Gives how often the schema did. */
async function neverStricter<T>(
  cases: Iterable<T>,
  configOf: (one: T) => unknown,
  refuses: (one: T) => Verdict | Promise<Verdict>,
): Promise<number> {
  let refused = 0;
  for (const one of cases) {
    if (validate(configOf(one))) continue;
    refused += 1;
    const why = validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`).join("; ");
    assert.ok(
      await refuses(one),
      `the loader accepts ${JSON.stringify(configOf(one))}, and the schema says: ${why}`,
    );
  }
  return refused;
}

test("every example is right for schema and loader alike", async () => {
  const examples = globSync("plugins/*/example.yaml", { cwd: root });
  assert.ok(examples.length >= 16);
  for (const path of examples) {
    const example: unknown = parse(readFileSync(join(root, path), "utf8"));
    assert.ok(validate(example), `${path}: ${JSON.stringify(validate.errors)}`);
    assert.equal(await refusal(example), undefined, path);
  }
  // What `plugin new` writes names a plugin by its path, of which the schema knows nothing without the file.
  for (const path of globSync("core/templates/*/example.yaml", { cwd: root })) {
    const text = readFileSync(join(root, path), "utf8").replaceAll(/@@\w+@@/g, "pigeon");
    assert.ok(validate(parse(text)), path);
  }
});

test("whatever is written at a key of the core, the schema refuses nothing that the loader accepts", async () => {
  const properties = schema.properties as Readonly<Record<string, Json>>;
  function* configs(): Generator<unknown> {
    for (const [key, { properties: below, anyOf = [] }] of Object.entries(properties)) {
      for (const value of values) yield { ...minimal, [key]: value };
      const maps = [below, ...(anyOf as { properties?: Json }[]).map((one) => one.properties)];
      for (const name of maps.flatMap((map) => Object.keys(map ?? {})))
        for (const value of values) yield { ...minimal, [key]: { [name]: value } };
    }
    for (const name of ["plugin", "class", "name"])
      for (const value of values) yield withEntry("paths", { plugin: "udp", [name]: value });
  }
  assert.ok((await neverStricter(configs(), (one) => one, refusal)) > 500);
});

/** What a plugin that is right can be told, with one value changed, added or taken away. */
function* variants(entry: Json, options: readonly string[]): Generator<Json> {
  const { plugin, class: _, name: __, ...own } = entry;
  for (const value of values) {
    for (const option of [...options, "odd"]) yield { ...entry, [option]: value };
    for (const path of pathsIn(own)) yield changed(entry, path, value) as Json;
  }
  for (const option of Object.keys(own))
    yield Object.fromEntries(Object.entries(entry).filter(([key]) => key !== option));
}

test("whatever is written for an option of a plugin, the schema refuses nothing that the loader accepts", async () => {
  const examplesOf = written();
  let refused = 0;
  for (const { place, rules } of entries())
    for (const rule of rules) {
      const [plugin = ""] = rule.if.properties.plugin.enum;
      const kind = kinds[place];
      const found = await findPlugin({ plugin, options: {}, at: "" }, kind, "/config.yaml");
      const entry = examplesOf.get(`${place} ${plugin}`) ?? { plugin };
      const core = ["plugin", ...(place === "paths" ? ["class", "name"] : [])];
      const options = optionsOf(found.plugin.config).flatMap(({ path }) => (/[.[]/.test(path) ? [] : [path]));
      refused += await neverStricter(
        variants(entry, options),
        (one) => withEntry(place, one),
        (one) => {
          const own = Object.entries(one).filter(([key]) => !core.includes(key));
          return !found.plugin.config.safeParse(Object.fromEntries(own)).success;
        },
      );
    }
  assert.ok(refused > 1000);
});

test("every plugin that came with it is known by both of its names, with all of its options", () => {
  const names = entries().flatMap(({ rules }) => rules.flatMap((rule) => rule.if.properties.plugin.enum));
  for (const path of globSync("plugins/*/package.json", { cwd: root })) {
    const [, folder = ""] = path.split("/");
    assert.ok(names.includes(folder.replace(/^[a-z]+-/, "")), folder);
    assert.ok(names.includes(`@understudy/${folder}`), folder);
  }
});

const wrong: Readonly<Record<string, unknown>> = {
  "a key that is missing": { cluster: "c", nodes: minimal.nodes },
  "a key that there is not": { ...minimal, hartbeat: {} },
  "one below another": { ...minimal, heartbeat: { intervall: "20ms" } },
  "a list for a map": { ...minimal, nodes: ["10.9.0.2", "10.9.0.3"] },
  "a word that there is not": { ...minimal, failback: "automatic" },
  "a time without a unit that is one": { ...minimal, lease: "10 seconds" },
  "a time that is too short": { ...minimal, lease: 5 },
  "a number for a text": { ...minimal, cluster: 7 },
  "no path": { ...minimal, heartbeat: { paths: [] } },
  "an entry without a plugin": { ...minimal, services: [{ unit: "x" }] },
  "an option that a plugin has not": withEntry("paths", { plugin: "udp", prot: 7000 }),
  "the same by its package name": withEntry("paths", { plugin: "@understudy/transport-udp", prot: 7000 }),
  "a plugin without what it needs": withEntry("services", { plugin: "systemd" }),
  "an option's value": withEntry("services", { plugin: "systemd", unit: ["a"] }),
};

for (const [what, config] of Object.entries(wrong)) {
  test(`refused by schema and loader alike: ${what}`, async () => {
    assert.equal(validate(config), false);
    assert.ok(await refusal(config));
  });
}
