/**
 * The plugins that the text of a config names, whatever else is wrong with it, and which of them came from elsewhere:
 * those are first asked who they are in a process of their own.
 */

import { parse } from "yaml";
import type { UnderstudyError } from "../errors/error.js";
import type { PluginKind } from "../plugin/contract.js";
import { type Introduction, introduceAll, isFaulty } from "../plugin/introduction.js";
import type { Loaded } from "../plugin/load-plugin.js";
import { installedNames } from "../plugin/resolve.js";

type Place = readonly [kind: PluginKind, key: string];

const places: readonly Place[] = [
  ["address", "address"],
  ["store", "sessions"],
  ["service", "services"],
  ["arbiter", "arbiters"],
  ["fence", "fences"],
  ["observer", "observers"],
];

export interface Named {
  readonly kind: PluginKind;
  readonly entry: Loaded["entry"];
}

/** Never throws for a text: what cannot be read as entries is for the schema of the file. */
export function namedPlugins(text: string): readonly Named[] {
  const written = mapOf(readQuietly(text));
  const paths = entriesOf("transport", mapOf(written.heartbeat).paths, "heartbeat.paths");
  return [...paths, ...places.flatMap(([kind, key]) => entriesOf(kind, written[key], key))];
}

function readQuietly(text: string): unknown {
  try {
    return parse(text, { logLevel: "silent" });
  } catch {
    return undefined;
  }
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function entriesOf(kind: PluginKind, written: unknown, key: string): readonly Named[] {
  if (!Array.isArray(written)) return entryOf(kind, written, key);
  return written.flatMap((one: unknown, index) => entryOf(kind, one, `${key}[${index}]`));
}

function entryOf(kind: PluginKind, written: unknown, at: string): readonly Named[] {
  const { plugin, ...options } = typeof written === "string" ? { plugin: written } : mapOf(written);
  if (typeof plugin !== "string" || plugin === "" || (kind === "store" && plugin === "none")) return [];
  if (kind !== "transport") return [{ kind, entry: { plugin, options, at } }];
  const { class: _class, name: _name, ...own } = options as Readonly<Record<string, unknown>>;
  // Name and class are the core's: whether they are right is not asked here.
  return [{ kind, entry: { plugin, options: own, at, name: at, class: "client" } }];
}

/** By its short name or the name of its package. */
export function isInstalled(name: string, kind: PluginKind): boolean {
  return installedNames(kind).some((short) => namesOf(short, kind).includes(name));
}

/** What a plugin that came with Understudy may be called. */
export function namesOf(short: string, kind: PluginKind): readonly string[] {
  return [short, `@understudy/${kind}-${short}`];
}

export interface Strangers {
  readonly introduced: readonly (Named & { readonly introduction: Introduction })[];
  /** Those that cannot be used, and so must not be loaded here, where they might never let go. */
  readonly faulty: readonly (Named & { readonly problems: readonly UnderstudyError[] })[];
}

/** Asks those of `named` that did not come with Understudy. */
export async function askStrangers(named: readonly Named[], configFile: string): Promise<Strangers> {
  const strangers = named.filter(({ entry, kind }) => !isInstalled(entry.plugin, kind));
  const asked = strangers.map(({ entry: { plugin, at }, kind }) => ({
    entry: { plugin, at },
    kinds: [kind],
    configFile,
  }));
  const answers = await introduceAll(asked);
  const each = strangers.flatMap((one, at) => {
    const answer = answers[at];
    return answer === undefined ? [] : [{ one, answer }];
  });
  return {
    introduced: each.flatMap(({ one, answer }) =>
      isFaulty(answer) ? [] : [{ ...one, introduction: answer }],
    ),
    faulty: each.flatMap(({ one, answer }) => (isFaulty(answer) ? [{ ...one, problems: answer }] : [])),
  };
}
