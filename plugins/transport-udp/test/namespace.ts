/**
 * Runs a test file in a network namespace of its own, where it may take interfaces down and name addresses as it
 * likes. The file starts itself again inside; outside, one test waits for the result.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const marker = "UNDERSTUDY_TEST_NAMESPACE";

/** True inside, with nothing but a downed loopback. False outside, after declaring the test that runs the inside. */
export function insideNamespace(file: string): boolean {
  if (process.env[marker] === "yes") return true;
  test("in a network namespace of its own", async () => {
    // A runner started inside another test would report to that one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(
      "unshare",
      ["-rn", process.execPath, "--enable-source-maps", "--test-reporter=tap", fileURLToPath(file)],
      { env: { ...env, [marker]: "yes" }, stdio: ["ignore", "pipe", "pipe"] },
    );
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    const code = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const text = Buffer.concat(output).toString();
    assert.equal(code, 0, text);
    assert.match(text, /^# pass [1-9]/m, "something was tested inside");
    assert.match(text, /^# skipped 0/m, "nothing was skipped inside");
  });
  return false;
}

export function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
