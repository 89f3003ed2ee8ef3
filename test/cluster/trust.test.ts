/**
 * Who belongs to the pair and whether both read the same config: foreign keys, a key that changes, a key that others can
 * read, configs that differ, configs that are read again (R28, R29). None of it may cost an outage.
 */

import assert from "node:assert/strict";
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { newKeyRing, readKeyFile, writeKeyFile } from "@understudy/core/internal/keys/key-file";
import { parse, stringify } from "yaml";
import { monotonicMs } from "../lab/packet-socket.js";
import type { Pair, PairNode, Side } from "../lab/pair.js";
import { assertAnsweredLast, assertNeverTwo, hasAddress, waitForRole, watched, withPair } from "./fixture.js";

async function alarms(pair: Pair, side: Side): Promise<readonly string[]> {
  return (await pair.node(side).status())?.pulse?.alarms.map(({ code }) => code) ?? [];
}

async function hasAlarm(pair: Pair, side: Side, code: string): Promise<void> {
  await pair.waitFor(async () => (await alarms(pair, side)).includes(code), `${side} raises ${code}`);
}

async function cli(node: PairNode, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await node.cli(...args);
  assert.equal(code, 0, `${args.join(" ")}: ${out}${err}`);
  return out;
}

/** Changes keys of the config file at the top level. */
function rewrite(node: PairNode, changes: Readonly<Record<string, unknown>>): void {
  const config = parse(readFileSync(node.configFile, "utf8")) as Record<string, unknown>;
  writeFileSync(node.configFile, stringify({ ...config, ...changes }));
}

async function tenure(pair: Pair) {
  const pulse = (await pair.node("primary").status())?.pulse;
  return { role: pulse?.role, since: pulse?.roleSinceMs, epoch: pulse?.epoch };
}

test("R29: a node with a foreign key takes nothing over and is told of; a key that others can read is refused", async () => {
  await withPair({ config: { aloneAfter: "1s" } }, async (pair) => {
    const [primary, secondary] = [pair.node("primary"), pair.node("secondary")];
    const ring = readKeyFile(secondary.keyFile);
    const result = await watched(pair, async () => {
      await secondary.end();
      writeKeyFile(secondary.keyFile, newKeyRing());
      await secondary.start();
      await hasAlarm(pair, "primary", "FOREIGN_BEATS");
      await hasAlarm(pair, "secondary", "FOREIGN_BEATS");
      // Three times as long as it would wait alone: beats that do not verify hold its first claim back.
      const untilMs = monotonicMs() + 3000;
      await pair.waitFor(() => monotonicMs() > untilMs, "three seconds beside a foreign node");
      await waitForRole(pair, "secondary", "joining");
      assert.equal(hasAddress(pair, "secondary"), false);

      await secondary.end();
      writeKeyFile(secondary.keyFile, ring);
      chmodSync(secondary.keyFile, 0o644);
      await secondary.start();
      await secondary.gone();
      for (const which of ["pulse", "node"] as const) assert.match(secondary.log(which), /KEY_PERMISSIONS/);
      chmodSync(secondary.keyFile, 0o600);
      await secondary.start();
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
    assert.equal((await primary.status())?.pulse?.role, "active");
  });
});

test("R29: the key is rotated by the command line on both nodes, and nothing moves", async () => {
  await withPair({}, async (pair) => {
    const [primary, secondary] = [pair.node("primary"), pair.node("secondary")];
    const before = await tenure(pair);
    const [old] = readKeyFile(primary.keyFile).keys;
    const result = await watched(pair, async () => {
      assert.match(await cli(primary, "key", "rotate"), /added key \d+/);
      copyFileSync(primary.keyFile, secondary.keyFile);
      // In turn until both say that they are done, as the help text says.
      const done = new Set<Side>();
      const turn = async (node: PairNode) => {
        if (done.has(node.side)) return;
        if (/this node is done/.test(await cli(node, "key", "rotate"))) done.add(node.side);
      };
      await pair.waitFor(async () => {
        await turn(secondary);
        await turn(primary);
        return done.size === 2;
      }, "both have retired the old key");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assert.deepEqual(await tenure(pair), before, "the primary has served all the while");
    const rings = [primary, secondary].map(({ keyFile }) => readKeyFile(keyFile));
    assert.deepEqual(rings[0], rings[1]);
    assert.equal(rings[0]?.keys.length, 1);
    assert.notDeepEqual(rings[0]?.keys[0]?.secret, old?.secret);
    // The new key carries a takeover and a return.
    await pair.losePower("primary");
    await waitForRole(pair, "secondary", "active");
    await pair.returnPower("primary");
    await pair.settled("primary");
  });
});

test("R28: configs that differ are shown, roles stay and failback is off, until a reload makes them equal", async () => {
  const failback = { mode: "auto", hold: "1s", maxHold: "1s", manualAfterLosses: 1000 };
  await withPair({ config: { failback } }, async (pair) => {
    const [primary, secondary] = [pair.node("primary"), pair.node("secondary")];
    rewrite(secondary, { failback: { ...failback, hold: "500ms" } });
    assert.match(await cli(secondary, "reload"), /in force now: failback/);
    await hasAlarm(pair, "primary", "CONFIG_DIFFERS");
    const result = await watched(pair, async () => {
      await pair.losePower("primary");
      await waitForRole(pair, "secondary", "active");
      await pair.returnPower("primary");
      await pair.waitFor(
        async () => /different configs/.test((await secondary.status())?.pulse?.failback ?? ""),
        "the secondary says why it does not hand back",
      );
      await hasAlarm(pair, "primary", "CONFIG_DIFFERS");
      assert.match(await cli(secondary, "status"), /config/i);
      rewrite(secondary, { failback });
      assert.match(await cli(secondary, "reload"), /in force now: failback/);
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    await pair.waitFor(
      async () => !(await alarms(pair, "primary")).includes("CONFIG_DIFFERS"),
      "the alarm is over",
    );
    assert.equal((await primary.status())?.pulse?.peer.configEqual, true);
  });
});

test("R28: log level, failback and observers change by a reload of both nodes, and nothing moves", async () => {
  await withPair({}, async (pair) => {
    const told = join(pair.folder, "told");
    const before = await tenure(pair);
    const result = await watched(pair, async () => {
      for (const side of ["secondary", "primary"] as const) {
        const node = pair.node(side);
        rewrite(node, {
          log: { level: "debug" },
          failback: { mode: "manual" },
          observers: [
            { plugin: "exec", hooks: [{ command: { shell: `echo "$UNDERSTUDY_KIND" >> ${told}` } }] },
          ],
        });
        const said = await cli(node, "reload");
        assert.match(said, /failback/);
        assert.match(said, /observers/);
        assert.match(said, /log/);
      }
      await pair.settled("primary");
      await pair.waitFor(
        async () => !(await alarms(pair, "primary")).includes("CONFIG_DIFFERS"),
        "both have the same config again",
      );
    });
    assertNeverTwo(result);
    assert.deepEqual(await tenure(pair), before, "the primary has served all the while");

    rewrite(pair.node("primary"), { lease: "300ms" });
    const refused = await pair.node("primary").cli("reload");
    assert.notEqual(refused.code, 0);
    assert.match(refused.err, /NODE_RELOAD_NEEDS_RESTART/);
    rewrite(pair.node("primary"), { lease: "250ms" });

    await pair.losePower("primary");
    await waitForRole(pair, "secondary", "active");
    await pair.waitFor(() => existsSync(told), "the new observer was told");
    await pair.returnPower("primary");
    await pair.waitFor(
      async () => /manual/.test((await pair.node("secondary").status())?.pulse?.failback ?? ""),
      "failback is manual now",
    );
  });
});
