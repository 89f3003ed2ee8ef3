/** The API as a client sees it: sessions made, looked up, listed and ended; every refusal; every limit. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { within } from "@understudy/core/conformance/until";
import type { Refusal } from "@understudy/core/public";
import { idOf } from "./fake-session-api.js";
import { haAddress, type RunningVsm, readToken, startVsm } from "./running-vsm.js";

async function withVsm(options: object, work: (vsm: RunningVsm) => Promise<void>): Promise<void> {
  const vsm = await startVsm(options);
  try {
    await work(vsm);
  } finally {
    await vsm.close();
  }
}

test("a session is created, found, listed and ended", () =>
  withVsm({}, async ({ create, ask }) => {
    const made = await create(
      "ada",
      { attributes: { display: ":7" } },
      { headers: { "idempotency-key": "k1" } },
    );
    assert.equal(made.status, 201);
    const { session } = made.body;
    assert.deepEqual(made.body, {
      session: {
        id: idOf("ada", "k1"),
        user: "ada",
        agent: "agent1",
        attributes: { display: ":7" },
        createdAt: "2026-01-02T03:04:05.678Z",
        state: "running",
        overLimit: false,
        epoch: 1,
      },
      created: true,
      acknowledgement: "replicated",
      stale: false,
      idempotencyKey: "k1",
    });
    assert.equal(made.headers.location, `/v1/sessions/${session.id}`);
    assert.deepEqual((await ask(`/v1/sessions/${session.id}`)).body, { session, stale: false });
    assert.deepEqual((await ask("/v1/sessions?user=ada")).body, {
      sessions: [session],
      next: null,
      stale: false,
    });
    const ended = await ask(`/v1/sessions/${session.id}`, { method: "DELETE" });
    assert.deepEqual(ended.body, {
      session: { ...session, state: "ended" },
      acknowledgement: "replicated",
      stale: false,
    });
    assert.equal((await ask("/v1/sessions")).body.sessions.length, 0);
    assert.equal((await ask("/v1/sessions?includeEnded=true")).body.sessions.length, 1);
  }));

test("who has a session gets it back, whatever the key; the same key makes one session (rule R23)", () =>
  withVsm({}, async ({ create }) => {
    const first = await create("ada");
    assert.equal(first.status, 201);
    assert.match(first.body.idempotencyKey, /^[0-9a-f-]{36}$/);
    const other = await create("ada", {}, { headers: { "idempotency-key": "another" } });
    assert.equal(other.status, 200);
    assert.equal(other.body.created, false);
    assert.equal(other.headers.location, undefined);
    assert.equal(other.body.session.id, first.body.session.id);
  }));

test("a key whose session has ended makes no other", () =>
  withVsm({}, async ({ create, ask }) => {
    const headers = { "idempotency-key": "once" };
    const { body } = await create("ada", {}, { headers });
    await ask(`/v1/sessions/${body.session.id}`, { method: "DELETE" });
    const again = await create("ada", {}, { headers });
    assert.deepEqual([again.status, again.body.code], [409, "keyUsed"]);
  }));

test("an answer says how safe it is, and whether this node may be behind (G3, R24)", () =>
  withVsm({}, async ({ create, sessions }) => {
    sessions.acknowledgement = "solo";
    sessions.stale = true;
    const { body } = await create("ada");
    assert.equal(body.acknowledgement, "solo");
    assert.equal(body.stale, true);
  }));

test("pages follow each other by the last id", () =>
  withVsm({}, async ({ create, ask }) => {
    for (const user of ["a", "b", "c", "d", "e"]) await create(user);
    const seen: string[] = [];
    let after = "";
    for (let pages = 0; pages < 5; pages += 1) {
      const { body } = await ask(`/v1/sessions?limit=2${after && `&after=${after}`}`);
      seen.push(...body.sessions.map(({ user }: { user: string }) => user));
      if (body.next === null) break;
      after = body.next;
    }
    assert.deepEqual(seen.toSorted(), ["a", "b", "c", "d", "e"]);
  }));

describe("every refusal has its status, and says when to come back", () => {
  const expected: Readonly<Record<Refusal, number>> = {
    notActive: 503,
    diskFull: 507,
    frozen: 503,
    notKnownYet: 503,
    notFound: 404,
    overloaded: 503,
    invalid: 400,
  };
  let vsm: RunningVsm;
  before(async () => {
    vsm = await startVsm();
  });
  after(() => vsm.close());
  for (const [refusal, status] of Object.entries(expected) as [Refusal, number][]) {
    test(refusal, async () => {
      vsm.sessions.refuse({ refusal, message: `because of ${refusal}`, retryAfterMs: 1500 });
      const id = idOf("a", "b");
      const replies = [
        await vsm.create("ada"),
        await vsm.ask(`/v1/sessions/${id}`),
        await vsm.ask("/v1/sessions"),
        await vsm.ask(`/v1/sessions/${id}`, { method: "DELETE" }),
      ];
      for (const reply of replies) {
        assert.equal(reply.status, status);
        assert.equal(reply.headers["content-type"], "application/problem+json");
        assert.equal(reply.headers["retry-after"], "2");
        const { title, ...rest } = reply.body;
        assert.ok(title.length > 10);
        assert.deepEqual(rest, {
          type: `urn:understudy:problem:${refusal}`,
          status,
          detail: `because of ${refusal}`,
          code: refusal,
          retryAfterMs: 1500,
        });
      }
    });
  }
  test("without a time there is no Retry-After", async () => {
    vsm.sessions.refuse({ refusal: "invalid", message: "no", retryAfterMs: undefined });
    const reply = await vsm.create("ada");
    assert.equal(reply.headers["retry-after"], undefined);
    assert.ok(!("retryAfterMs" in reply.body));
  });
});

test("a freeze is waited out (rule R25), a longer one is refused", () =>
  withVsm({ freezeWaitMs: 1000 }, async ({ create, sessions }) => {
    const frozen = { refusal: "frozen", message: "a handover", retryAfterMs: 50 } as const;
    sessions.refuse(frozen, 3);
    assert.equal((await create("ada")).status, 201);
    assert.deepEqual(sessions.calls, ["create", "create", "create", "create"]);
  }));

test("a mistake of ours is a 500 that tells the client nothing and the log all", () =>
  withVsm({}, async ({ create, sessions, log }) => {
    sessions.fail = new Error("the inside story");
    const reply = await create("ada");
    assert.deepEqual([reply.status, reply.body.code], [500, "internal"]);
    assert.ok(!JSON.stringify(reply.body).includes("inside"));
    assert.ok(log.lines.some(({ level, fields }) => level === "error" && fields.error === sessions.fail));
  }));

for (const [what, path, asked, status, code] of [
  ["no token", "/v1/sessions", { token: undefined }, 401, "noToken"],
  ["a wrong token", "/v1/sessions", { token: "guess" }, 401, "wrongToken"],
  [
    "another scheme",
    "/v1/sessions",
    { token: undefined, headers: { authorization: "Basic YTpi" } },
    401,
    "noToken",
  ],
  [
    "a token that may only read",
    "/v1/sessions",
    { method: "POST", body: { user: "a" }, token: readToken },
    403,
    "readOnlyToken",
  ],
  ["an unknown path", "/v2/sessions", {}, 404, "noSuchRoute"],
  ["a method that the path does not know", "/v1/sessions", { method: "PUT", body: {} }, 405, "wrongMethod"],
  ["a malformed id", "/v1/sessions/UUUUUUUUUUUUUUUUUUUUUUUUUU", {}, 400, "invalid"],
  ["no body", "/v1/sessions", { method: "POST" }, 400, "invalid"],
  ["no JSON", "/v1/sessions", { method: "POST", body: "{ user" }, 400, "invalid"],
  ["no user", "/v1/sessions", { method: "POST", body: {} }, 400, "invalid"],
  ["an empty user", "/v1/sessions", { method: "POST", body: { user: "" } }, 400, "invalid"],
  [
    "a user with control characters",
    "/v1/sessions",
    { method: "POST", body: { user: "a\nb" } },
    400,
    "invalid",
  ],
  [
    "a field that is not known",
    "/v1/sessions",
    { method: "POST", body: { user: "a", usr: "b" } },
    400,
    "invalid",
  ],
  [
    "attributes that are no text",
    "/v1/sessions",
    { method: "POST", body: { user: "a", attributes: { n: 1 } } },
    400,
    "invalid",
  ],
  [
    "too many attributes",
    "/v1/sessions",
    { method: "POST", body: { user: "a", attributes: { n: "x".repeat(4090) } } },
    400,
    "invalid",
  ],
  [
    "an attribute called __proto__",
    "/v1/sessions",
    { method: "POST", body: '{"user":"a","attributes":{"__proto__":"x"}}' },
    400,
    "invalid",
  ],
  [
    "an agent that is none of ours",
    "/v1/sessions",
    { method: "POST", body: { user: "a", agent: "x" } },
    400,
    "unknownAgent",
  ],
  [
    "a key with spaces",
    "/v1/sessions",
    { method: "POST", body: { user: "a" }, headers: { "idempotency-key": "a b" } },
    400,
    "invalid",
  ],
  [
    "a key that is too long",
    "/v1/sessions",
    { method: "POST", body: { user: "a" }, headers: { "idempotency-key": "k".repeat(129) } },
    400,
    "invalid",
  ],
  [
    "another media type",
    "/v1/sessions",
    { method: "POST", body: "user=a", headers: { "content-type": "text/plain" } },
    415,
    "wrongMediaType",
  ],
  [
    "a body over 16 KiB",
    "/v1/sessions",
    { method: "POST", body: { user: "a", x: "y".repeat(16 * 1024) } },
    413,
    "tooLarge",
  ],
  ["headers over 8 KiB", "/v1/sessions", { headers: { "x-long": "y".repeat(9 * 1024) } }, 431, "tooLarge"],
  ["a limit out of range", "/v1/sessions?limit=1001", {}, 400, "invalid"],
  ["a misspelt parameter", "/v1/sessions?usr=a", {}, 400, "invalid"],
  ["a request at a node's own address", "/v1/sessions", { host: "127.0.0.1" }, 421, "wrongAddress"],
] as const) {
  test(`${what}: ${status} ${code}`, () =>
    withVsm({}, async ({ ask, sessions }) => {
      const reply = await ask(path, { ...asked });
      assert.deepEqual([reply.status, reply.body.code], [status, code]);
      assert.equal(reply.headers["content-type"], "application/problem+json");
      assert.deepEqual(sessions.calls, [], "it went no further");
    }));
}

test("every mistake of a request is said at once, with its place", () =>
  withVsm({}, async ({ ask }) => {
    const { body } = await ask("/v1/sessions", {
      method: "POST",
      body: { user: "", agent: 3 },
      headers: { "idempotency-key": "a b" },
    });
    assert.match(body.detail, /headers\.idempotency-key: .*; body\.user: .*; body\.agent: /);
  }));

test("a read token reads", () =>
  withVsm({}, async ({ ask }) => {
    assert.equal((await ask("/v1/sessions", { token: readToken })).status, 200);
  }));

test("without authentication, where that is said, nobody is asked for a token", () =>
  withVsm({ authentication: "none", allowEverybody: true }, async ({ create, ask }) => {
    assert.equal((await create("ada", {}, { token: undefined })).status, 201);
    assert.ok(!JSON.stringify((await ask("/v1/openapi.json")).body).includes("bearer"));
  }));

test("status needs no token, at whatever address and in whatever role", () =>
  withVsm({}, async ({ ask, service }) => {
    const anybody = { token: undefined, host: "127.0.0.1" };
    assert.deepEqual((await ask("/v1/status", anybody)).body, { serving: true, epoch: 1, stale: false });
    await service.demote();
    const standby = await ask("/v1/status", anybody);
    assert.equal(standby.status, 503);
    assert.deepEqual(standby.body, { serving: false, epoch: null, stale: false });
  }));

test("at every address, where that is asked for", () =>
  withVsm({ onlyAtHaAddress: false }, async ({ ask }) => {
    assert.equal((await ask("/v1/sessions", { host: "127.0.0.1" })).status, 200);
  }));

test("without agents nothing is created, and that is said", () =>
  withVsm({ agents: [] }, async ({ create }) => {
    const reply = await create("ada");
    assert.deepEqual([reply.status, reply.body.code], [503, "noAgents"]);
  }));

test("sessions spread over the agents, by weight", () =>
  withVsm({ agents: ["small", { name: "large", weight: 3 }] }, async ({ create }) => {
    const agents: string[] = [];
    for (let user = 0; user < 8; user += 1) agents.push((await create(`user${user}`)).body.session.agent);
    assert.equal(agents.filter((agent) => agent === "large").length, 6);
    const asked = await create("picky", { agent: "small" });
    assert.equal(asked.body.session.agent, "small");
  }));

test("a client that never finishes its request is let go of", () =>
  withVsm({}, async ({ port }) => {
    const slow = connect(port, haAddress);
    await once(slow, "connect");
    slow.write("POST /v1/sessions HTTP/1.1\r\nHost: x\r\n");
    let answer = "";
    slow.on("data", (chunk) => {
      answer += chunk;
    });
    await within("the server to end it", once(slow, "close"), 30_000);
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /"code":"tooSlow"/);
  }));

test("what is no HTTP gets a problem and an end", () =>
  withVsm({}, async ({ port }) => {
    const odd = connect(port, haAddress);
    odd.write("\x16\x03\x01 hello\r\n\r\n");
    let answer = "";
    odd.on("data", (chunk) => {
      answer += chunk;
    });
    await within("the server to end it", once(odd, "close"));
    assert.match(answer, /^HTTP\/1\.1 400 /);
  }));
