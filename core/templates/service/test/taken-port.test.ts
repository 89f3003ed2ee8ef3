/** Your own tests stand beside the suite: here, that a port in use is a failed promote, and no crash. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { recordingLog } from "@understudy/core/conformance/capabilities";
import { echoService } from "../src/echo-service.ts";

test("a port that somebody else has is a failed promote; free again, it serves", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const service = echoService({ host: "127.0.0.1", port, log: recordingLog() });
  await assert.rejects(service.promote(1), { code: "EADDRINUSE" });
  assert.equal(await service.health(), "failing");
  other.close();
  await once(other, "close");
  await service.promote(1);
  assert.equal(await service.health(), "healthy");
  await service.stop();
});
