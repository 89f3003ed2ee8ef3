/**
 * Reads the two text formats as strictly as their descriptions are (prometheus.io, "Exposition formats"; OpenMetrics
 * 1.0.0): order, names, escapes, types, duplicates. What it does not understand is an error.
 */

import assert from "node:assert/strict";
import type { Format } from "../src/exposition.js";

export interface Parsed {
  /** By family, without `_total`. */
  readonly types: ReadonlyMap<string, string>;
  /** "name{label="value"}" in the order of the text. */
  readonly samples: ReadonlyMap<string, number>;
}

const metricName = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const sampleLine = new RegExp(`^(${metricName})(\\{${label}(?:,${label})*\\})? (\\S+)$`);

export function parse(text: string, format: Format): Parsed {
  assert.ok(text.endsWith("\n"), "the last line has an end");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics") assert.equal(lines.pop(), "# EOF");
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  let family: { readonly name: string; type: string | undefined } | undefined;
  for (const line of lines) {
    const help = /^# HELP (\S+) \S/.exec(line);
    const type = /^# TYPE (\S+) (gauge|counter)$/.exec(line);
    if (help?.[1] !== undefined) {
      const name = help[1];
      if (format === "text") assert.doesNotMatch(line.slice(7), /\\[^\\n]/, line);
      family = { name, type: undefined };
    } else if (type?.[1] !== undefined && type[2] !== undefined) {
      assert.equal(type[1], family?.name, `TYPE follows its HELP: ${line}`);
      const plain = format === "text" && type[2] === "counter" ? withoutTotal(type[1]) : type[1];
      assert.ok(!types.has(plain), `one family a name: ${plain}`);
      types.set(plain, type[2]);
      family = { name: type[1], type: type[2] };
    } else {
      const [, name = "", labels = "", value = ""] =
        sampleLine.exec(line) ?? assert.fail(`not a sample: ${line}`);
      const expected =
        family?.type === "counter" && format === "openmetrics" ? `${family.name}_total` : family?.name;
      assert.equal(name, expected, `a sample of its family: ${line}`);
      assert.ok(!samples.has(name + labels), `a series once: ${line}`);
      assert.match(value, /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/, line);
      samples.set(name + labels, Number(value));
    }
  }
  return { types, samples };
}

function withoutTotal(name: string): string {
  assert.match(name, /_total$/, "a counter ends with _total");
  return name.slice(0, -"_total".length);
}
