/**
 * One JSON schema of the whole file for editors: the core's keys, and for each installed plugin its own options where
 * its name is written.
 */

import { fileURLToPath } from "node:url";
import type { PluginKind } from "../plugin/contract.js";
import { coreKeysOf } from "../plugin/kinds.js";
import { findPlugin } from "../plugin/load-plugin.js";
import { installedNames } from "../plugin/resolve.js";
import { type JsonShape, jsonSchemaOf } from "./mistakes.js";
import { fileSchema } from "./schema.js";

type Json = Readonly<Record<string, unknown>>;

/** Plugins that cannot be loaded are left out: their entries are then not judged. */
export async function fileJsonSchema(): Promise<Json> {
  const shape = jsonSchemaOf(fileSchema) ?? {};
  const withOptions = async (entry: JsonShape | undefined, kind: PluginKind) =>
    addOptions(entry, await installedOptions(kind), kind);
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
          paths: { ...paths, items: await withOptions(paths?.items, "transport") },
        },
      },
      address: { ...address, items: await withOptions(address?.items, "address") },
      sessions: await withOptions(sessions, "store"),
      services: { ...services, items: await withOptions(services?.items, "service") },
      arbiters: { ...arbiters, items: await withOptions(arbiters?.items, "arbiter") },
      fences: { ...fences, items: await withOptions(fences?.items, "fence") },
      observers: { ...observers, items: await withOptions(observers?.items, "observer") },
    },
  };
}

async function installedOptions(kind: PluginKind): Promise<ReadonlyMap<string, JsonShape>> {
  const here = fileURLToPath(import.meta.url);
  const found = new Map<string, JsonShape>();
  for (const name of [...new Set(installedNames(kind))].sort()) {
    try {
      const { plugin } = await findPlugin({ plugin: name, options: {}, at: name }, kind, here);
      const options = jsonSchemaOf(plugin.config);
      if (options !== undefined) found.set(name, options);
    } catch {
      // `understudy check` says what is wrong with it when a config names it.
    }
  }
  return found;
}

/** In the branch that is a map: if the plugin is called so, then its keys are these. */
function addOptions(
  entry: JsonShape | undefined,
  plugins: ReadonlyMap<string, JsonShape>,
  kind: PluginKind,
): Json {
  const branches = (entry?.anyOf ?? []).map((branch) => {
    if (branch.properties === undefined) return branch;
    const core = Object.fromEntries(coreKeysOf(kind).map((key) => [key, true]));
    const rules = [...plugins].map(
      ([name, { $schema: _, ...options }]: [string, JsonShape & { $schema?: string }]) => ({
        if: { properties: { plugin: { const: name } } },
        // biome-ignore lint/suspicious/noThenProperty: it is the word of JSON schema
        then: { ...options, properties: { ...core, ...options.properties } },
      }),
    );
    return { ...branch, allOf: rules };
  });
  return { ...entry, anyOf: branches };
}
