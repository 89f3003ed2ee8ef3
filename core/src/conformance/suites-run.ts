/**
 * Which conformance suites were begun in this process: `understudy plugin test` refuses a module that tests nothing.
 * Kept where every copy of the core finds it, since a plugin may have brought its own.
 */

import type { PluginKind } from "../plugin/contract.js";

const key = Symbol.for("understudy:suites-run");
const shared = globalThis as { [key]?: PluginKind[] };

export function noteSuite(kind: PluginKind): void {
  shared[key] = [...suitesRun(), kind];
}

export function suitesRun(): readonly PluginKind[] {
  return shared[key] ?? [];
}
