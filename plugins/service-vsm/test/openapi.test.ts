/** The OpenAPI document is made from the routes: every route that the server has is in it, and it holds together. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { recordingLog } from "@understudy/core/conformance/capabilities";
import { createApp } from "../src/app.js";
import { openApiDocument } from "../src/openapi.js";
import { placement } from "../src/placement.js";
import { routes } from "../src/routes.js";
import { fakeSessionApi } from "./fake-session-api.js";
import { startVsm } from "./running-vsm.js";

const table = routes({
  sessions: fakeSessionApi(),
  placement: placement(
    [],
    () => new Map(),
    () => 0,
  ),
  serving: () => undefined,
  freezeWaitMs: 0,
});

// biome-ignore lint/suspicious/noExplicitAny: the document is looked into as a reader of it would
const document = openApiDocument(table, "token") as any;

test("every route that the server has is in the document, and no other", async () => {
  const app = createApp({
    routes: table,
    certificate: undefined,
    authentication: "token",
    tokens: { verify: () => undefined },
    servedAt: undefined,
    serving: () => false,
    log: recordingLog(),
  });
  await app.ready();
  const documented = Object.entries(document.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.ok(documented.length >= 6);
  for (const entry of documented) {
    const [method = "", path = ""] = entry.split(" ");
    const url = path.replaceAll(/\{(\w+)\}/g, ":$1");
    assert.ok(app.hasRoute({ method, url } as Parameters<typeof app.hasRoute>[0]), `${entry} is served`);
  }
  // Fastify prints what it has, one route or method a line.
  const printed = app.printRoutes({ commonPrefix: false });
  const served = [...printed.matchAll(/\(([A-Z, ]+)\)/g)].flatMap(([, methods = ""]) => methods.split(", "));
  assert.deepEqual(served.toSorted(), documented.map((entry) => entry.split(" ")[0]).toSorted(), printed);
  await app.close();
});

test("every reference leads somewhere", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  assert.ok(references.length > 10);
  const names = Object.keys(document.components.schemas);
  assert.deepEqual(
    references.map(([, name = ""]) => name).filter((name) => !names.includes(name)),
    [],
  );
  assert.deepEqual(names.toSorted(), ["Created", "Ended", "Found", "Page", "Problem", "Session", "Status"]);
});

test("requests are described by the schemas that check them", () => {
  const create = document.paths["/v1/sessions"].post;
  const body = create.requestBody.content["application/json"].schema;
  assert.deepEqual(body.required, ["user"]);
  assert.equal(body.properties.user.maxLength, 256);
  assert.equal(body.additionalProperties, false);
  const [key] = create.parameters;
  assert.deepEqual([key.name, key.in, key.required], ["idempotency-key", "header", false]);
  const list = document.paths["/v1/sessions"].get;
  const names = list.parameters.map(
    ({ name, in: place }: { name: string; in: string }) => `${place} ${name}`,
  );
  assert.deepEqual(names, ["query user", "query agent", "query includeEnded", "query after", "query limit"]);
  assert.deepEqual(Object.keys(create.responses), [
    "200",
    "201",
    "400",
    "401",
    "403",
    "409",
    "413",
    "415",
    "421",
    "500",
    "503",
    "507",
  ]);
});

test("only what asks for no token is without one", () => {
  const open = Object.entries(document.paths as Record<string, Record<string, { security: object[] }>>)
    .filter(([, methods]) => Object.values(methods).some(({ security }) => security.length === 0))
    .map(([path]) => path);
  assert.deepEqual(open.toSorted(), ["/v1/openapi.json", "/v1/status"]);
});

test("it is served, without a token and in every role", async () => {
  const vsm = await startVsm();
  try {
    await vsm.service.demote();
    const reply = await vsm.ask("/v1/openapi.json", { token: undefined, host: "127.0.0.1" });
    assert.equal(reply.status, 200);
    assert.equal(reply.body.openapi, "3.1.0");
  } finally {
    await vsm.close();
  }
});
