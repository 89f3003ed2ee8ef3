/**
 * Judges the schema of a plugin's options: a map of options, answered at once, whose defaults it would accept itself,
 * with no option under a name that the core keeps for itself.
 */

import type { z } from "zod";
import { alternatives, type JsonShape, jsonSchemaOf } from "../config/mistakes.js";
import type { Fault } from "./check-definition.js";
import type { PluginKind } from "./contract.js";
import { coreKeysOf } from "./kinds.js";

export function schemaFaults(config: unknown, kind: PluginKind): readonly Fault[] {
  if (!isSchema(config)) {
    return [
      {
        code: "PLUGIN_SCHEMA_MISSING",
        what: "its `config` is no zod schema; without options: z.strictObject({})",
      },
    ];
  }
  const answered = answers(config);
  if (answered !== undefined) return [answered];
  const shape = jsonSchemaOf(config);
  if (shape !== undefined && !isMap(shape)) {
    return [
      {
        code: "PLUGIN_SCHEMA_NO_MAP",
        what: "its `config` is a schema of something else than a map of options",
      },
    ];
  }
  const kept = coreKeysOf(kind).filter((key) =>
    alternatives(shape).some(({ properties }) => key in (properties ?? {})),
  );
  const faults: Fault[] = kept.map((key) => ({
    code: "PLUGIN_OPTION_RESERVED",
    what: `its option \`${key}\` has a name that the core keeps for itself`,
  }));
  return [...faults, ...defaultFaults(config)];
}

function isSchema(value: unknown): value is z.ZodType {
  if (typeof value !== "object" || value === null) return false;
  return typeof Reflect.get(value, "safeParse") === "function" && Reflect.get(value, "_zod") !== undefined;
}

/** Asked with nothing in it: a schema that cannot even say no is of no use. */
function answers(config: z.ZodType): Fault | undefined {
  try {
    config.safeParse({});
    return undefined;
  } catch (error) {
    return schemaThrew(error);
  }
}

export function schemaThrew(error: unknown): Fault {
  if (error instanceof Error && /Async/.test(error.constructor.name)) {
    return {
      code: "PLUGIN_SCHEMA_ASYNC",
      what: "its schema answers later (an async refinement or transform)",
    };
  }
  const why = error instanceof Error ? error.message : String(error);
  return { code: "PLUGIN_SCHEMA_THREW", what: `its schema threw instead of answering: ${why}` };
}

function isMap(shape: JsonShape): boolean {
  return alternatives(shape).some(({ type, properties }) => type === "object" || properties !== undefined);
}

/** zod takes a default as it is: one that the schema itself refuses would reach create() unseen. */
function defaultFaults(config: z.ZodType): readonly Fault[] {
  const { def } = config as unknown as ZodPart;
  return Object.entries(def.shape ?? {}).flatMap(([name, option]): readonly Fault[] => {
    const { type, innerType, defaultValue } = option.def;
    if (type !== "default" || innerType === undefined || transforms(innerType)) return [];
    try {
      if (innerType.safeParse(defaultValue).success) return [];
    } catch {
      // An async one is found when options are parsed.
      return [];
    }
    const what = `the default of its option \`${name}\`, ${JSON.stringify(defaultValue)}, is not what it accepts`;
    return [{ code: "PLUGIN_SCHEMA_DEFAULT", what }];
  });
}

/** As much of a zod schema as is looked into here. */
interface ZodPart {
  readonly def: {
    readonly type: string;
    readonly shape?: Readonly<Record<string, ZodPart>>;
    readonly innerType?: ZodPart;
    readonly defaultValue?: unknown;
  };
  safeParse(value: unknown): { readonly success: boolean };
}

/** Its default is what comes out of it, and need not be what goes in. */
function transforms({ def }: ZodPart): boolean {
  if (def.type === "pipe" || def.type === "transform" || def.type === "codec") return true;
  return def.innerType !== undefined && transforms(def.innerType);
}
