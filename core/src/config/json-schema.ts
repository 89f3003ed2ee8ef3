/**
 * One JSON schema of the whole file for editors: the core's keys, and for each known plugin its own options where its
 * name is written. Pure.
 */

import type { PluginKind } from "../plugin/contract.js";
import { coreKeysOf } from "../plugin/kinds.js";
import { type EditorSchema, editorSchemaOf } from "./editor-schema.js";
import { fileSchema } from "./schema.js";

export interface KnownPlugin {
  readonly kind: PluginKind;
  /** What a config may call it: short name, package name or path. */
  readonly names: readonly string[];
  readonly options: EditorSchema;
}

/** As much of a JSON schema as is read here. */
interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
}

/** Entries of plugins that are not among the known are not judged. */
export function fileJsonSchema(plugins: readonly KnownPlugin[]): EditorSchema {
  const shape = (editorSchemaOf(fileSchema) ?? {}) as Shape;
  const rooted = plugins.map((plugin, at) => lifted(plugin, at));
  const of = (entry: Shape | undefined, kind: PluginKind) =>
    addOptions(
      entry,
      rooted.map(({ plugin }) => plugin).filter((plugin) => plugin.kind === kind),
      kind,
    );
  const { heartbeat, address, sessions, services, arbiters, fences, observers } = shape.properties ?? {};
  const paths = heartbeat?.properties?.paths;
  return {
    ...shape,
    title: "Understudy: the config of a pair",
    properties: {
      ...shape.properties,
      heartbeat: {
        ...heartbeat,
        properties: {
          ...heartbeat?.properties,
          paths: { ...paths, items: of(paths?.items, "transport") },
        },
      },
      address: { ...address, items: of(address?.items, "address") },
      sessions: of(sessions, "store"),
      services: { ...services, items: of(services?.items, "service") },
      arbiters: { ...arbiters, items: of(arbiters?.items, "arbiter") },
      fences: { ...fences, items: of(fences?.items, "fence") },
      observers: { ...observers, items: of(observers?.items, "observer") },
    },
    $defs: Object.fromEntries(rooted.flatMap(({ defs }) => Object.entries(defs))),
  };
}

/** In the branch that is a map: if the plugin is called so, then its keys are these. */
function addOptions(entry: Shape | undefined, plugins: readonly KnownPlugin[], kind: PluginKind): Shape {
  const branches = (entry?.anyOf ?? []).map((branch) => {
    if (branch.properties === undefined) return branch;
    const { plugin: name } = branch.properties;
    const rules = plugins.map(({ names, options }) => ({
      if: { properties: { plugin: { enum: names } } },
      // biome-ignore lint/suspicious/noThenProperty: it is the word of JSON schema
      then: withCoreKeys(options, coreKeysOf(kind)),
    }));
    // What an editor offers; any other name may be written too.
    const examples = plugins.map(({ names }) => names[0]);
    return {
      ...branch,
      properties: { ...branch.properties, plugin: { ...name, ...(examples.length > 0 && { examples }) } },
      ...(rules.length > 0 && { allOf: rules }),
    };
  });
  return { ...entry, anyOf: branches };
}

/** The core's keys stand in the same map, and each of several shapes that the map may have must let them be. */
function withCoreKeys(options: EditorSchema, keys: readonly string[]): EditorSchema {
  const core = Object.fromEntries(keys.map((key) => [key, true]));
  const shapes = ["anyOf", "oneOf", "allOf"].flatMap((word) => {
    const list = options[word];
    return Array.isArray(list) ? [[word, list.map((one: EditorSchema) => withCoreKeys(one, keys))]] : [];
  });
  const { properties, additionalProperties, propertyNames, ...rest } = options;
  const isMap = properties !== undefined || additionalProperties !== undefined || rest.type === "object";
  return {
    ...rest,
    ...Object.fromEntries(shapes),
    ...(isMap && { properties: { ...core, ...(properties as EditorSchema | undefined) } }),
    ...(additionalProperties !== undefined && { additionalProperties }),
    // The names that a map may have do not include ours.
    ...(propertyNames !== undefined && { propertyNames: { anyOf: [{ enum: keys }, propertyNames] } }),
  };
}

interface Lifted {
  readonly plugin: KnownPlugin;
  readonly defs: EditorSchema;
}

/** Definitions that a plugin's schema refers to move to those of the file, whose root is the root of every reference. */
function lifted(plugin: KnownPlugin, at: number): Lifted {
  const { $schema: _, $defs, ...written } = plugin.options;
  const options = unwrapped(written, $defs);
  const name = `${plugin.kind}-${at}`;
  const place = (ref: string) =>
    ref.replace(/^#(\/\$defs\/|$)/, (_whole, deep) => `#/$defs/${name}${deep ? "." : ""}`);
  const moved = (json: unknown): unknown => {
    if (Array.isArray(json)) return json.map(moved);
    if (typeof json !== "object" || json === null) return json;
    return Object.fromEntries(
      Object.entries(json).map(([key, value]) => [
        key,
        key === "$ref" && typeof value === "string" ? place(value) : moved(value),
      ]),
    );
  };
  const own = moved(options) as EditorSchema;
  const inner = Object.entries(($defs ?? {}) as EditorSchema).map(([key, def]) => [
    `${name}.${key}`,
    moved(def),
  ]);
  const refersToItself = JSON.stringify([own, inner]).includes(`"#/$defs/${name}"`);
  return {
    plugin: { ...plugin, options: own },
    defs: { ...Object.fromEntries(inner), ...(refersToItself && { [name]: own }) },
  };
}

/** A schema with an id of its own is but a reference to itself; the core's keys have no place in that. */
function unwrapped({ $ref, ...beside }: EditorSchema, defs: unknown): EditorSchema {
  if (typeof $ref !== "string") return beside;
  const named = $ref
    .replace(/^#\/\$defs\//, "")
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");
  return { ...(defs as Readonly<Record<string, EditorSchema>> | undefined)?.[named], ...beside };
}
