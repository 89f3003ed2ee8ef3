/** What status says of a plugin that cannot be used: what went wrong, once and in whole words, and by its code. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { statusText } from "../src/cli/status-text.js";
import { pluginError } from "../src/errors/plugins.js";
import { standIn } from "../src/plugin/stand-in.js";
import { nodeStatus } from "./status-kit.js";

const entry = { plugin: "nowhere", options: {}, at: "fences[0]" };

function described(what: string): string {
  const place = `/check/${"a-folder-of-many/".repeat(20)}understudy.yaml:12:5`;
  const details = { place, key: "fences[0]", plugin: "nowhere" };
  const problem = pluginError("PLUGIN_NOT_FOUND", `${place}  fences[0]: ${what}`, { details });
  return standIn(entry, "fence", problem, "node").plugin.make({}, {}).describe();
}

test("the reason is whole, however long the path of the config file is", () => {
  const what = "there is no package @acme/nowhere, seen from /usr/lib/understudy, /etc/understudy/plugins";
  assert.equal(described(what), `not used: ${what} [PLUGIN_NOT_FOUND]`);
});

test("a reason without end is cut at a word, shows it and keeps its code", () => {
  const said = described("word ".repeat(1000));
  assert.match(said, /^not used: (word )+… \[PLUGIN_NOT_FOUND\]$/);
  assert.ok(said.length > 300 && said.length <= 500, `${said.length} characters`);
  assert.match(described(`it has ${"x".repeat(1000)}`), /^not used: it has x{300,} … \[PLUGIN_NOT_FOUND\]$/);
});

test("status says it once of an arbiter and of a fence, also when they were asked", () => {
  const reason = described("there is no package @acme/nowhere");
  const asked = { verdict: "unknown", why: reason, saidMsAgo: 1000 } as const;
  const text = statusText(
    nodeStatus({
      node: {
        arbiters: [{ name: "there", exclusive: true, description: reason, problem: undefined, ...asked }],
        fences: [
          {
            name: "nowhere",
            description: reason,
            problem: reason,
            last: { outcome: "unknown", detail: reason, finishedMsAgo: 1000 },
            firing: false,
          },
        ],
      },
    }),
  );
  assert.match(text, /there \(exclusive\): not used: .*\[PLUGIN_NOT_FOUND\]; unknown .* ago$/m);
  assert.match(text, /nowhere: CANNOT BE USED: not used: .*\[PLUGIN_NOT_FOUND\]; fired .* ago, unknown$/m);
  assert.equal(text.split(reason).length - 1, 2);
});
