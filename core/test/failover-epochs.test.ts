/**
 * Epochs: parity keeps the two sides apart for ever, and a claim is always above all that was seen.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { claimsAgainst, nextEpoch } from "../src/failover/epochs.js";

test("R16: the primary claims odd epochs and the secondary even ones, always above every epoch seen", () => {
  for (let highest = 0; highest < 100; highest += 1) {
    const primary = nextEpoch("primary", highest);
    const secondary = nextEpoch("secondary", highest);
    assert.equal(primary % 2, 1);
    assert.equal(secondary % 2, 0);
    assert.ok(primary > highest && primary <= highest + 2);
    assert.ok(secondary > highest && secondary <= highest + 2);
  }
});

test("R5: the epochs that may depose an active one are the next of the other side", () => {
  assert.deepEqual(claimsAgainst("primary", 7), [8, 10, 12, 14]);
  assert.deepEqual(claimsAgainst("secondary", 8, 2), [9, 11]);
});
