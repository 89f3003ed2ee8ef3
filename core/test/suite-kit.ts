/**
 * For the tests of the conformance suites: a plugin that is wrong in one way is refused, and by the test that is there for
 * it. A suite that accepts what breaks the contract is worse than none, since its author trusts it.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { impatiently } from "@understudy/core/conformance/until";

export type Named<Work> = readonly (readonly [name: string, work: Work])[];

/** What the suite does under that name; throws where it has no such test. */
export function workOf<Work>(tests: Named<Work>, name: string): Work {
  const found = tests.find(([called]) => called === name);
  assert.ok(found, `the suite has no test "${name}"`);
  return found[1];
}

/** `why`: what the refusal has to say, so that a plugin is not refused for something else. */
export function refuses(wrong: string, why: RegExp, run: () => unknown): void {
  test(`refuses one that ${wrong}`, () =>
    impatiently(3000, async () => {
      await assert.rejects(
        async () => run(),
        (error) => {
          assert.match(String(error), why);
          return true;
        },
      );
    }));
}
