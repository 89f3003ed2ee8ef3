/** The node process between a pulse, an operator and another node, all on one loop. */

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import type { NodeToPulse } from "../src/ipc/messages.js";
import type { Named } from "../src/node/parts.js";
import type { SessionEngine } from "../src/node/session-engine.js";
import { createTokens } from "../src/node/tokens.js";
import type { AddressBackend, Outcome, TimelineEntry } from "../src/plugin/contract.js";
import { monotonicClock } from "../src/pulse/clock.js";
import {
  closeTestNodes,
  fakePulse,
  memoryLink,
  pulseStatus,
  quietLog,
  startTestNode,
  type TestNode,
  testConfig,
  testService,
  until,
} from "./node-kit.js";

afterEach(closeTestNodes);

const sessionStatus: ReturnType<SessionEngine["status"]> = {
  store: true,
  verified: true,
  inSync: true,
  waitingFor: undefined,
  database: "open",
  running: 0,
  ended: 0,
  bytes: 0,
  storeDescription: "none",
  problem: undefined,
  link: "connected",
  unconfirmed: 0,
  transfer: undefined,
  acknowledged: { replicated: 0, solo: 0 },
  vector: "",
};

function named<T>(name: string, plugin: T): Named<T> {
  return { name, plugin, entry: name };
}

function withdrawing(outcome: Outcome, calls: string[] = []): AddressBackend {
  return {
    start: () => Promise.reject(new Error("a withdrawing instance is never started")),
    acquire: async () => "refused",
    release: async () => "refused",
    holds: async () => "unknown",
    stop: async () => {},
    describe: () => "an address of the test",
    async withdraw() {
      calls.push("withdraw");
      return outcome;
    },
  };
}

async function startTwo(
  parts: (side: "primary" | "secondary") => Parameters<typeof startTestNode>[0],
): Promise<{
  readonly primary: TestNode;
  readonly secondary: TestNode;
  readonly link: ReturnType<typeof memoryLink>;
}> {
  const link = memoryLink();
  const primary = await startTestNode({ side: "primary", link, ...parts("primary") });
  const secondary = await startTestNode({ side: "secondary", link, ...parts("secondary") });
  return { primary, secondary, link };
}

async function closeBoth({ primary, secondary }: { primary: TestNode; secondary: TestNode }): Promise<void> {
  await primary.close();
  await secondary.close();
}

test("says hello, reports again and again, and answers pings", async () => {
  const one = await startTestNode();
  assert.equal((await one.pulse.next("hello")).pid, process.pid);
  assert.equal((await one.pulse.next("peerLink")).up, false);
  const first = await one.pulse.next("report");
  assert.deepEqual(first.report, {
    services: true,
    store: true,
    verified: true,
    inSync: false,
    met: false,
  });
  await one.pulse.next("report");
  one.pulse.send({ type: "ping", sequence: 41 });
  assert.equal((await one.pulse.next("pong")).sequence, 41);
  await one.close();
});

test("promotes in the order of the config and demotes in reverse", async () => {
  const calls: string[] = [];
  const one = await startTestNode({
    parts: () => ({
      services: [named("a", testService("a", calls)), named("b", testService("b", calls))],
    }),
  });
  await one.pulse.next("hello");
  one.pulse.send({ type: "promote", id: 5, epoch: 9, stale: false });
  const promoted = await one.pulse.next("finished");
  assert.deepEqual([promoted.id, promoted.outcome], [5, "confirmed"]);
  one.pulse.send({ type: "demote", id: 6, epoch: 9 });
  const demoted = await one.pulse.next("finished");
  assert.deepEqual([demoted.id, demoted.outcome], [6, "confirmed"]);
  assert.deepEqual(calls, ["start a", "start b", "promote a 9", "promote b 9", "demote b", "demote a"]);
  await one.close();
});

test("tries a service that does not serve again, and says so meanwhile", async () => {
  const service = testService("a");
  service.failPromotes = 1;
  const one = await startTestNode({ parts: () => ({ services: [named("a", service)] }) });
  await one.pulse.next("hello");
  one.pulse.send({ type: "promote", id: 1, epoch: 3, stale: false });
  const finished = await one.pulse.next("finished");
  assert.equal(finished.outcome, "refused");
  assert.match(finished.detail ?? "", /a: it does not serve: not today/);
  const [shown] = one.node.status().services;
  assert.equal(shown?.health, "failing");
  assert.match(shown?.problem ?? "", /not today/);
  await until(() => one.node.status().services[0]?.serving === true, "the second promotion");
  assert.equal(one.node.status().services[0]?.problem, undefined);
  assert.deepEqual(service.calls, ["start a", "promote a 3", "promote a 3"]);
  await one.close();
});

test("a cold service that does not run here is no fault, one that fails is", async () => {
  const service = testService("a");
  const one = await startTestNode({ parts: () => ({ services: [named("a", service)] }) });
  const said = (services: boolean) => async () =>
    (await one.pulse.next("report")).report.services === services;
  await waitFor(said(true), "a report that all is well");
  service.healthNow = "failing";
  await waitFor(said(false), "a report that the service fails");
  await one.close();
});

test("withdraws for a pulse that died with the address, and says goodbye once that is confirmed (R12)", async () => {
  const calls: string[] = [];
  const two = await startTwo((side) =>
    side === "primary" ? { parts: () => ({ freshAddresses: () => [withdrawing("confirmed", calls)] }) } : {},
  );
  two.link.join();
  await two.primary.pulse.next("hello");
  await two.secondary.pulse.next("hello");
  two.primary.pulse.send({ type: "status", status: pulseStatus({ role: "active", epoch: 9 }) });
  await until(() => two.primary.node.status().pulse?.epoch === 9, "the status to arrive");
  await two.primary.pulse.die();
  assert.equal((await two.secondary.pulse.next("peerGoodbye")).epoch, 9);
  assert.deepEqual(calls, ["withdraw"]);
  await closeBoth(two);
});

test("says no goodbye when the removal is not confirmed, and none when pulse held nothing (R12)", async () => {
  const calls: string[] = [];
  const two = await startTwo((side) => ({
    parts: () => ({
      freshAddresses: () => [withdrawing(side === "primary" ? "unknown" : "confirmed", calls)],
    }),
  }));
  two.link.join();
  await two.primary.pulse.next("hello");
  await two.secondary.pulse.next("hello");
  two.primary.pulse.send({ type: "permit", epoch: 9, untilMs: 1 });
  two.secondary.pulse.send({ type: "status", status: pulseStatus({ role: "active", epoch: 10 }) });
  // Released, and said so, before it ended.
  two.secondary.pulse.send({ type: "status", status: pulseStatus({ role: "standby", epoch: 0 }) });
  await until(() => two.secondary.node.status().pulse?.role === "standby", "the last status");
  two.primary.pulse.send({ type: "ping", sequence: 1 });
  await two.primary.pulse.next("pong");
  await two.primary.pulse.die();
  await until(() => calls.length === 1, "the withdrawal of the primary");
  await two.secondary.pulse.die();
  const again = await fakePulse(two.secondary.folder);
  await again.next("hello");
  assert.deepEqual(calls, ["withdraw"]);
  const said = [...two.secondary.pulse.heard, ...again.heard].filter(({ type }) => type === "peerGoodbye");
  assert.deepEqual(said, []);
  await again.die();
  await closeBoth(two);
});

test("says hello to a new pulse only when the old one's address is withdrawn", async () => {
  const gate = Promise.withResolvers<Outcome>();
  const backend = { ...withdrawing("confirmed"), withdraw: () => gate.promise };
  const one = await startTestNode({ parts: () => ({ freshAddresses: () => [backend] }) });
  await one.pulse.next("hello");
  one.pulse.send({ type: "permit", epoch: 9, untilMs: 1 });
  one.pulse.send({ type: "ping", sequence: 1 });
  await one.pulse.next("pong");
  await one.pulse.die();
  const again = await fakePulse(one.folder);
  await until(() => again.isConnected, "node to connect to the new pulse");
  again.send({ type: "ping", sequence: 2 });
  await again.next("pong");
  assert.deepEqual(
    again.heard.map(({ type }) => type),
    ["pong"],
  );
  gate.resolve("confirmed");
  await again.next("hello");
  await again.die();
  await one.close();
});

test("a service that lets go late does not end the serving that began meanwhile", async () => {
  const servings: (number | undefined)[] = [];
  const engine: Partial<SessionEngine> = {
    start: async () => {},
    stop: async () => {},
    onChange() {},
    setPermit() {},
    setServing: (serving) => void servings.push(serving?.epoch),
    status: () => ({ ...sessionStatus }),
  };
  const gate = Promise.withResolvers<void>();
  const service = testService("a");
  const slow = { ...service, demote: () => gate.promise };
  const one = await startTestNode({
    parts: () => ({ engine: engine as SessionEngine, services: [named("a", slow)] }),
  });
  await one.pulse.next("hello");
  one.pulse.send({ type: "promote", id: 1, epoch: 3, stale: false });
  await one.pulse.next("finished");
  one.pulse.send({ type: "demote", id: 2, epoch: 3 });
  one.pulse.send({ type: "promote", id: 3, epoch: 5, stale: false });
  await until(() => servings.includes(5), "the second promotion");
  gate.resolve();
  const outcomes = [await one.pulse.next("finished"), await one.pulse.next("finished")];
  assert.deepEqual(
    outcomes.map(({ id, outcome }) => [id, outcome]),
    [
      [2, "confirmed"],
      [3, "confirmed"],
    ],
  );
  assert.deepEqual(servings, [3, 5]);
});

test("demotes the services when pulse is gone", async () => {
  const service = testService("a");
  const one = await startTestNode({ parts: () => ({ services: [named("a", service)] }) });
  await one.pulse.next("hello");
  one.pulse.send({ type: "promote", id: 1, epoch: 3, stale: false });
  await one.pulse.next("finished");
  await one.pulse.die();
  await until(() => service.calls.includes("demote a"), "the demotion");
  await one.close();
});

test("a pulse that hangs is not shown as what it was, and is again when it speaks", async () => {
  const { node, pulse, control } = await startTestNode();
  await until(() => pulse.isConnected, "node is connected");
  pulse.send({ type: "status", status: pulseStatus({ role: "active", epoch: 7 }) });
  await until(() => node.status().pulse?.role === "active", "the status of pulse");
  await until(() => node.status().pulse === undefined, "what it said last holds no more");
  assert.ok((node.status().pulseSilentMs ?? 0) > 1000);
  pulse.send({ type: "ping", sequence: 1 });
  await until(() => node.status().pulse?.role === "active", "it speaks again");
  assert.equal(node.status().pulseSilentMs, undefined);
  const { entries } = await control("timeline", { limit: 100, local: true });
  const said = entries.filter(({ kind }) => kind === "pulse").map(({ what }) => what);
  assert.deepEqual(said.slice(-2), ["pulse does not answer: it hangs or is stopped", "pulse answers again"]);
});

test("asks the other node's pulse for its role, and takes no stale answer (R9)", async () => {
  const two = await startTwo(() => ({}));
  two.link.join();
  await two.primary.pulse.next("hello");
  await two.secondary.pulse.next("hello");
  let id = 0;
  const ask = async () => {
    id += 1;
    two.secondary.pulse.send({ type: "askPeerRole", id });
    const isAnswer = (message: NodeToPulse) =>
      (message.type === "peerRole" || message.type === "finished") && message.id === id;
    await until(() => two.secondary.pulse.heard.some(isAnswer), "an answer");
    return two.secondary.pulse.heard.find(isAnswer);
  };
  const askAnew = async () => {
    const status = pulseStatus({ role: "active", epoch: 9 });
    two.primary.pulse.send({ type: "status", status });
    await until(() => two.primary.node.status().pulse?.atMs === status.atMs, "the status to arrive");
    return await ask();
  };
  // Half a second after the status the answer is "unknown", rightly, which a loaded machine may take for one question.
  let answer = await askAnew();
  while (answer?.type !== "peerRole" && id < 20) answer = await askAnew();
  assert.deepEqual(answer, { type: "peerRole", id, active: true, epoch: 9 });
  const saidMs = performance.now();
  await until(() => performance.now() - saidMs > 600, "that status to grow old");
  const none = await ask();
  assert.deepEqual([none?.type, none?.type === "finished" && none.outcome], ["finished", "unknown"]);
  await closeBoth(two);
});

test("tells pulse at once that the link came and went", async () => {
  const two = await startTwo(() => ({}));
  await two.primary.pulse.next("peerLink");
  two.link.join();
  assert.equal((await two.primary.pulse.next("peerLink")).up, true);
  two.link.cut("ended");
  assert.equal((await two.primary.pulse.next("peerLink")).up, false);
  await closeBoth(two);
});

test("a token made on one node is valid on both, and one revoked on either on none", async () => {
  const two = await startTwo(() => ({}));
  two.link.join();
  const made = await two.primary.control("tokenCreate", { name: "portal", scope: "write" });
  const seen = async () => (await two.secondary.control("tokenList", {})).tokens;
  await waitFor(async () => (await seen()).length === 1, "the token on the other node");
  two.link.cut("ended");
  await two.secondary.control("tokenRevoke", { id: made.id });
  two.link.join();
  await waitFor(async () => {
    const { tokens } = await two.primary.control("tokenList", {});
    return tokens[0]?.revokedAt !== undefined;
  }, "the revocation on the first node");
  await closeBoth(two);
});

async function waitFor(holds: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!(await holds())) if (performance.now() > endMs) throw new Error(`waited in vain for: ${what}`);
}

test("shows one timeline of both nodes, causes before effects", async () => {
  const two = await startTwo((side) => ({ parts: () => ({ boot: `boot of ${side}` }) }));
  two.link.join();
  await two.primary.pulse.next("hello");
  await two.secondary.pulse.next("hello");
  const measured = async () => {
    const { entries } = await two.primary.control("timeline", { limit: 100, local: true });
    return entries.some(({ kind }) => kind === "clock");
  };
  await waitFor(measured, "the clocks to be compared");
  const startMs = monotonicClock.nowMs();
  const entry = (node: string, what: string, afterMs: number): TimelineEntry => ({
    // The wall clocks disagree by a year.
    at: node === "alpha" ? "2026-01-01T00:00:00.000Z" : "2025-01-01T00:00:00.000Z",
    node,
    monotonicMs: startMs + afterMs,
    kind: "role",
    what,
    rules: ["R9"],
    details: {},
  });
  // Seconds apart: when this machine stalls during the comparison, it is wrong by half of the stall.
  two.primary.pulse.send({ type: "timeline", entry: entry("alpha", "cause", 0) });
  two.secondary.pulse.send({ type: "timeline", entry: entry("beta", "effect", 5000) });
  two.primary.pulse.send({ type: "timeline", entry: entry("alpha", "effect of the effect", 10_000) });
  const shown = async () => {
    const { entries } = await two.primary.control("timeline", { limit: 100, local: false });
    return entries.filter(({ kind }) => kind === "role").map(({ what }) => what);
  };
  await waitFor(async () => (await shown()).length === 3, "all three entries");
  assert.deepEqual(await shown(), ["cause", "effect", "effect of the effect"]);
  two.link.cut("ended");
  const alone = await two.primary.control("timeline", { limit: 100, local: false });
  assert.equal(alone.peerIncluded, false);
  assert.match(alone.note ?? "", /did not answer/);
  await closeBoth(two);
});

test("passes the operator's wishes to pulse and its answer back", async () => {
  const one = await startTestNode();
  await one.pulse.next("hello");
  const asked = one.control("switchover", { to: "secondary", force: false });
  const wish = await one.pulse.next("operator");
  assert.deepEqual(wish.request, { kind: "switchover", to: "secondary", force: false });
  one.pulse.send({
    type: "operatorAnswer",
    requestId: wish.requestId,
    ok: true,
    message: "the secondary node serves",
  });
  assert.deepEqual(await asked, { message: "the secondary node serves" });
  const refusedLater = assert.rejects(one.control("maintenance", { on: true, force: false }), {
    code: "NODE_REFUSED",
    message: "nobody would serve",
  });
  const second = await one.pulse.next("operator");
  one.pulse.send({
    type: "operatorAnswer",
    requestId: second.requestId,
    ok: false,
    message: "nobody would serve",
  });
  await refusedLater;
  await one.pulse.die();
  await assert.rejects(one.control("switchover", { force: false }), { code: "NODE_PULSE_GONE" });
  await one.close();
});

test("refuses what it does not know, with a code", async () => {
  const one = await startTestNode();
  await assert.rejects(one.control("sessionsList", { limit: 10 }), { code: "NODE_NO_SESSIONS" });
  await assert.rejects(one.control("tokenCreate", { name: " ", scope: "read" }), {
    code: "NODE_WRONG_ARGUMENT",
  });
  await assert.rejects(one.control("tokenRevoke", { id: "nobody" }), { code: "TOKEN_UNKNOWN" });
  await assert.rejects(one.control("dance" as "status", {}), { code: "NODE_UNKNOWN_COMMAND" });
  await one.close();
});

test("a reload restarts only the service whose entry changed, and pulse hears of it", async () => {
  const calls: string[] = [];
  const kept = named("a", testService("a", calls));
  const fresh = named("b", testService("c", calls));
  const one = await startTestNode({
    parts: () => ({
      services: [kept, named("b", testService("b", calls))],
      reread: async (running) => ({
        ...running,
        services: [kept, fresh],
        local: testConfig(running.local.config.folders.state, "primary", {
          services: [{ plugin: "exec", options: { new: true }, at: "services[0]" }],
        }),
      }),
    }),
  });
  await one.pulse.next("hello");
  one.pulse.send({ type: "promote", id: 1, epoch: 3, stale: false });
  await one.pulse.next("finished");
  calls.length = 0;
  assert.deepEqual(await one.control("reload", {}), { message: "in force now: services" });
  assert.deepEqual(calls, ["demote b", "stop b", "start c", "promote c 3"]);
  await one.pulse.next("reload");
  await one.close();
});

test("a reload that would need a restart changes nothing and names the keys", async () => {
  const one = await startTestNode({
    parts: () => ({
      reread: async (running) => ({
        ...running,
        local: testConfig(running.local.config.folders.state, "primary", { leaseMs: 300, hangLimitMs: 2000 }),
      }),
    }),
  });
  await one.pulse.next("hello");
  await assert.rejects(one.control("reload", {}), {
    code: "NODE_RELOAD_NEEDS_RESTART",
    message: "nothing was changed: lease cannot change while a node runs",
  });
  one.pulse.send({ type: "ping", sequence: 1 });
  await one.pulse.next("pong");
  assert.ok(!one.pulse.heard.some(({ type }) => type === "reload"));
  await one.close();
});

test("an operator's question is answered also while pulse is gone", async () => {
  const one = await startTestNode();
  await one.pulse.die();
  await until(() => one.node.status().pulse === undefined, "node to notice");
  const status = await one.control("status", {});
  assert.equal(status.pulse, undefined);
  assert.equal(status.node, "alpha");
  await one.close();
});

test("a folder of tokens that does not parse makes no token valid", async () => {
  const folder = mkdtempSync(join(tmpdir(), "usn-"));
  writeFileSync(join(folder, "tokens.json"), "{ half");
  const tokens = createTokens(folder, quietLog);
  await tokens.open();
  assert.deepEqual(tokens.list(), []);
  assert.ok(readdirSync(folder).some((name) => name.startsWith("tokens.json.damaged-")));
  rmSync(folder, { recursive: true });
});
