/**
 * From the text of a config file to a Config, or to one error that names every mistake with its place. Pure: reads no
 * file and knows nothing of the machine.
 */

import { isMap, isScalar, visit } from "yaml";
import { configError } from "../errors/config.js";
import { disagreements } from "./agreement.js";
import { assembleConfig } from "./assemble.js";
import type { Config } from "./config.js";
import { formatMistakes, inFileOrder, type Mistake, mistakeAt, objectionsOf } from "./mistakes.js";
import { placeAt, readYaml, type YamlText } from "./places.js";
import { fileSchema } from "./schema.js";

const longestText = 1024 * 1024;

/** Throws CONFIG_WRONG, with `details.mistakes`. `file` is only for the messages. */
export function parseConfig(text: string, file: string): Config {
  if (text.length > longestText) {
    throw wrong(file, [
      { place: `${file}:1:1`, key: "", what: "is longer than 1 MiB, which no config needs" },
    ]);
  }
  const { yaml, value, mistakes } = readValue(text, file);
  if (mistakes.length > 0 && value === undefined) throw wrong(file, mistakes);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const what = value === null ? "is empty" : "is not a map of keys";
    throw wrong(file, [
      { place: `${file}:1:1`, key: "", what: `${what}: it must begin with cluster, nodes and haAddress` },
    ]);
  }
  const parsed = fileSchema.safeParse(value);
  const objections = [
    ...(parsed.success ? [] : objectionsOf(parsed.error, value, fileSchema)),
    ...disagreements(value),
  ];
  const all = [...mistakes, ...objections.map((one) => mistakeAt(yaml, one))];
  if (!parsed.success || all.length > 0) throw wrong(file, all);
  return assembleConfig(parsed.data);
}

interface Read {
  readonly yaml: YamlText;
  /** Undefined when nothing of it can be used. */
  readonly value: unknown;
  readonly mistakes: readonly Mistake[];
}

function readValue(text: string, file: string): Read {
  let yaml: YamlText;
  try {
    yaml = readYaml(text, file);
  } catch (error) {
    // The parser recurses: a text of ten thousand brackets ends its stack.
    throw wrong(file, [
      { place: `${file}:1:1`, key: "", what: `cannot be read as YAML: ${(error as Error).message}` },
    ]);
  }
  const { errors, warnings } = yaml.document;
  const mistakes = [...errors, ...warnings].map(({ pos, message }) => ({
    place: placeAt(yaml, pos[0]),
    key: "",
    what: message,
  }));
  const broken = errors.some(({ code }) => code !== "DUPLICATE_KEY");
  if (broken) return { yaml, value: undefined, mistakes };
  try {
    const odd = oddKeys(yaml);
    if (odd.length > 0) return { yaml, value: undefined, mistakes: [...mistakes, ...odd] };
    return { yaml, value: yaml.document.toJS({ maxAliasCount: 100 }) as unknown, mistakes };
  } catch (error) {
    const what = `cannot be read as YAML: ${(error as Error).message}`;
    return { yaml, value: undefined, mistakes: [...mistakes, { place: `${file}:1:1`, key: "", what }] };
  }
}

/** Keys that are lists, maps or nothing: YAML allows them, no option is called so. */
function oddKeys(yaml: YamlText): readonly Mistake[] {
  const found: Mistake[] = [];
  visit(yaml.document, {
    Map(_, map) {
      for (const { key } of isMap(map) ? map.items : []) {
        if (isScalar(key) && key.value !== null && typeof key.value !== "object") continue;
        const offset = isScalar(key) || isMap(key) ? (key.range?.[0] ?? 0) : (map.range?.[0] ?? 0);
        found.push({ place: placeAt(yaml, offset), key: "", what: "a key must be a word" });
      }
    },
  });
  return found;
}

function wrong(file: string, mistakes: readonly Mistake[]): Error {
  const sorted = inFileOrder(mistakes);
  const count = sorted.length === 1 ? "a mistake" : `${sorted.length} mistakes`;
  return configError("CONFIG_WRONG", `${file} has ${count}:\n${formatMistakes(sorted)}`, {
    details: { mistakes: sorted },
  });
}
