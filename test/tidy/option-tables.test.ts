/**
 * The tables of options in the plugins' READMEs against the schemas that judge the options: every option stands in its
 * README, no table names one that does not exist, and defaults are the same.
 */

import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { optionsOf } from "@understudy/core/internal/config/options";
import type { z } from "@understudy/core/public";
import { readPages } from "./pages.js";
import { root } from "./source-files.js";

interface Row {
  readonly names: readonly string[];
  readonly cells: readonly string[];
}

/** Rows of the tables whose heading begins with "option"; of a nested thing, with "of a route", under any path. */
function rowsOf(text: string): readonly Row[] {
  const tables = [...text.matchAll(/^\| (?:option|of a)[^\n]*\n\|[-| ]+\n((?:\|[^\n]*\n?)+)/gm)];
  return tables.flatMap(([, body = ""]) =>
    body
      .trim()
      .split("\n")
      .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
      .map(([, first = "", ...cells]) => ({
        names: [...first.matchAll(/`([\w.[\]]+)`/g)].map(([, name = ""]) => name),
        cells,
      })),
  );
}

const plain = (text: string) => text.replace(/^`|`$/g, "").replace(/^"|"$/g, "");

for (const path of globSync("plugins/*/package.json", { cwd: root }).sort()) {
  const name = path.split("/")[1] ?? "";
  test(`${name}: the README has its options, with their defaults`, async () => {
    const module = pathToFileURL(join(root, "plugins", name, "dist/src/plugin.js")).href;
    const { default: plugin } = (await import(module)) as { default: { config: z.ZodType } };
    const options = optionsOf(plugin.config);
    const page = readPages().find((one) => one.path === `plugins/${name}/README.md`);
    assert.ok(page);
    const top = options.filter((option) => !/[.[]/.test(option.path));
    assert.deepEqual(
      top.filter(
        (option) => !page.text.includes(`\`${option.path}\``) && !page.text.includes(`\`${option.path}.`),
      ),
      [],
      "options that the README does not name",
    );
    const rows = rowsOf(page.text);
    assert.ok(top.length === 0 || rows.length > 0, "there is a table of options");
    const matching = (named: string) =>
      options.filter((option) => option.path === named || option.path.replace(/^.*\]\./, "") === named);
    const unknown = rows.flatMap(({ names }) => names).filter((named) => matching(named).length === 0);
    assert.deepEqual(unknown, [], "options that do not exist");
    const wrong = rows.flatMap(({ names, cells: [said = ""] }) =>
      names.flatMap((named) => {
        const [first] = matching(named);
        const says = said.split(", ").length === names.length ? said.split(", ")[names.indexOf(named)] : said;
        const fallback = first?.fallback;
        if (fallback === undefined || /^[[{]/.test(fallback)) return [];
        return plain(says ?? "") === plain(fallback) ? [] : [`${named}: ${says}, and it is ${fallback}`];
      }),
    );
    assert.deepEqual(wrong, [], "defaults");
  });
}
