/**
 * What every plugin must show of its definition, whatever its kind: the host accepts it, and people find out from it
 * what its options are. A part of `understudy plugin test`.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jsonSchemaOf } from "../config/mistakes.js";
import { optionsOf } from "../config/options.js";
import { definitionFaults } from "../plugin/check-definition.js";
import type { Plugin } from "../plugin/define-plugin.js";

export function definitionConformance(exported: unknown): void {
  describe("its definition", () => {
    test("the host accepts it", () =>
      assert.deepEqual(
        definitionFaults(exported).map(({ code, what }) => `${what} [${code}]`),
        [],
      ));
    const { config } = exported as Plugin;
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
