/**
 * The options of a zod schema as a flat list for people: path, type, default and description. The manual, `understudy
 * plugins show` and the error messages all say the same because all are made from the schema.
 */

import type { z } from "zod";
import { alternatives, type JsonShape, jsonSchemaOf } from "./mistakes.js";

export interface OptionText {
  /** "heartbeat.paths[].class" */
  readonly path: string;
  /** "text", "number", "standard or fast", … */
  readonly type: string;
  /** JSON text; undefined when there is none. */
  readonly fallback: string | undefined;
  readonly required: boolean;
  readonly description: string;
}

export function optionsOf(schema: z.ZodType): readonly OptionText[] {
  const shape = jsonSchemaOf(schema);
  return shape === undefined ? [] : below(shape, "");
}

function below(shape: JsonShape, prefix: string): readonly OptionText[] {
  const seen = new Set<string>();
  const shapes = alternatives(shape);
  const named = shapes.flatMap((one) =>
    Object.entries(one.properties ?? {}).flatMap(([name, property]) => {
      const path = prefix === "" ? name : `${prefix}.${name}`;
      if (seen.has(path)) return [];
      seen.add(path);
      return [optionText(path, property, one.required?.includes(name) ?? false), ...below(property, path)];
    }),
  );
  const items = shapes.flatMap(({ items: item }) => (item === undefined ? [] : below(item, `${prefix}[]`)));
  return [...named, ...items.filter(({ path }) => !seen.has(path))];
}

function optionText(path: string, shape: JsonShape, required: boolean): OptionText {
  const { default: fallback, description } = shape;
  const shown = fallback === undefined || isEmptyMap(fallback) ? undefined : JSON.stringify(fallback);
  return {
    path,
    type: typeOf(shape),
    fallback: shown,
    required: required && fallback === undefined,
    description: description ?? "",
  };
}

function isEmptyMap(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  object: "map",
  array: "list",
};

function typeOf(shape: JsonShape): string {
  if (shape["x-type"] !== undefined) return shape["x-type"];
  const types = alternatives(shape).flatMap((one) => {
    if (one.const !== undefined) return [JSON.stringify(one.const)];
    if (one.enum !== undefined) return one.enum.map(String);
    if (one.type === "array" && one.items !== undefined) return [`list of ${typeOf(one.items)}`];
    if (
      one.type === "object" &&
      typeof one.additionalProperties === "object" &&
      one.properties === undefined
    ) {
      return [`map of names to ${typeOf(one.additionalProperties)}`];
    }
    const types = one.type === undefined ? [] : [one.type].flat();
    return types.map((type) => withLimits(typeNames[type] ?? type, one));
  });
  return [...new Set(types)].join(" or ") || "anything";
}

/** JSON schema writes the limits of whole numbers themselves where a schema has none. */
function withLimits(name: string, { minimum, maximum }: JsonShape): string {
  const least = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (least !== undefined && most !== undefined) return `${name} from ${least} to ${most}`;
  if (least !== undefined) return `${name} from ${least}`;
  return most === undefined ? name : `${name} to ${most}`;
}
