/**
 * Loads one plugin that the config names: finds it, imports it, checks that it is what it says, and lets its schema
 * judge its options. Everything that can be wrong has its own error code and its place in the config file.
 */

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { PathEntry, PluginEntry } from "../config/config.js";
import { formatMistakes, mistakeAt, objectionsOf } from "../config/mistakes.js";
import { keyPath, readYaml, type YamlText } from "../config/places.js";
import { UnderstudyError } from "../errors/error.js";
import { pluginError, type pluginErrors } from "../errors/plugins.js";
import { beatIntervalFault } from "./check-beat-interval.js";
import { apiFault, definitionFaults } from "./check-definition.js";
import { schemaThrew } from "./check-schema.js";
import type { PluginKind } from "./contract.js";
import { withDeadline } from "./deadline.js";
import type { Plugin } from "./define-plugin.js";
import { lendCore } from "./own-core.js";
import { resolvePlugin } from "./resolve.js";
import { asOne } from "./several.js";

export interface Loaded<K extends PluginKind = PluginKind> {
  readonly plugin: Plugin<K>;
  readonly entry: K extends "transport" ? PathEntry : PluginEntry;
  /** Parsed by the plugin's schema, defaults filled in. */
  readonly options: unknown;
  readonly packageName: string;
  readonly version: string;
  /** Set when this stands in for a plugin that cannot be used: see stand-in.ts. */
  readonly problem?: UnderstudyError;
}

type EntryOf<K extends PluginKind> = Loaded<K>["entry"];

export type FoundPlugin<K extends PluginKind> = Pick<Loaded<K>, "plugin" | "packageName" | "version">;

export const importDeadlineMs = 10_000;

/** Throws an UnderstudyError PLUGIN_…. `configFile` is absolute; it is read again only to place a mistake. */
export async function loadPlugin<K extends PluginKind>(
  entry: EntryOf<K>,
  kind: K,
  configFile: string,
): Promise<Loaded<K>> {
  const found = await findPlugin(entry, kind, configFile);
  const options = parseOptions(found.plugin, entry, configFile, reporter(entry, configFile));
  return { ...found, entry, options };
}

/** As `loadPlugin`, without a look at the options. */
export async function findPlugin<K extends PluginKind>(
  entry: PluginEntry,
  kind: K,
  configFile: string,
): Promise<FoundPlugin<K>> {
  const report = reporter(entry, configFile);
  const found = resolvePlugin(entry.plugin, kind, dirname(configFile));
  if (!found.found) throw report("PLUGIN_NOT_FOUND", found.why);
  // Before its code runs, which may well use what is not there.
  const api = found.api === undefined ? undefined : apiFault(found.api);
  if (api !== undefined) throw report(api.code, `${found.packageName}: ${api.what}`);
  const exported = await importDefault(found.file, report);
  const plugin = checkPlugin(exported, kind, found.packageName, report);
  return { plugin, packageName: found.packageName, version: found.version };
}

type Report = (code: keyof typeof pluginErrors, what: string, cause?: unknown) => UnderstudyError;

/** Makes errors that say where in the config the plugin is named. */
export function reporter(entry: Pick<PluginEntry, "plugin" | "at">, configFile: string): Report {
  return (code, what, cause) => {
    const yaml = yamlOf(configFile);
    const objection = { path: keyPath(entry.at), of: "value", what } as const;
    const { place, key } =
      yaml === undefined ? { place: configFile, key: entry.at } : mistakeAt(yaml, objection);
    // Without a place it was named on the command line.
    return pluginError(code, entry.at === "" ? what : `${place}  ${key}: ${what}`, {
      cause,
      details: { place, key, plugin: entry.plugin },
    });
  };
}

function yamlOf(file: string): YamlText | undefined {
  try {
    return readYaml(readFileSync(file, "utf8"), file);
  } catch {
    return undefined;
  }
}

async function importDefault(file: string, report: Report): Promise<unknown> {
  let module: Readonly<Record<string, unknown>>;
  lendCore();
  try {
    const imported = import(pathToFileURL(file).href) as Promise<Readonly<Record<string, unknown>>>;
    const inTime = await withDeadline(imported, importDeadlineMs);
    if (!inTime.done) {
      throw report(
        "PLUGIN_IMPORT_DEADLINE",
        `${file} did not finish loading within ${importDeadlineMs / 1000} s`,
      );
    }
    module = inTime.value;
  } catch (cause) {
    if (cause instanceof UnderstudyError) throw cause;
    throw report("PLUGIN_BROKEN_IMPORT", `${file} cannot be loaded: ${messageOf(cause)}`, cause);
  }
  if (module.default === undefined) throw report("PLUGIN_NO_DEFAULT_EXPORT", `${file} has no default export`);
  return module.default;
}

function checkPlugin<K extends PluginKind>(
  exported: unknown,
  kind: K,
  packageName: string,
  report: Report,
): Plugin<K> {
  const faults = definitionFaults(exported, packageName);
  if (faults.length > 0) throw asOne(faults.map(({ code, what }) => report(code, `${packageName}: ${what}`)));
  const plugin = exported as Plugin;
  if (!isOfKind(plugin, kind)) {
    throw report("PLUGIN_WRONG_KIND", `${packageName} is of kind ${plugin.kind}, and ${kind} is wanted here`);
  }
  return plugin;
}

function isOfKind<K extends PluginKind>(plugin: Plugin, kind: K): plugin is Plugin<K> & Plugin {
  return plugin.kind === kind;
}

function parseOptions(plugin: Plugin, entry: PluginEntry, configFile: string, report: Report): unknown {
  let parsed: ReturnType<Plugin["config"]["safeParse"]>;
  try {
    parsed = plugin.config.safeParse(entry.options);
  } catch (cause) {
    const { code, what } = schemaThrew(cause);
    throw report(code, what, cause);
  }
  if (parsed.success) {
    const fault = beatIntervalFault(plugin, parsed.data);
    if (fault !== undefined) throw report("PLUGIN_BEAT_INTERVAL_WRONG", fault.what, fault.cause);
    return parsed.data;
  }
  const objections = objectionsOf(parsed.error, entry.options, plugin.config, keyPath(entry.at));
  const yaml = yamlOf(configFile) ?? readYaml("", configFile);
  const mistakes = objections.map((one) => mistakeAt(yaml, one));
  const message = `the options of ${entry.plugin} (${entry.at}) are wrong:\n${formatMistakes(mistakes)}`;
  throw pluginError("PLUGIN_CONFIG_WRONG", message, { details: { mistakes, plugin: entry.plugin } });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
