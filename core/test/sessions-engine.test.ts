/**
 * Two session engines with their threads and a real TLS link on the loopback: what a service sees of replication, permits
 * and failures. Stores are in memory; everything is waited for by what it does.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import type { Config, NodeEntry } from "../src/config/config.js";
import { until } from "../src/conformance/until.js";
import type { LinkKey } from "../src/node/peer-link.js";
import type { Acknowledged, CreateRequest, Refused } from "../src/node/session-api.js";
import type { SessionEngine, SessionStatus } from "../src/node/session-engine.js";
import { createSessionEngine } from "../src/node/session-engine-start.js";
import { sessionId } from "../src/node/session-id.js";
import type { Log } from "../src/plugin/tokens.js";
import { monotonicClock } from "../src/pulse/clock.js";
import { deadline } from "./deadline.js";
import { ownAddress, ownPort } from "./loopback-kit.js";

const key: LinkKey = { id: 1, secret: new Uint8Array(32).fill(5) };
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const action of undo.splice(0).reverse()) await action();
});

interface TestEngine extends SessionEngine {
  readonly faultFile: string;
  until(what: string, wanted: (status: SessionStatus) => boolean): Promise<SessionStatus>;
}

const nodes: readonly [NodeEntry, NodeEntry] = [
  { name: "one", side: "primary", addresses: [ownAddress.primary] },
  { name: "two", side: "secondary", addresses: [ownAddress.secondary] },
];

/** R20's times where they are not what is tested: no stall of a loaded machine makes a node go on alone. */
const patient = { staleAfterMs: 20_000, soloAfterMs: 40_000 };
const standard = { staleAfterMs: 500, soloAfterMs: 1000 };

function makeEngine(port: number, side: "primary" | "secondary", times = standard): TestEngine {
  const folder = mkdtempSync(join(tmpdir(), "understudy-sessions-"));
  const [primary, secondary] = nodes;
  const config = {
    cluster: "test",
    nodes,
    replication: { port, ...times },
    folders: { state: folder, run: folder },
  } as unknown as Config;
  const faultFile = join(folder, "fault");
  const engine = createSessionEngine({
    local: {
      file: "/none",
      config,
      self: side === "primary" ? primary : secondary,
      peer: side === "primary" ? secondary : primary,
    },
    keys: [key],
    signWith: 1,
    log: silent,
    storeModule: {
      url: new URL("./sessions-memory-module.js", import.meta.url).href,
      options: { faultFile },
    },
  });
  undo.push(async () => {
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    ...engine,
    faultFile,
    async until(what, wanted) {
      let status = engine.status();
      await until(`${side}: ${what}`, () => {
        status = engine.status();
        return wanted(status);
      });
      return status;
    },
  };
}

async function makePair(times: typeof standard): Promise<{
  readonly primary: TestEngine;
  readonly secondary: TestEngine;
  port: number;
}> {
  const port = ownPort();
  const primary = makeEngine(port, "primary", times);
  const secondary = makeEngine(port, "secondary", times);
  await Promise.all([primary.start(), secondary.start()]);
  return { primary, secondary, port };
}

function serve(engine: SessionEngine, epoch: number, forMs = 60_000): void {
  engine.setServing({ epoch, stale: false });
  engine.setPermit({ epoch, untilMs: monotonicClock.nowMs() + forMs });
}

async function joined(times = patient) {
  const pair = await makePair(times);
  serve(pair.primary, 1);
  await pair.secondary.until("in sync", ({ inSync, verified }) => inSync && verified);
  await pair.primary.until("in sync", ({ inSync, verified }) => inSync && verified);
  return pair;
}

function request(user: string, more: Partial<CreateRequest> = {}): CreateRequest {
  return { user, key: "k", agent: "agent1", attributes: { display: "1" }, ...more };
}

function ok(answer: Acknowledged | Refused): Acknowledged {
  assert.ok(answer.ok, JSON.stringify(answer));
  return answer;
}

test("a session acknowledged `replicated` is found on the other node", async () => {
  const { primary, secondary } = await joined();
  const { session, acknowledgement, created } = ok(await primary.api.create(request("anna")));
  assert.deepEqual(
    [acknowledgement, created, session.state, session.epoch],
    ["replicated", true, "running", 1],
  );
  assert.equal(session.id, sessionId("test", "anna", "k"));
  const there = await secondary.api.get(session.id);
  assert.deepEqual(there, { ok: true, session });
  const again = ok(await primary.api.create(request("anna", { key: "other" })));
  assert.deepEqual([again.created, again.session.id], [false, session.id]);
  const ended = ok(await primary.api.end(session.id));
  assert.deepEqual([ended.session.state, ended.acknowledgement], ["ended", "replicated"]);
  const retry = ok(await primary.api.create(request("anna")));
  assert.deepEqual([retry.created, retry.session.state], [false, "ended"]);
  assert.deepEqual([...(await secondary.api.countByAgent())], []);
});

test("many writers at once: every answer is for its own request, and both nodes agree", async () => {
  const { primary, secondary } = await joined();
  const answers = await Promise.all(
    Array.from({ length: 2000 }, (_, at) => primary.api.create(request(`user${at % 1500}`))),
  );
  for (const [at, answer] of answers.entries()) {
    const { session, acknowledgement } = ok(answer);
    assert.deepEqual([session.user, acknowledgement], [`user${at % 1500}`, "replicated"]);
  }
  assert.equal(answers.filter((answer) => ok(answer).created).length, 1500);
  // Each engine learns of its thread's numbers in its own time.
  await primary.until("all rows", ({ running }) => running === 1500);
  await secondary.until("the same rows", ({ running, vector }) => {
    return running === 1500 && vector === primary.status().vector;
  });
  assert.deepEqual(primary.status().acknowledged, { replicated: 2000, solo: 0 });
});

test("R21: without a live permit of the same epoch nothing is acknowledged", async () => {
  const { primary } = await joined();
  primary.setPermit(undefined);
  const none = await primary.api.create(request("anna"));
  assert.ok(!none.ok && none.refusal === "notActive");
  primary.setPermit({ epoch: 1, untilMs: monotonicClock.nowMs() - 1 });
  const expired = await primary.api.create(request("anna"));
  assert.ok(!expired.ok && expired.refusal === "notActive");
  primary.setPermit({ epoch: 1, untilMs: monotonicClock.nowMs() + 60_000 });
  const pending = primary.api.create(request("anna"));
  primary.setPermit({ epoch: 3, untilMs: monotonicClock.nowMs() + 60_000 });
  const late = await pending;
  assert.ok(!late.ok && late.refusal === "notActive", "it was decided under another epoch");
  serve(primary, 3);
  const retry = ok(await primary.api.create(request("anna")));
  assert.equal(retry.created, false, "the row was there; the retry finds it");
});

test("R20: the active goes on alone within a second when the other node dies, and is in step when it is back", async () => {
  const { primary, secondary, port } = await joined(standard);
  // Its belief cannot have ended earlier than this; the stop itself takes its time.
  const startedMs = performance.now();
  await secondary.stop();
  const alone = ok(await primary.api.create(request("anna")));
  assert.equal(alone.acknowledgement, "solo");
  assert.ok(performance.now() - startedMs > 500, "not before the standby's belief has ended");
  const back = makeEngine(port, "secondary");
  await back.start();
  await back.until("in sync", ({ inSync, running }) => inSync && running === 1);
  const again = async (attempt: number): Promise<void> => {
    await primary.until("in sync", ({ inSync }) => inSync);
    // A machine that stalls for a second here makes it go on alone once more, rightly.
    const { acknowledgement } = ok(await primary.api.create(request(`berta${attempt}`)));
    if (acknowledgement !== "replicated") await again(attempt + 1);
  };
  await deadline(again(1), "a session that is replicated");
});

test("an empty node is refilled with a copy, and then has what came meanwhile too", async () => {
  const port = ownPort();
  const primary = makeEngine(port, "primary");
  await primary.start();
  serve(primary, 1);
  const wave = (from: number, count: number) =>
    Promise.all(Array.from({ length: count }, (_, at) => primary.api.create(request(`user${from + at}`))));
  for (let at = 0; at < 3; at += 1) await wave(at * 10_000, 10_000);
  const secondary = makeEngine(port, "secondary");
  await secondary.start();
  await wave(30_000, 1000);
  const status = await secondary.until("in sync", ({ inSync, running }) => inSync && running === 31_000);
  assert.equal(status.vector, primary.status().vector);
  assert.equal(status.verified, true);
});

test("R25: a freeze compares both databases, refuses meanwhile and ends by itself", async () => {
  const { primary } = await joined();
  await Promise.all(Array.from({ length: 50 }, (_, at) => primary.api.create(request(`user${at}`))));
  const { outcome, detail } = await primary.freeze(20_000);
  assert.deepEqual({ outcome, detail }, { outcome: "confirmed", detail: "both databases are equal" });
  const frozen = await primary.api.create(request("late"));
  assert.ok(!frozen.ok && frozen.refusal === "frozen");
  primary.unfreeze();
  assert.ok((await primary.api.create(request("late"))).ok);
  await primary.freeze(30);
  const again = async (): Promise<void> => {
    const answer = await primary.api.create(request("later"));
    if (!answer.ok && answer.refusal === "frozen") await again();
  };
  await deadline(again(), "the end of the freeze");
});

test("a store that breaks ends the thread, and a new one takes its place", async () => {
  const { primary } = await joined();
  const said: string[] = [];
  primary.onChange(() => said.push(primary.status().problem ?? ""));
  writeFileSync(primary.faultFile, "broken");
  const lost = await primary.api.create(request("anna"));
  assert.ok(!lost.ok && lost.refusal === "notActive");
  assert.match(said.join("\n"), /broken/);
  rmSync(primary.faultFile);
  await primary.until("works again", ({ store, inSync }) => store && inSync);
  assert.equal(ok(await primary.api.create(request("anna"))).acknowledgement, "replicated");
});

test("a disk that does not answer is a store that does not work, until it answers", async () => {
  const { primary } = await joined();
  let told = 0;
  primary.onChange(() => {
    told += 1;
  });
  writeFileSync(primary.faultFile, "hangs");
  const waiting = primary.api.create(request("anna"));
  await primary.until(
    "hangs",
    ({ store, inSync, problem }) => !store && !inSync && /answer/.test(problem ?? ""),
  );
  assert.ok(told > 0);
  rmSync(primary.faultFile);
  ok(await waiting);
  await primary.until("answers", ({ store }) => store);
});

test("R22: on a full disk creates are refused and nothing else is", async () => {
  const { primary } = await joined();
  const { session } = ok(await primary.api.create(request("anna")));
  writeFileSync(primary.faultFile, "full");
  const full = await primary.api.create(request("berta"));
  assert.ok(!full.ok && full.refusal === "diskFull");
  await primary.until("says so", ({ store, problem }) => !store && /full/.test(problem ?? ""));
  assert.ok((await primary.api.get(session.id)).ok);
  rmSync(primary.faultFile);
  await primary.until("has room", ({ store }) => store);
});

test("what is wrong with a request is said", async () => {
  const { primary } = await joined();
  const why = async (more: Partial<CreateRequest>) => {
    const answer = await primary.api.create({ ...request("anna"), ...more });
    return answer.ok ? "" : `${answer.refusal} ${answer.message}`;
  };
  assert.match(await why({ user: "" }), /invalid user: must have/);
  assert.match(await why({ key: "x".repeat(129) }), /invalid key/);
  assert.match(await why({ user: "\ud800" }), /invalid user: is no valid Unicode/);
  assert.match(await why({ attributes: { a: "x".repeat(5000) } }), /invalid attributes: more than 4096/);
  assert.match(await why({ attributes: { a: 1 as unknown as string } }), /attributes.a: must be a string/);
  const unknown = await primary.api.get("0".repeat(26));
  assert.ok(!unknown.ok && unknown.refusal === "notFound");
  primary.setServing({ epoch: 1, stale: true });
  const stale = await primary.api.get("0".repeat(26));
  assert.ok(!stale.ok && stale.refusal === "notKnownYet", "R24");
});

test("export and import carry every session over, and import ends nothing", async () => {
  const { primary } = await joined();
  await Promise.all(Array.from({ length: 600 }, (_, at) => primary.api.create(request(`user${at}`))));
  ok(await primary.api.end(sessionId("test", "user1", "k")));
  const lines: string[] = [];
  let after: string | undefined;
  do {
    const page = await primary.exportPage(after);
    lines.push(...page.lines);
    after = page.next;
  } while (after !== undefined);
  assert.equal(lines.length, 600);
  const other = await joined();
  const kept = ok(await other.primary.api.create(request("user1")));
  const result = await other.primary.importLines([...lines, "nonsense", '{"id":"short"}']);
  assert.deepEqual([result.added, result.known, result.wrong.length], [599, 1, 2]);
  const still = await other.primary.api.get(kept.session.id);
  assert.ok(still.ok && still.session.state === "running");
  await other.secondary.until("all", ({ running, ended }) => running === 600 && ended === 0);
});

test("R19: the other node is only forgotten when it is not there", async () => {
  const { primary, secondary } = await joined();
  assert.equal((await primary.forgetPeer()).ok, false);
  await secondary.stop();
  await primary.until("alone", ({ link }) => link !== "connected");
  assert.equal((await primary.forgetPeer()).ok, true);
});
