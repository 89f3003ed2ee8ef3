/**
 * The mistakes in the options of plugins in a file that is wrong elsewhere: what can be recognized as an entry is judged,
 * so that all that is wrong with a file is told at once.
 */

import { parse } from "yaml";
import { UnderstudyError } from "../errors/error.js";
import type { PluginKind } from "../plugin/contract.js";
import { type Loaded, loadPlugin } from "../plugin/load-plugin.js";
import { singly } from "../plugin/several.js";

type Place = readonly [kind: PluginKind, key: string];

const places: readonly Place[] = [
  ["address", "address"],
  ["store", "sessions"],
  ["service", "services"],
  ["arbiter", "arbiters"],
  ["fence", "fences"],
  ["observer", "observers"],
];

/** Never throws for a file: what cannot be read as entries is for the schema of the file. */
export async function pluginProblems(text: string, file: string): Promise<readonly UnderstudyError[]> {
  const written = mapOf(readQuietly(text));
  const paths = entriesOf("transport", mapOf(written.heartbeat).paths, "heartbeat.paths");
  const others = places.flatMap(([kind, key]) => entriesOf(kind, written[key], key));
  const judged = await Promise.all(
    [...paths, ...others].map(async ({ kind, entry }): Promise<readonly UnderstudyError[]> => {
      try {
        await loadPlugin(entry, kind, file);
        return [];
      } catch (error) {
        if (error instanceof UnderstudyError) return singly(error);
        throw error;
      }
    }),
  );
  return judged.flat();
}

function readQuietly(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

interface Found {
  readonly kind: PluginKind;
  readonly entry: Loaded["entry"];
}

function entriesOf(kind: PluginKind, written: unknown, key: string): readonly Found[] {
  if (!Array.isArray(written)) return entryOf(kind, written, key);
  return written.flatMap((one: unknown, index) => entryOf(kind, one, `${key}[${index}]`));
}

function entryOf(kind: PluginKind, written: unknown, at: string): readonly Found[] {
  const { plugin, ...options } = typeof written === "string" ? { plugin: written } : mapOf(written);
  if (typeof plugin !== "string" || plugin === "" || (kind === "store" && plugin === "none")) return [];
  if (kind !== "transport") return [{ kind, entry: { plugin, options, at } }];
  const { class: _class, name: _name, ...own } = options as Readonly<Record<string, unknown>>;
  // Name and class are the core's: whether they are right is not asked here.
  return [{ kind, entry: { plugin, options: own, at, name: at, class: "client" } }];
}
