/**
 * Transports from outside that block, one in each process of a real pair: they are named, the one in pulse is taken out
 * of service, and neither moves the service or ends a process.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { TimelineEntry } from "@understudy/core/public";
import type { Pair } from "../lab/pair.js";
import { withPair } from "./fixture.js";

const plugin = (name: string) => fileURLToPath(new URL(`../lab/${name}.js`, import.meta.url));
const paths = [
  { plugin: "udp", class: "client" },
  { plugin: plugin("blocks-in-pulse"), name: "blocks-pulse", class: "private" },
  { plugin: plugin("blocks-in-node"), name: "blocks-node", class: "private" },
];

async function entriesOf(pair: Pair, code: string): Promise<readonly string[]> {
  const { out } = await pair.node("primary").cli("timeline", "--json", "--local");
  return out
    .split("\n")
    .filter((line) => line.includes(code))
    .map((line) => (JSON.parse(line) as TimelineEntry).what);
}

test("transports that block are named, the one in pulse is taken out, and nothing moves", async () => {
  await withPair({ config: { heartbeat: { paths } } }, async (pair) => {
    const { epoch } = (await pair.node("primary").status())?.pulse ?? {};
    const line = async () =>
      (await pair.node("primary").status())?.pulse?.paths.find(({ name }) => name === "blocks-pulse")
        ?.description;
    await pair.waitFor(
      async () => /^taken out: its send blocked for \d+ ms; tried again in/.test((await line()) ?? ""),
      "status shows that the blocking transport is taken out",
    );
    const named = async (code: string, pattern: RegExp) =>
      pair.waitFor(
        async () => (await entriesOf(pair, code)).some((what) => pattern.test(what)),
        `the timeline names it: ${pattern}`,
      );
    await named(
      "PLUGIN_BLOCKS",
      /^path blocks-pulse is taken out of service for 10 min.*: its send blocked for/,
    );
    await named("NODE_STALLED", /: transport of path blocks-node held it in send for \d+ ms$/);
    const alarm = async () =>
      (await pair.node("primary").status())?.pulse?.alarms.find(({ code }) => code === "PLUGIN_BLOCKS")
        ?.detail;
    const both =
      /transport of path blocks-pulse holds pulse up: .*transport of path blocks-node holds node up: /;
    await pair.waitFor(async () => both.test((await alarm()) ?? ""), "one alarm names both");
    const { code, out } = await pair.node("primary").cli("status", "--check");
    assert.equal(code, 1, "a warning for monitoring");
    assert.match(out, /PLUGIN_BLOCKS: .*report it to the author of the plugin/);
    const [primary, secondary] = await Promise.all([
      pair.node("primary").status(),
      pair.node("secondary").status(),
    ]);
    assert.deepEqual([primary?.pulse?.role, secondary?.pulse?.role], ["active", "standby"]);
    assert.equal(primary?.pulse?.epoch, epoch, "nothing moved");
  });
});
