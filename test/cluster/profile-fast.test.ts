/** The same power loss with `profile: fast`, whose beats and dead time are a quarter (R11). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAnsweredLast, assertNeverTwo, waitForRole, watched, withPair } from "./fixture.js";

test("R11: with the fast profile the standby takes over, and the primary takes back", async () => {
  await withPair({ config: { heartbeat: { profile: "fast" } } }, async (pair) => {
    const result = await watched(pair, async () => {
      await pair.losePower("primary");
      await waitForRole(pair, "secondary", "active");
      await pair.returnPower("primary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
    const { code, out } = await pair.node("secondary").cli("timeline", "--local");
    assert.equal(code, 0);
    assert.match(out, /the active node is dead/, "it was judged dead, not asked to go");
  });
});
