/**
 * The JSON schema of a zod schema as an editor or any other validator may trust it: whatever the loader accepts it
 * accepts too, and it uses no words that only we know. What JSON schema cannot say it leaves out.
 */

import { z } from "zod";

export type EditorSchema = Readonly<Record<string, unknown>>;

type Json = Record<string, unknown>;

/** Undefined for a schema that JSON cannot express: then nothing can be judged by it. */
export function editorSchemaOf(schema: z.ZodType): EditorSchema | undefined {
  try {
    const exact = z.toJSONSchema(schema, {
      io: "input",
      unrepresentable: "any",
      reused: "inline",
      override: ({ zodSchema, jsonSchema }) => widen(zodSchema as unknown as ZodPart, jsonSchema as Json),
    });
    return inPlainWords(exact) as EditorSchema;
  } catch {
    return undefined;
  }
}

/** As much of a zod schema as is looked into here. */
interface ZodPart {
  readonly _zod: {
    readonly def: {
      readonly type: string;
      readonly coerce?: boolean;
      readonly in?: ZodPart;
      readonly shape?: Readonly<Record<string, z.ZodType>>;
      readonly checks?: readonly ZodPart[];
      readonly check?: string;
      readonly pattern?: RegExp;
    };
  };
}

/** Takes back what the JSON schema says and the schema itself does not hold to. */
function widen(schema: ZodPart, json: Json): void {
  const { def } = schema._zod;
  // What is changed before it is looked at may be written in any way.
  if (def.coerce === true || def.type === "catch" || def.in?._zod.def.type === "transform")
    leaveOut(json, (key) => !annotations.has(key));
  const checks = (def.checks ?? []).map((check) => check._zod.def);
  if (checks.some(({ check }) => check === "overwrite")) leaveOut(json, (key) => limits.has(key));
  widenPatterns(
    [def, ...checks].flatMap(({ pattern }) => pattern ?? []),
    json,
  );
  // 0.3 is a multiple of 0.1 for zod, and for few others.
  if (!Number.isInteger(json.multipleOf ?? 1)) delete json.multipleOf;
  if (def.shape !== undefined && Array.isArray(json.required))
    json.required = json.required.filter((key) => !mayBeAbsent(def.shape?.[String(key)]));
}

const annotations: ReadonlySet<string> = new Set(["title", "description", "default", "examples", "x-type"]);

const limits: ReadonlySet<string> = new Set([
  ...["pattern", "format", "contentEncoding", "allOf", "minLength", "maxLength", "minItems", "maxItems"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
]);

function leaveOut(json: Json, which: (key: string) => boolean): void {
  for (const key of Object.keys(json)) if (which(key)) delete json[key];
}

function widenPatterns(patterns: readonly RegExp[], json: Json): void {
  // JSON schema knows no flags, and reads every pattern as with the flag u.
  const other = patterns.some(({ flags, source }) => /[imsv]/.test(flags) || !readsWithU(source));
  // Several patterns stand as allOf, and nothing else of a text does.
  if (other) leaveOut(json, (key) => key === "pattern" || (key === "allOf" && json.type === "string"));
  // A format is what each validator takes it for; the pattern beside it is exact.
  if (patterns.length > 0) delete json.format;
}

function readsWithU(source: string): boolean {
  try {
    return new RegExp(source, "u").unicode;
  } catch {
    return false;
  }
}

/** Asked itself: a `catch` or a transform may well make a value out of none. */
function mayBeAbsent(option: z.ZodType | undefined): boolean {
  try {
    return option?.safeParse(undefined).success === true;
  } catch {
    return false;
  }
}

/** Keys whose values are data, not schemas. */
const data: ReadonlySet<string> = new Set(["default", "const", "enum", "examples"]);

/** Moves our own word for what a value may be into its description, which an editor shows. */
function inPlainWords(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(inPlainWords);
  if (typeof json !== "object" || json === null) return json;
  const { "x-type": type, description, ...rest } = json as Json;
  const said = typeof type === "string" ? [description, `(${type})`].filter(Boolean).join(" ") : description;
  const entries = Object.entries(rest).map(([key, value]) => {
    if (data.has(key)) return [key, value];
    return [key, inPlainWords(key === "allOf" && Array.isArray(value) ? value.map(opened) : value)];
  });
  return {
    ...(said === undefined ? {} : { description: inPlainWords(said) }),
    ...Object.fromEntries(entries),
  };
}

/** Each of several maps that are one forbids what the others allow: zod asks all of them before it calls a key unknown. */
function opened(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  const { additionalProperties, anyOf, oneOf, ...rest } = json as Json;
  return {
    ...rest,
    ...(additionalProperties !== false && additionalProperties !== undefined && { additionalProperties }),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.map(opened) }),
    // Opened, they may well fit at the same time.
    ...(Array.isArray(oneOf) && { anyOf: oneOf.map(opened) }),
  };
}
