/**
 * Judges what a module exports by default: is it a plugin, of a contract known here, and does each part of its
 * definition fit its kind. Finds all faults of a definition at once.
 */

import type { pluginErrors } from "../errors/plugins.js";
import { PLUGIN_API_VERSION, type Plugin } from "./define-plugin.js";
import { isKind, pluginKinds } from "./kinds.js";

export interface Fault {
  readonly code: keyof typeof pluginErrors;
  /** Without the name of the package: "it says that it runs in pulse, …". */
  readonly what: string;
}

/** Empty for a plugin that can be used. */
export function definitionFaults(exported: unknown): readonly Fault[] {
  if (!looksLikePlugin(exported)) {
    return [{ code: "PLUGIN_NOT_A_PLUGIN", what: "what it exports by default is no plugin" }];
  }
  const api = apiFault(exported.apiVersion);
  // What another version of the contract means by its parts is not known here.
  if (api !== undefined) return [api];
  if (!isKind(exported.kind)) {
    const what = `it is of kind ${String(exported.kind)}; the kinds are ${pluginKinds.join(", ")}`;
    return [{ code: "PLUGIN_UNKNOWN_KIND", what }];
  }
  return [processFault(exported)].flatMap((fault) => fault ?? []);
}

export function apiFault(api: unknown): Fault | undefined {
  const here = `this is version ${PLUGIN_API_VERSION}`;
  if (typeof api !== "number" || !Number.isInteger(api) || api < 0) {
    return { code: "PLUGIN_API_WRONG", what: `its version of the plugin contract is ${JSON.stringify(api)}` };
  }
  const what = `it was made for version ${api} of the plugin contract; ${here}`;
  if (api > PLUGIN_API_VERSION) return { code: "PLUGIN_API_TOO_NEW", what };
  return api < PLUGIN_API_VERSION ? { code: "PLUGIN_API_TOO_OLD", what } : undefined;
}

function processFault({ kind, runsIn }: Plugin): Fault | undefined {
  const allowed = kind === "address" ? ["pulse"] : kind === "transport" ? ["pulse", "node"] : ["node"];
  if (allowed.includes(runsIn)) return undefined;
  const what = `of kind ${kind}, it says that it runs in ${String(runsIn)}, and may run in ${allowed.join(" or ")}`;
  return { code: "PLUGIN_WRONG_PROCESS", what };
}

export function looksLikePlugin(value: unknown): value is Plugin {
  if (typeof value !== "object" || value === null) return false;
  const plugin = value as Partial<Record<keyof Plugin, unknown>>;
  return (
    plugin.understudyPlugin === true &&
    typeof plugin.name === "string" &&
    typeof plugin.kind === "string" &&
    typeof plugin.make === "function" &&
    typeof plugin.needs === "object" &&
    plugin.needs !== null &&
    typeof (plugin.config as { safeParse?: unknown } | undefined)?.safeParse === "function"
  );
}
