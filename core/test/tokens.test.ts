/** Tokens: what is kept, what is accepted, and how two nodes' sets become one. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkToken, mergeTokens, newToken } from "../src/node/token-set.js";
import { createTokens } from "../src/node/tokens.js";
import { quietLog } from "./node-kit.js";

test("only the whole token is accepted, and nothing of it stands on the disk", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ust-"));
  const tokens = createTokens(folder, quietLog);
  await tokens.open();
  const { token, id } = await tokens.create("portal", "write");
  assert.match(token, /^usk_[0-9a-z]{10}_[0-9a-z]{32}$/);
  assert.deepEqual(tokens.verifier.verify(token), { id, name: "portal", scope: "write" });
  for (const wrong of ["", token.slice(0, -1), `${token}x`, token.toUpperCase(), `usk_${id}_`]) {
    assert.equal(tokens.verifier.verify(wrong), undefined, wrong);
  }
  const path = join(folder, "tokens.json");
  assert.ok(!readFileSync(path, "utf8").includes(token.split("_")[2] ?? token));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  rmSync(folder, { recursive: true });
});

test("tokens and revocations outlive a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ust-"));
  const before = createTokens(folder, quietLog);
  await before.open();
  const kept = await before.create("kept", "read");
  const gone = await before.create("gone", "read");
  await before.revoke(gone.id);
  const after = createTokens(folder, quietLog);
  await after.open();
  assert.equal(after.verifier.verify(kept.token)?.name, "kept");
  assert.equal(after.verifier.verify(gone.token), undefined);
  rmSync(folder, { recursive: true });
});

test("the merge is the union, and a revocation on either side wins whichever way it goes", () => {
  const one = newToken("one", "read", "2026");
  const two = newToken("two", "read", "2026");
  const mine = new Map([[one.record.id, one.record]]);
  const revoked = { ...one.record, revokedAt: "2026" };
  const merged = mergeTokens(mine, [revoked, two.record]);
  assert.equal(checkToken(merged, one.token), undefined);
  assert.equal(checkToken(merged, two.token)?.name, "two");
  assert.equal(mergeTokens(merged, [one.record, two.record]), merged);
});
