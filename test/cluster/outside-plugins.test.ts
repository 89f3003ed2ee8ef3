/**
 * Plugins from outside that cannot be used: the pair runs without those it is safe without, and says so; and what a
 * former run left behind goes first, whatever a plugin's code does while it is loaded (rule R6).
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pairHaAddress } from "../lab/pair.js";
import { assertNeverTwo, hasAddress, waitForRole, watched, withPair } from "./fixture.js";

const folder = mkdtempSync(join(tmpdir(), "understudy-outside-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function plugin(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const head = 'import { definePlugin, z } from "@understudy/core/public";\n';
const broken = plugin("broken.mjs", "throw new Error('it was never tested');\n");
const tooNew = plugin(
  "too-new.mjs",
  `${head}export default { ...definePlugin({ name: "x", kind: "observer", config: z.strictObject({}), needs: {},
    create: () => ({}) }), apiVersion: 99 };\n`,
);
const slow = plugin(
  "slow.mjs",
  `${head}export default definePlugin({ name: "slow", kind: "observer", config: z.strictObject({}), needs: {},
    create: () => ({ start: () => new Promise(() => {}), async observe() {}, async stop() {}, describe: () => "slow" }) });\n`,
);

test("a broken path, a broken observer, one that is too new and one that never starts: the pair runs, and says so", async () => {
  const paths = [
    { plugin: "udp", class: "client" },
    { plugin: broken, class: "private", name: "broken" },
  ];
  const observers = [broken, tooNew, slow, "@acme/nowhere"];
  await withPair({ config: { heartbeat: { paths }, observers } }, async (pair) => {
    const status = await pair.node("primary").status();
    const path = status?.pulse?.paths.find(({ name }) => name === "broken");
    assert.match(path?.description ?? "", /not used: .*it was never tested.*\[PLUGIN_BROKEN_IMPORT\]/);
    assert.deepEqual(
      status?.observers.map(({ description }) => /\[(PLUGIN_\w+)\]$/.exec(description)?.[1] ?? description),
      ["PLUGIN_BROKEN_IMPORT", "PLUGIN_API_TOO_NEW", "slow", "PLUGIN_NOT_FOUND"],
    );
    const { out } = await pair.node("primary").cli("timeline", "--json");
    assert.match(out, /is not used: /);
    const result = await watched(pair, async () => {
      await pair.losePower("primary");
      await waitForRole(pair, "secondary", "active");
    });
    assertNeverTwo(result);
    // Whoever asks beforehand is told everything.
    const { code, out: said } = await pair.node("secondary").cli("check");
    assert.equal(code, 2);
    for (const expected of ["PLUGIN_BROKEN_IMPORT", "PLUGIN_API_TOO_NEW", "PLUGIN_NOT_FOUND"])
      assert.ok(said.includes(expected), said);
  });
});

test("R6: an address left behind is gone although the code of a transport never ends to load", async () => {
  const endless = plugin("endless.mjs", "for (;;);\n");
  const paths = [
    { plugin: "udp", class: "client" },
    { plugin: endless, class: "private" },
  ];
  await withPair({ config: { heartbeat: { paths } }, cold: true }, async (pair) => {
    pair.segment.run("primary", "ip", ["addr", "add", `${pairHaAddress}/24`, "dev", "eth0"]);
    assert.equal(hasAddress(pair, "primary"), true);
    await pair.node("primary").start("pulse");
    await pair.waitFor(() => !hasAddress(pair, "primary"), "the address is removed");
    assert.notEqual(pair.node("primary").pid("pulse"), undefined, "it still loads");
  });
});

test("without any path that can be used, pulse does not start and says why", async () => {
  await withPair({ config: { heartbeat: { paths: [broken] } }, cold: true }, async (pair) => {
    await pair.node("primary").start("pulse");
    await pair.node("primary").gone("pulse");
    assert.match(pair.node("primary").log("pulse"), /PLUGIN_BROKEN_IMPORT/);
  });
});
