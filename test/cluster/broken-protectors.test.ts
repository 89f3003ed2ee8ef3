/**
 * Arbiters and fences that break in every way, in real pairs (R30, R32): the node says what is wrong with each and what it
 * waits for, nobody takes an address by their fault, and two never serve.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { lastAnswerer } from "../lab/outage.js";
import type { Pair, Side } from "../lab/pair.js";
import { assertAnsweredLast, assertNeverTwo, hasAddress, waitForRole, watched, withPair } from "./fixture.js";

const folder = mkdtempSync(join(tmpdir(), "understudy-broken-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A module from outside: `definition` stands in definePlugin after name and kind. */
function outside(kind: string, name: string, definition: string, also = ""): string {
  const file = join(folder, `${name}.mjs`);
  const made = `definePlugin({ name: "${name}", kind: "${kind}", config: z.strictObject({}), ${definition} })`;
  const head = 'import { capabilities, definePlugin, z } from "@understudy/core/public";';
  const text = also === "" ? made : `{ ...${made}, ${also} }`;
  writeFileSync(file, `${head}\nimport { readFileSync } from "node:fs";\nexport default ${text};\n`);
  return file;
}

const rest = "async stop() {}, describe: () => 'from outside'";
const fence = (name: string, methods: string, also = "") =>
  outside("fence", name, `needs: {}, create: () => ({ async start() {}, ${methods}, ${rest} })`, also);
const arbiter = (name: string, methods: string, also = "") =>
  outside("arbiter", name, `exclusive: true, needs: {}, create: () => ({ ${methods}, ${rest} })`, also);

async function alarm(pair: Pair, side: Side, code: string): Promise<string> {
  const { alarms = [] } = (await pair.node(side).status())?.pulse ?? {};
  return alarms.find((each) => each.code === code)?.detail ?? "";
}

test("R32: fences that are missing, too new, throw, time out, fail or answer rubbish confirm nothing; the operator can", async () => {
  const fences = [
    { plugin: "exec", command: ["/nowhere/fence"] },
    { plugin: "exec", command: ["sleep", "60"], timeoutMs: 300 },
    { plugin: "exec", command: ["false"] },
    fence("too-new", "async fence() { return { outcome: 'confirmed', detail: '' }; }", "apiVersion: 99"),
    fence("throws", "fence() { throw new Error('no such outlet'); }"),
    fence("rubbish", "async fence() { return { outcome: 'done', detail: 7 }; }"),
    "@acme/nowhere",
  ];
  const said: readonly RegExp[] = [
    / exec: refused, could not be run: .*\/nowhere\/fence/,
    / exec-2: unknown, no end within 300 ms/,
    / exec-3: unknown, exit code 1/,
    /too-new.mjs: unknown, not used: .*\[PLUGIN_API_TOO_NEW\]/,
    /throws.mjs: unknown, no such outlet/,
    /rubbish.mjs: unknown, it answered with the outcome done, which there is not/,
    /nowhere: unknown, not used: .*\[PLUGIN_NOT_FOUND\]/,
  ];
  await withPair({ config: { fences } }, async (pair) => {
    const result = await watched(pair, async () => {
      await pair.losePower("primary");
      const todo =
        /nobody takes the address before a fence has confirmed, or you have: `understudy peer confirm-dead`/;
      await pair.waitFor(
        async () => todo.test(await alarm(pair, "secondary", "FENCE_FAILED")),
        "the alarm says what to do",
      );
      let out = "";
      await pair.waitFor(async () => {
        out = (await pair.node("secondary").cli("timeline", "--local")).out;
        return said.every((each) => each.test(out));
      }, "each fence is tried and says why it failed");
      const shown = [
        /STANDBY/,
        /It would take the address, and waits: .* is tried after .* failed/,
        /CANNOT BE USED: not used: .*\[PLUGIN_API_TOO_NEW\]/,
      ];
      await pair.waitFor(async () => {
        out = (await pair.node("secondary").cli("status")).out;
        return shown.every((each) => each.test(out));
      }, "status shows what it waits for, and the fence that cannot be used");
      assert.equal(hasAddress(pair, "secondary"), false);
      const { code, err } = await pair.node("secondary").cli("peer", "confirm-dead", "--yes");
      assert.equal(code, 0, err);
      await waitForRole(pair, "secondary", "active");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "secondary");
  });
});

test("R30: exclusive arbiters that are too new, do not start, hang or answer rubbish let nobody serve, and say why", async () => {
  const ask = "ask: async () => ({ verdict: 'granted', why: 'always', untilMs: Infinity })";
  const arbiters = [
    arbiter("too-new", `async start() {}, ${ask}`, "apiVersion: 99"),
    arbiter(
      "unstarted",
      "start() { throw new Error('no licence'); }, async ask() { throw new Error('not started'); }",
    ),
    arbiter("hangs", "async start() {}, ask: () => new Promise(() => {})"),
    arbiter("rubbish", `async start() {}, ${ask}`),
  ];
  const said: readonly RegExp[] = [
    /^ .*\(exclusive\): not used: .*\[PLUGIN_API_TOO_NEW\]/m,
    /^ .*unstarted.mjs \(exclusive\).*unknown .* ago: not started; PROBLEM: it did not start: no licence/m,
    /^ .*hangs.mjs \(exclusive\).*unknown .* ago: .*(5000 ms|has not ended the question)/m,
    /^ .*rubbish.mjs \(exclusive\).*unknown .* ago: it granted without an end: always/m,
  ];
  await withPair({ cold: true, config: { arbiters } }, async (pair) => {
    const result = await watched(pair, async () => {
      await Promise.all([pair.node("primary").start(), pair.node("secondary").start()]);
      await pair.waitFor(
        async () =>
          /^the address is not taken: .* has not granted it: /.test(
            await alarm(pair, "primary", "ARBITER_LOST"),
          ),
        "the primary says what it waits for",
      );
      let out = "";
      await pair.waitFor(async () => {
        out = (await pair.node("primary").cli("status")).out;
        return said.every((each) => each.test(out));
      }, "each arbiter says what is wrong");
      assert.deepEqual([hasAddress(pair, "primary"), hasAddress(pair, "secondary")], [false, false]);
    });
    assert.equal(lastAnswerer(result, "arp"), undefined, "nobody ever answered");
  });
});

test("R30: an exclusive arbiter dies midway in three ways; the active steps down, and nobody serves until it grants again", async () => {
  const mode = join(folder, "mode");
  const set = (text: string) => writeFileSync(mode, text);
  // Grants to the node that the file names, for a second; anything else in it is a way to break.
  const granter = outside(
    "arbiter",
    "granter",
    `exclusive: true, needs: { node: capabilities.node, clock: capabilities.clock },
    create: (_, { node, clock }) => ({
      async start() {}, async release() {}, ${rest},
      async ask() {
        const mode = readFileSync(${JSON.stringify(mode)}, "utf8");
        if (mode === "throw") throw new Error("its database is gone");
        if (mode === "garbage") return { verdict: "yes", why: 42, untilMs: "tomorrow" };
        if (mode === "hang") return new Promise(() => {});
        if (mode !== node.side) return { verdict: "denied", why: mode + " has it" };
        return { verdict: "granted", why: "it is free", untilMs: clock.nowMs() + 3000 };
      },
    })`,
  );
  set("primary");
  await withPair({ config: { arbiters: [granter], onArbiterLost: "stepDown" } }, async (pair) => {
    const reason = async (side: Side) => (await pair.node(side).status())?.pulse?.reason ?? "";
    const result = await watched(pair, async () => {
      for (const [trouble, why] of [
        ["throw", /its database is gone/],
        ["garbage", /the verdict yes, which there is not/],
      ] as const) {
        set(trouble);
        await pair.waitFor(() => !hasAddress(pair, "primary"), `the primary steps down: ${trouble}`);
        await pair.waitFor(
          async () =>
            /granter\.mjs has not granted it/.test(await reason("primary")) &&
            why.test(await reason("primary")),
          `the primary says what it waits for: ${why}`,
        );
        assert.equal(hasAddress(pair, "secondary"), false);
        set("primary");
        await waitForRole(pair, "primary", "active");
      }
      set("hang");
      await pair.waitFor(() => !hasAddress(pair, "primary"), "the primary steps down: hang");
      await pair.waitFor(
        async () => /granter/.test(await alarm(pair, "primary", "ARBITER_LOST")),
        "and the alarm names the arbiter",
      );
      assert.equal(hasAddress(pair, "secondary"), false);
    });
    assertNeverTwo(result);
  });
});
