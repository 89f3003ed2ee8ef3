/**
 * What every plugin must show of its definition, whatever its kind: the host accepts it, and people find out from it
 * what its options are. A part of `understudy plugin test`.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jsonSchemaOf } from "../config/mistakes.js";
import { optionsOf } from "../config/options.js";
import { apiFault, definitionFaults } from "../plugin/check-definition.js";
import type { Plugin } from "../plugin/define-plugin.js";
import type { PackageDescription } from "../plugin/description.js";

/** `description`: the package that it is in, where it is in one. */
export function definitionConformance(exported: unknown, description?: PackageDescription): void {
  describe("its definition", () => {
    test("the host accepts it", () =>
      assert.deepEqual(
        definitionFaults(exported, description?.name).map(({ code, what }) => `${what} [${code}]`),
        [],
      ));
    const { config, kind } = exported as Plugin;
    const said = description?.understudy;
    if (said !== undefined) test("its package.json says the same of it", () => saysTheSame(said, kind));
    test("an option that it does not know is refused", () => {
      const found = config.safeParse({ [unknownOption]: 1 });
      assert.ok(
        JSON.stringify(found.error?.issues ?? []).includes(unknownOption),
        "a misspelt option would be taken for none: make the schema a z.strictObject",
      );
    });
    test("editors can be told of its options", () => {
      assert.ok(jsonSchemaOf(config), "its schema cannot be expressed as a JSON schema");
    });
    test("each option says what it is for, its unit and its default", () => {
      const silent = optionsOf(config).filter(({ description }) => description === "");
      assert.deepEqual(
        silent.map(({ path }) => path),
        [],
        "options without .describe()",
      );
    });
  });
}

const unknownOption = "an-option-that-nobody-knows";

/** A host believes the package.json before the code, and refuses by it what the code would have passed with. */
function saysTheSame(
  { api, kind: saidKind }: NonNullable<PackageDescription["understudy"]>,
  kind: string,
): void {
  const fault = api === undefined ? undefined : apiFault(api);
  assert.equal(fault, undefined, `understudy.api: ${fault?.what} [${fault?.code}]`);
  if (saidKind === undefined) return;
  assert.equal(saidKind, kind, `understudy.kind says ${saidKind}, and the plugin is of kind ${kind}`);
}
