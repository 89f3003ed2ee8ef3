/** Log lines are JSON, carry their fields, and never a secret. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyError } from "../src/errors/keys.js";
import { createLog } from "../src/log.js";

function capture(): { readonly lines: Record<string, unknown>[]; readonly write: (text: string) => void } {
  const lines: Record<string, unknown>[] = [];
  return { lines, write: (text) => void lines.push(JSON.parse(text)) };
}

test("a line carries level, time, the process's fields and the message", () => {
  const stream = capture();
  const log = createLog({ level: "info", fields: { node: "a", process: "node" }, stream });
  log.info({ port: 6941 }, "listening");
  log.with({ plugin: "vsm" }).warn({}, "slow");
  log.debug({}, "unseen");
  log.setLevel("debug");
  log.debug({}, "seen");
  assert.deepEqual(
    stream.lines.map(({ level, message, plugin, node }) => ({ level, message, plugin, node })),
    [
      { level: "info", message: "listening", plugin: undefined, node: "a" },
      { level: "warn", message: "slow", plugin: "vsm", node: "a" },
      { level: "debug", message: "seen", plugin: undefined, node: "a" },
    ],
  );
  assert.equal(stream.lines[0]?.port, 6941);
  assert.match(String(stream.lines[0]?.at), /^\d{4}-\d\d-\d\dT/);
});

test("secrets are left out at every depth they are likely at", () => {
  const stream = capture();
  const log = createLog({ level: "info", fields: {}, stream });
  log.info({ token: "s3cret", request: { authorization: "s3cret", body: { password: "s3cret" } } }, "asked");
  assert.ok(!JSON.stringify(stream.lines).includes("s3cret"));
  assert.ok(JSON.stringify(stream.lines).includes("(secret)"));
});

test("an expected failure is logged with what it means and what to do", () => {
  const stream = capture();
  const log = createLog({ level: "info", fields: {}, stream });
  log.error({ error: keyError("KEY_MISSING", "there is no key file x") }, "cannot start");
  log.error({ error: Object.assign(new Error("broken"), { code: "EPIPE" }) }, "odd");
  const [first, second] = stream.lines.map(({ error }) => error as Record<string, string>);
  assert.equal(first?.code, "KEY_MISSING");
  assert.match(first?.todo ?? "", /init/);
  assert.equal(second?.code, "EPIPE");
  assert.match(second?.stack ?? "", /log\.test/);
});
