/**
 * Turns what the schema objects to into sentences for a person: where, what was found, what is allowed, and the word
 * that was probably meant. The same for the core's own keys and for a plugin's options.
 */

import { z } from "zod";
import { type KeyPath, keyText, placeOf, type YamlText } from "./places.js";
import { nearestWord } from "./words.js";

export interface Mistake {
  /** "file:line:column" */
  readonly place: string;
  /** "heartbeat.paths[1].class" */
  readonly key: string;
  /** What is wrong, what was found, what is allowed. */
  readonly what: string;
}

export interface Objection {
  readonly path: KeyPath;
  /** Whether the key itself is wrong or its value. */
  readonly of: "key" | "value";
  readonly what: string;
}

export function mistakeAt(yaml: YamlText, { path, of, what }: Objection): Mistake {
  return { place: placeOf(yaml, path, of), key: keyText(path), what };
}

/** One line a mistake, in the order in which they stand in the file. */
export function formatMistakes(mistakes: readonly Mistake[]): string {
  return mistakes
    .map(({ place, key, what }) => `  ${place}  ${key === "" ? "" : `${key}: `}${what}`)
    .join("\n");
}

/** In the order of the lines of the file. */
export function inFileOrder(mistakes: readonly Mistake[]): readonly Mistake[] {
  const position = ({ place }: Mistake): readonly [number, number] => {
    const [column, line] = place.split(":").reverse();
    return [Number(line), Number(column)];
  };
  return [...mistakes].sort((a, b) => {
    const [lineA, columnA] = position(a);
    const [lineB, columnB] = position(b);
    return lineA - lineB || columnA - columnB;
  });
}

/** What a schema objects to in `value`, which stands at `base` in the file. */
export function objectionsOf(
  error: z.ZodError,
  value: unknown,
  schema: z.ZodType,
  base: KeyPath = [],
): readonly Objection[] {
  const shape = jsonSchemaOf(schema);
  return error.issues.flatMap((issue) => objections(issue, [], value, shape, base));
}

function objections(
  issue: z.core.$ZodIssue,
  prefix: KeyPath,
  root: unknown,
  shape: JsonShape | undefined,
  base: KeyPath,
): readonly Objection[] {
  const inner: KeyPath = [
    ...prefix,
    ...issue.path.map((step) => (typeof step === "number" ? step : String(step))),
  ];
  const path = [...base, ...inner];
  const found = valueAt(root, inner);
  switch (issue.code) {
    case "unrecognized_keys": {
      const allowed = keysAt(shape, inner);
      return issue.keys.map((key) => ({ path: [...path, key], of: "key", what: unknownWord(key, allowed) }));
    }
    case "invalid_union": {
      const branch = bestBranch(issue.errors, found);
      if (branch !== undefined) return branch.flatMap((one) => objections(one, inner, root, shape, base));
      return [
        {
          path,
          of: "value",
          what: wrongType(
            issue.errors.flat().filter(({ path: at }) => at.length === 0),
            found,
          ),
        },
      ];
    }
    case "invalid_key":
      return [{ path, of: "key", what: `the name ${issue.issues.map(({ message }) => message).join("; ")}` }];
    case "invalid_type":
      return [{ path, of: "value", what: wrongType([issue], found) }];
    case "invalid_value":
      return [{ path, of: "value", what: wrongValue(issue.values.map(String), found, inner) }];
    default:
      return [{ path, of: "value", what: `${sentence(issue)}; found ${describe(found, inner)}` }];
  }
}

/** The branch of a union that the writer most likely meant: the one whose outermost type fits what was found. */
function bestBranch(
  branches: readonly (readonly z.core.$ZodIssue[])[],
  found: unknown,
): readonly z.core.$ZodIssue[] | undefined {
  const fits = branches.filter(
    (issues) => !issues.some(({ code, path }) => code === "invalid_type" && path.length === 0),
  );
  // Words of an enum are a better answer than a text that was not matched for another reason.
  const ofWords = fits.find(
    (issues) => typeof found === "string" && issues.some(({ code }) => code === "invalid_value"),
  );
  if (ofWords !== undefined) return ofWords;
  return fits.filter(
    (issues) =>
      !(
        typeof found === "object" &&
        issues.some(({ code, path }) => code === "invalid_value" && path.length === 0)
      ),
  )[0];
}

function sentence(issue: z.core.$ZodIssue): string {
  if (!issue.message.startsWith("Too ") && !issue.message.startsWith("Invalid ")) return issue.message;
  if (issue.code === "too_small") return `must be at least ${issue.minimum}`;
  if (issue.code === "too_big") return `must be at most ${issue.maximum}`;
  if (issue.code === "not_multiple_of") return `must be a multiple of ${issue.divisor}`;
  return issue.message.replace(/^Invalid (input|string)?:? ?/, "must match: ");
}

function unknownWord(word: string, allowed: readonly string[]): string {
  const near = nearestWord(word, allowed);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return `no such key${hint} (allowed here: ${allowed.join(", ") || "nothing"})`;
}

function wrongValue(allowed: readonly string[], found: unknown, path: KeyPath): string {
  const near = typeof found === "string" ? nearestWord(found, allowed) : undefined;
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return `must be ${orList(allowed)}; found ${describe(found, path)}${hint}`;
}

const typeWords: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a map of keys",
  record: "a map of names",
  array: "a list",
  null: "nothing",
};

function wrongType(issues: readonly z.core.$ZodIssue[], found: unknown): string {
  const expected = issues.flatMap((issue) => {
    if (issue.code === "invalid_type") return [typeWords[issue.expected] ?? issue.expected];
    return issue.code === "invalid_value" ? issue.values.map(String) : [];
  });
  const allowed = orList([...new Set(expected)]);
  if (found === undefined) return `is missing: it must be ${allowed}`;
  return `must be ${allowed}; found ${describe(found, [])}`;
}

function orList(words: readonly string[]): string {
  return words.length < 2
    ? (words[0] ?? "something else")
    : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

const secretName = /secret|password|passphrase|token|credential|psk|key$/i;

/** What was found, short; never a secret. */
export function describe(found: unknown, path: KeyPath): string {
  if (path.some((step) => typeof step === "string" && secretName.test(step)))
    return "a value that is not shown";
  if (found === undefined || found === null) return "nothing";
  if (Array.isArray(found)) return found.length === 0 ? "an empty list" : `a list of ${found.length}`;
  if (typeof found === "object") return "a map of keys";
  const text = typeof found === "string" ? JSON.stringify(found) : String(found);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function valueAt(root: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    return (value as Readonly<Record<string | number, unknown>>)[step];
  }, root);
}

// --------------------------------------------------------------------------------------------- the shape as JSON schema

/** As much of a JSON schema as is read here. */
export interface JsonShape {
  readonly description?: string;
  readonly type?: string | readonly string[];
  /** What a value may be, in words, where JSON schema has none for it. */
  readonly "x-type"?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonShape>>;
  readonly additionalProperties?: JsonShape | boolean;
  readonly items?: JsonShape;
  readonly anyOf?: readonly JsonShape[];
  readonly allOf?: readonly JsonShape[];
  readonly oneOf?: readonly JsonShape[];
}

const shapes = new WeakMap<z.ZodType, JsonShape>();

/** Undefined for a schema that JSON cannot express: hints are then left out. */
export function jsonSchemaOf(schema: z.ZodType): JsonShape | undefined {
  try {
    const shape =
      shapes.get(schema) ??
      (z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" }) as JsonShape);
    shapes.set(schema, shape);
    return shape;
  } catch {
    return undefined;
  }
}

function keysAt(shape: JsonShape | undefined, path: KeyPath): readonly string[] {
  const found = path.reduce<readonly JsonShape[]>(
    (current, step) => current.flatMap((one) => below(one, step)),
    alternatives(shape),
  );
  return [...new Set(found.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function below(shape: JsonShape, step: string | number): readonly JsonShape[] {
  if (typeof step === "number") return alternatives(shape.items);
  const named = shape.properties?.[step];
  if (named !== undefined) return alternatives(named);
  return typeof shape.additionalProperties === "object" ? alternatives(shape.additionalProperties) : [];
}

/** The shape itself and everything it may be instead. */
export function alternatives(shape: JsonShape | undefined): readonly JsonShape[] {
  if (shape === undefined) return [];
  const others = [...(shape.anyOf ?? []), ...(shape.allOf ?? []), ...(shape.oneOf ?? [])];
  return [shape, ...others.flatMap(alternatives)];
}
