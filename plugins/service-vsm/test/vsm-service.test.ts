/** The API as a service of the pair: the suite of all services, and how it lets its clients go (rule R26). */

import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent } from "node:http";
import { connect as connectPlain, createServer } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { serviceConformance } from "@understudy/core/conformance/service";
import { until, within } from "@understudy/core/conformance/until";
import vsmPlugin from "../src/plugin.js";
import { haAddress, makeVsm, type RunningVsm, startVsm } from "./running-vsm.js";

for (const tls of ["none", "generated"]) {
  serviceConformance({
    name: `vsm with tls: ${tls}`,
    crashes: false,
    async make() {
      const vsm = await makeVsm({ tls });
      const serves = async () => /^HTTP\/1\.1 200/.test(await rawStatus(vsm.port, tls !== "none"));
      return { service: vsm.service, serves, dispose: vsm.folders.remove };
    },
  });
}

/** The first line of the answer about sessions; empty when nobody listens. */
function rawStatus(port: number, overTls: boolean): Promise<string> {
  const options = { host: haAddress, port, rejectUnauthorized: false };
  return new Promise((resolve) => {
    const socket = overTls ? connectTls(options) : connectPlain(options);
    let text = "";
    socket.on("error", () => resolve(""));
    socket.on("data", (chunk: Buffer) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text.split("\r\n")[0] ?? ""));
    socket.write(
      "GET /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer write-token\r\nConnection: close\r\n\r\n",
    );
  });
}

async function withVsm(options: object, work: (vsm: RunningVsm) => Promise<void>): Promise<void> {
  const vsm = await startVsm(options);
  try {
    await work(vsm);
  } finally {
    await vsm.close();
  }
}

test("a standby answers at once that it does not serve, and closes", () =>
  withVsm({}, async ({ service, create, sessions }) => {
    await service.demote();
    const keepAlive = new Agent({ keepAlive: true });
    const reply = await create("ada", {}, { agent: keepAlive, token: undefined });
    assert.deepEqual([reply.status, reply.body.code], [503, "notActive"]);
    assert.equal(reply.headers.connection, "close");
    assert.equal(reply.headers["retry-after"], "0");
    assert.deepEqual(sessions.calls, []);
    keepAlive.destroy();
  }));

test("a request in flight is answered before demote settles, and its connection ends", () =>
  withVsm({ drainMs: 1000 }, async ({ service, create, sessions }) => {
    const gate = Promise.withResolvers<void>();
    sessions.hold = gate.promise;
    const asked = create("ada");
    await until("the request to be in flight", () => sessions.calls.length === 1);
    let settled = false;
    const demoted = service.demote().then(() => {
      settled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(settled, false, "demote waits for the request");
    gate.resolve();
    const reply = await asked;
    assert.equal(reply.status, 201);
    assert.equal(reply.headers.connection, "close");
    await within("demote", demoted);
  }));

test("a request that is not answered in time is reset, so that the client asks again at once", () =>
  withVsm({ drainMs: 50 }, async ({ service, create, sessions }) => {
    const gate = Promise.withResolvers<void>();
    sessions.hold = gate.promise;
    const asked = assert.rejects(create("ada"), { code: "ECONNRESET" });
    await until("the request to be in flight", () => sessions.calls.length === 1);
    await within("demote", service.demote());
    await within("the reset", asked);
    gate.resolve();
  }));

for (const tls of ["none", "generated"]) {
  test(`an idle connection is reset, tls: ${tls}`, () =>
    withVsm({ tls }, async ({ service, port }) => {
      const options = { host: haAddress, port, rejectUnauthorized: false };
      const idle = tls === "none" ? connectPlain(options) : connectTls(options);
      idle.resume();
      // A session ticket is the first that a server sends when the handshake is over for it too.
      await once(idle, tls === "none" ? "connect" : "session");
      await until("the server to have it", () => /1 connections/.test(service.describe()));
      const ended = once(idle, "error");
      await within("demote", service.demote());
      const [error] = await within("the reset", ended);
      assert.equal(error.code, "ECONNRESET");
    }));
}

test("a request that waits out a freeze ends when the node has handed over", () =>
  withVsm({ freezeWaitMs: 1000, drainMs: 1000 }, async ({ service, create, sessions }) => {
    sessions.refuse({ refusal: "frozen", message: "a handover", retryAfterMs: 50 });
    const asked = create("ada");
    await until("it to wait", () => sessions.calls.length >= 2);
    await service.demote();
    const reply = await asked;
    assert.deepEqual([reply.status, reply.body.code], [503, "notActive"]);
  }));

test("a port that is taken is said with a code, and a later start succeeds", async () => {
  const vsm = await makeVsm();
  const squatter = createServer().listen(vsm.port, "::");
  await once(squatter, "listening");
  await assert.rejects(vsm.service.start(), {
    code: "VSM_NOT_LISTENING",
    message: new RegExp(`port ${vsm.port}`),
  });
  squatter.close();
  await once(squatter, "close");
  await vsm.service.start();
  assert.equal(await vsm.service.health(), "healthy");
  await vsm.close();
});

for (const [what, options, message] of [
  ["the same agent twice", { agents: ["a", { name: "a" }] }, /twice/],
  ["an agent that is no name", { agents: ["a b"] }, /agents/],
  ["a weight of nothing", { agents: [{ name: "a", weight: 0 }] }, /weight/],
  ["authentication none where others can reach it", { authentication: "none" }, /allowEverybody/],
  ["a name to listen on", { listen: "tlha" }, /no IPv4 or IPv6 address/],
  ["half a certificate", { tls: { certificate: "c.pem" } }, /key/],
  ["a misspelt option", { agent: ["a"] }, /agent/],
] as const) {
  test(`${what} is refused by the schema`, () => {
    assert.throws(() => vsmPlugin.config.parse(options), message);
  });
}

test("authentication none is allowed on loopback", () => {
  const options = vsmPlugin.config.safeParse({ authentication: "none", listen: "127.0.0.1" });
  assert.ok(options.success);
});
