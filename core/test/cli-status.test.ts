/**
 * What `status` and `status --check` say of the states that an operator meets. The whole text is kept in
 * golden/status.txt: UNDERSTUDY_REWRITE=1 writes it anew, and the diff is read by a person.
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkStatus } from "../src/cli/status-check.js";
import { statusText } from "../src/cli/status-text.js";
import { nodeStatus, states } from "./status-kit.js";

const golden = fileURLToPath(new URL("../../test/golden/status.txt", import.meta.url));

test("the text of every state is the one that was read and approved", () => {
  const text = Object.entries(states)
    .map(([name, status]) => {
      const { code, line } = checkStatus(status);
      return `=== ${name}\n${statusText(status)}\n--- exit code ${code}\n${line}\n`;
    })
    .join("\n");
  if (process.env.UNDERSTUDY_REWRITE === "1") writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, "utf8"));
});

test("monitoring hears what clients notice as critical, and what weakens the pair as a warning", () => {
  const codes = Object.fromEntries(
    Object.entries(states).map(([name, status]) => [name, checkStatus(status).code]),
  );
  assert.deepEqual(codes, {
    active: 0,
    "standby in sync": 0,
    "standby stale": 1,
    alone: 1,
    "waiting to fail back": 1,
    maintenance: 1,
    "service fails": 2,
    "pulse gone": 2,
    "pulse hangs": 2,
    "waiting for an arbiter": 2,
    "no sessions kept": 0,
  });
});

test("a pair of which nobody serves is critical on both nodes", () => {
  const standby = nodeStatus({ pulse: { role: "standby", epoch: 0 }, peer: { role: "standby" } });
  assert.equal(checkStatus(standby).code, 2);
  assert.match(checkStatus(standby).line, /nobody serves/);
});

test("the line for monitoring is one line", () => {
  for (const status of Object.values(states)) assert.ok(!checkStatus(status).line.includes("\n"));
});
