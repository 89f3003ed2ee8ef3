/**
 * The session database and the tokens as an operator handles them, on both nodes of a real pair, and what is left of
 * them after the node that took them has died (G3, R20).
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { PairNode } from "../lab/pair.js";
import { patientReplication } from "./broker.js";
import { waitForRole, withPair } from "./fixture.js";

async function cli(node: PairNode, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await node.cli(...args);
  assert.equal(code, 0, `${args.join(" ")}: ${out}${err}`);
  return out;
}

function idOf(number: number): string {
  return String(number).padStart(26, "0");
}

function lineOf(number: number): string {
  return JSON.stringify({
    id: idOf(number),
    user: `user${number}`,
    agent: "agent1",
    createdAt: "2026-01-01T00:00:00.000Z",
    attributes: { display: String(number) },
    state: "running",
  });
}

test("sessions imported on one node are on the other, also after the first has died", async () => {
  await withPair({ config: { replication: patientReplication } }, async (pair) => {
    const [primary, secondary] = [pair.node("primary"), pair.node("secondary")];
    const file = join(pair.folder, "sessions.jsonl");
    writeFileSync(file, Array.from({ length: 700 }, (_, number) => lineOf(number)).join("\n"));
    assert.match(
      await cli(primary, "sessions", "import", file),
      /^700 added, 0 known already, 0 not understood/,
    );
    assert.match(await cli(primary, "sessions", "import", file), /^0 added, 700 known already/);
    assert.match(await cli(primary, "sessions", "end", idOf(5)), /is ended \(replicated\)/);
    const refused = await secondary.cli("sessions", "end", idOf(6));
    assert.equal(refused.code, 1);
    assert.match(refused.err, /NODE_SESSION_REFUSED/);
    primary.signal("SIGKILL");
    await waitForRole(pair, "secondary", "active");
    const out = join(pair.folder, "export.jsonl");
    await cli(secondary, "sessions", "export", out);
    const kept = readFileSync(out, "utf8").trim().split("\n");
    assert.equal(kept.length, 700);
    const states = new Map(
      kept.map((line) => {
        const { id, state } = JSON.parse(line) as { id: string; state: string };
        return [id, state];
      }),
    );
    assert.equal(states.get(idOf(5)), "ended");
    assert.equal(states.get(idOf(6)), "running");
  });
});

test("a token made on one node is known on the other, and a revocation comes back", async () => {
  await withPair({}, async (pair) => {
    const [primary, secondary] = [pair.node("primary"), pair.node("secondary")];
    const made = JSON.parse(await cli(primary, "token", "create", "portal", "--json")) as {
      id: string;
      token: string;
    };
    assert.match(made.token, new RegExp(`^usk_${made.id}_`));
    await pair.waitFor(
      async () => (await cli(secondary, "token", "list")).includes(made.id),
      "the token on the other node",
    );
    await cli(secondary, "token", "revoke", made.id);
    await pair.waitFor(
      async () => /revoked/.test(await cli(primary, "token", "list")),
      "the revocation on the first node",
    );
    assert.ok(!readFileSync(join(primary.folder, "state", "tokens.json"), "utf8").includes(made.token));
  });
});

test("a node process that is stopped hands over first, and a pulse that ended in order is not withdrawn for", async () => {
  await withPair({}, async (pair) => {
    const primary = pair.node("primary");
    await primary.end("node");
    await waitForRole(pair, "secondary", "active");
    const dead = await primary.cli("status");
    assert.equal(dead.code, 3);
    assert.match(dead.err, /CLI_ONLY_PULSE/);
    await primary.start("node");
    await pair.settled("primary");
    await primary.end("pulse");
    await waitForRole(pair, "secondary", "active");
    const gone = await primary.cli("status", "--check");
    assert.equal(gone.code, 2);
    assert.match(gone.out, /^UNDERSTUDY CRITICAL - pulse is not running/);
    const timeline = await cli(primary, "timeline", "--local");
    assert.match(timeline, /releasing -> standby/);
    assert.doesNotMatch(timeline, /withdrawal/);
  });
});
