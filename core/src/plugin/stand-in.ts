/**
 * What takes the place of a plugin that cannot be used, where the pair is safe without it: it does nothing, and says why
 * wherever the plugin would have spoken. Which kinds these are, and what a node then does, stands in PLUGINS.md.
 */

import { z } from "zod";
import { explain, type UnderstudyError } from "../errors/error.js";
import type { HostProcess, PluginKind } from "./contract.js";
import { definePlugin, type Plugin, type PluginKinds } from "./define-plugin.js";
import type { Loaded } from "./load-plugin.js";

/**
 * A service, store or address that cannot be used keeps the process from starting: without it the node would promise
 * what it cannot keep. The others are missed, but nothing becomes unsafe.
 */
const replaceable = ["transport", "arbiter", "fence", "observer"] as const;
type ReplaceableKind = (typeof replaceable)[number];

/** What a person wrote is to be mended, on both nodes alike: only the package's own faults are borne. */
const ofTheConfig = ["PLUGIN_CONFIG_WRONG"];

export function canStandIn(kind: PluginKind, problem: UnderstudyError): kind is ReplaceableKind {
  return replaceable.some((one) => one === kind) && !ofTheConfig.includes(problem.code);
}

/** `which`: the process that asks; the place of the plugin is kept there. */
export function standIn<K extends PluginKind>(
  entry: Loaded<K>["entry"],
  kind: K & ReplaceableKind,
  problem: UnderstudyError,
  which: HostProcess,
): Loaded<K> {
  const plugin = definePlugin({
    name: entry.plugin,
    kind: kind as ReplaceableKind,
    runsIn: kind === "transport" ? which : "node",
    // Whether it is cannot be known any more, and what never grants must not be taken for a mere adviser.
    exclusive: kind === "arbiter",
    config: z.unknown(),
    needs: {},
    create: () => made[kind](reasonOf(problem)),
  });
  return {
    plugin: plugin as unknown as Plugin<K>,
    entry,
    options: {},
    packageName: entry.plugin,
    version: "unknown",
    problem,
  };
}

/** What rulings and fences say of themselves is kept up to 500 characters: with this the code is among them. */
const mostOfReason = 400;

/**
 * Without the place in the config, which log and timeline have: where this is read the plugin is named before it, and the
 * paths of a config file and of the folders that were searched leave no room for what went wrong.
 */
function reasonOf({ message, code, details }: UnderstudyError): string {
  const [line = ""] = message.split("\n");
  const place = `${details.place}  ${details.key}: `;
  const what = line.startsWith(place) ? line.slice(place.length) : line;
  return `not used: ${beginningOf(what.replaceAll(/\s+/g, " ").trim())} [${code}]`;
}

/** In whole words; a cut shows. */
function beginningOf(text: string): string {
  if (text.length <= mostOfReason) return text;
  const cut = text.slice(0, mostOfReason);
  const end = cut.lastIndexOf(" ");
  // A word of half the length, a path mostly, says more cut than left out.
  return `${end > mostOfReason / 2 ? cut.slice(0, end) : cut} …`;
}

const nothing = async () => {};

const made: { readonly [K in ReplaceableKind]: (reason: string) => PluginKinds[K] } = {
  transport: (reason) => ({
    start: () => Promise.reject(new Error(reason)),
    send: () => {},
    stop: nothing,
    describe: () => reason,
  }),
  arbiter: (reason) => ({
    start: nothing,
    ask: async () => ({ verdict: "unknown", why: reason }),
    stop: nothing,
    describe: () => reason,
  }),
  fence: (reason) => ({
    start: nothing,
    fence: async () => ({ outcome: "unknown", detail: reason }),
    check: async () => reason,
    stop: nothing,
    describe: () => reason,
  }),
  observer: (reason) => ({ start: nothing, observe: nothing, stop: nothing, describe: () => reason }),
};

/** For the log and the timeline: what is missing and what that means. */
export function missingText(entry: Loaded["entry"], problem: UnderstudyError): string {
  return `${entry.at}: ${entry.plugin} is not used: ${explain(problem).split("\n")[0] ?? ""}`;
}
