/** Your own tests stand beside the suite: here, that a timeout is a failure and not a success (rule R32). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { recordingLog } from "@understudy/core/conformance/capabilities";
import { commandFence } from "../src/command-fence.ts";

test("a command that takes too long confirms nothing", async () => {
  const fence = commandFence({ command: ["sleep", "300"], timeoutMs: 100 }, "two", recordingLog());
  const { outcome } = await fence.fence(new AbortController().signal);
  assert.equal(outcome, "unknown");
});
