/**
 * Judges what a module exports by default: is it a plugin, of a contract known here, and does each part of its
 * definition fit its kind. Finds all faults of a definition at once.
 */

import type { pluginErrors } from "../errors/plugins.js";
import { schemaFaults } from "./check-schema.js";
import type { PluginKind } from "./contract.js";
import { PLUGIN_API_VERSION, type Plugin } from "./define-plugin.js";
import { isKind, pluginKinds } from "./kinds.js";
import { capabilities } from "./tokens.js";

export interface Fault {
  readonly code: keyof typeof pluginErrors;
  /** Without the name of the package: "it says that it runs in pulse, …". */
  readonly what: string;
}

/** Empty for a plugin that can be used. `packageName` undefined: it is not known what it is called. */
export function definitionFaults(exported: unknown, packageName?: string): readonly Fault[] {
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
  return [
    nameFault(exported, packageName),
    processFault(exported),
    exclusiveFault(exported),
    ...schemaFaults(exported.config, exported.kind),
    ...needsFaults(exported),
  ].flatMap((fault) => fault ?? []);
}

/** Short names are what people write in the config; a package called after another plugin would mislead them. */
function nameFault({ kind, name }: Plugin, packageName: string | undefined): Fault | undefined {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) {
    const what = `its name is ${JSON.stringify(name)}; a name is lower-case letters, digits and hyphens, at most 63`;
    return { code: "PLUGIN_NAME_WRONG", what };
  }
  const [, ofPackage] =
    new RegExp(`^(?:@[^/]+/)?(?:understudy-)?${kind}-(.+)$`).exec(packageName ?? "") ?? [];
  if (ofPackage === undefined || ofPackage === name) return undefined;
  return {
    code: "PLUGIN_NAME_MISMATCH",
    what: `it calls itself ${name}, and its package calls it ${ofPackage}`,
  };
}

function exclusiveFault({ kind, exclusive, limitsBeats }: Plugin): Fault | undefined {
  if (exclusive !== undefined && typeof exclusive !== "boolean") {
    return {
      code: "PLUGIN_EXCLUSIVE_WRONG",
      what: `its \`exclusive\` is ${String(exclusive)}, not true or false`,
    };
  }
  if (exclusive && kind !== "arbiter") {
    return {
      code: "PLUGIN_EXCLUSIVE_WRONG",
      what: `it is exclusive, and of kind ${kind}: only an arbiter can be`,
    };
  }
  if (limitsBeats && kind !== "transport") {
    const what = `it has beatIntervalMs, and is of kind ${kind}: only a transport carries beats`;
    return { code: "PLUGIN_BEAT_INTERVAL_WRONG", what };
  }
  return undefined;
}

/** Those that not every kind can have, by the names in `capabilities`. */
const onlyFor: Readonly<Record<string, readonly PluginKind[]>> = {
  sessions: ["service"],
  tokens: ["service"],
  path: ["transport"],
  status: ["transport", "service", "arbiter", "fence", "observer"],
};

function needsFaults({ needs, kind, runsIn }: Plugin): readonly Fault[] {
  const known: readonly unknown[] = Object.values(capabilities).map(({ key }) => key);
  return Object.entries<unknown>(needs).flatMap(([name, wanted]): readonly Fault[] => {
    const key = typeof wanted === "object" && wanted !== null ? Reflect.get(wanted, "key") : undefined;
    if (typeof key !== "symbol") {
      return [{ code: "PLUGIN_NEEDS_WRONG", what: `its need \`${name}\` is none of \`capabilities\`` }];
    }
    const asked = String(Reflect.get(wanted as object, "name"));
    if (onlyFor[asked]?.includes(kind) === false) {
      const who = onlyFor[asked].join(", ");
      return [
        {
          code: "PLUGIN_NEEDS_UNAVAILABLE",
          what: `it needs ${asked}, and is of kind ${kind}: only for ${who}`,
        },
      ];
    }
    if (asked === "status" && runsIn === "pulse") {
      const what = "it needs status, and runs in pulse: only in node is it known how a node is";
      return [{ code: "PLUGIN_NEEDS_UNAVAILABLE", what }];
    }
    if (known.includes(key)) return [];
    return [{ code: "PLUGIN_NEEDS_UNKNOWN", what: `it needs ${asked}, which this Understudy does not know` }];
  });
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
    plugin.needs !== null
  );
}
