/** Whatever sits where etcd should be, and however it behaves: nothing is granted, in time, with a sentence. */

import assert from "node:assert/strict";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { contender, freshCluster } from "./contenders.js";
import { nowMs } from "./etcd-members.js";

type Answering = (path: string, response: ServerResponse, request: IncomingMessage) => void;

interface Impostor {
  readonly endpoint: string;
  close(): Promise<void>;
}

function listening(server: Server): Promise<Impostor> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("no port");
      resolve({
        endpoint: `http://127.0.0.1:${address.port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    }),
  );
}

const overHttp = (answering: Answering) =>
  listening(
    createHttpServer((request, response) => {
      request.resume();
      request.on("end", () => answering(request.url ?? "", response, request));
    }),
  );

const says = (status: number, body: string | object) => (_: string, response: ServerResponse) => {
  response.statusCode = status;
  response.end(typeof body === "string" ? body : JSON.stringify(body));
};

const header = { cluster_id: "1", member_id: "2", revision: "3", raft_term: "4" };
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64");

/** An etcd that works, except for what `wrong` says otherwise. */
function nearlyEtcd(cluster: string, wrong: Readonly<Record<string, object | undefined>>): Answering {
  const record = { epoch: 0, node: "one", ttlMs: 2000, released: true };
  const kvs = [
    {
      key: Buffer.from(`/understudy/${cluster}/record`).toString("base64"),
      value: encode(record),
      mod_revision: "2",
    },
  ];
  const right: Readonly<Record<string, object>> = {
    "/v3/kv/range": { header, kvs, count: "1" },
    "/v3/lease/grant": { header, ID: "77", TTL: "2" },
    "/v3/lease/keepalive": { result: { header, ID: "77", TTL: "2" } },
    "/v3/kv/txn": { header, succeeded: true },
  };
  return (path, response) => says(200, wrong[path] ?? right[path] ?? {})(path, response);
}

async function ruledBy(impostor: Impostor, cluster = freshCluster()) {
  const { arbiter, ask } = await contender("one", cluster, {
    endpoints: [impostor.endpoint],
    ttlSeconds: 2,
    requestTimeoutMs: 1500,
  });
  try {
    const fromMs = nowMs();
    const ruling = await ask(1);
    assert.ok(nowMs() - fromMs < 5000, "in time");
    return ruling;
  } finally {
    await arbiter.stop();
    await impostor.close();
  }
}

test("the etcd that works does: it is what the others are measured by", async () => {
  const cluster = freshCluster();
  const ruling = await ruledBy(await overHttp(nearlyEtcd(cluster, {})), cluster);
  assert.equal(ruling.verdict, "granted", ruling.why);
});

for (const [what, answering, why] of [
  ["garbage", says(200, "\0\x01garbage\r\n"), /HTTP 200 with what is no answer of etcd/],
  ["a page of a proxy", says(502, "<html>\n<h1>Bad Gateway</h1>"), /HTTP 502 with .*<html> <h1>Bad/],
  ["an error without a body", says(500, ""), /HTTP 500/],
  ["another service's JSON", says(200, { status: "ok" }), /an answer that etcd does not give/],
  ["a redirect", says(301, "elsewhere"), /HTTP 301/],
  ["a list", says(200, []), /an answer that etcd does not give/],
  ["null", says(200, "null"), /an answer that etcd does not give/],
  ["an answer without end", says(200, "x".repeat(300_000)), /more than 262144 bytes/],
  ["an error of etcd", says(503, { code: 14, message: "etcdserver: no leader" }), /no leader/],
  ["a refusal of etcd", says(403, { code: 7, error: "etcdserver: permission denied" }), /permission denied/],
  [
    "an error in a stream",
    says(200, { error: { grpc_code: 14, message: "leader changed" } }),
    /leader changed/,
  ],
  ["silence", () => undefined, /no answer within 1500 ms/],
  ["half an answer", (_, response) => void response.writeHead(200).write("{"), /no answer within 1500 ms/],
  ["a connection closed at once", (_, __, request) => request.socket.destroy(), /socket hang up|ECONNRESET/],
  [
    "a connection closed in the middle",
    (_, response, request) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"header":', () => request.socket.destroy());
    },
    /closed in the middle|aborted|ECONNRESET/,
  ],
] as const satisfies readonly (readonly [string, Answering, RegExp])[]) {
  test(`${what} grants nothing`, async () => {
    const ruling = await ruledBy(await overHttp(answering));
    assert.equal(ruling.verdict, "unknown");
    assert.equal(ruling.untilMs, undefined);
    assert.match(ruling.why, why);
    assert.match(ruling.why, /^[^\p{Cc}]{10,500}$/u);
  });
}

test("what speaks no HTTP grants nothing", async () => {
  const ssh = createTcpServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
  const { verdict, why } = await ruledBy(await listening(ssh));
  assert.equal(verdict, "unknown");
  assert.match(why, /Parse Error|ECONNRESET|hang up/);
});

for (const [what, wrong, why] of [
  ["a lease without time", { "/v3/lease/grant": { header, ID: "77" } }, /over already/],
  ["a lease with a time below zero", { "/v3/lease/grant": { header, ID: "77", TTL: "-1" } }, /over already/],
  [
    "a lease with words for a time",
    { "/v3/lease/grant": { header, ID: "77", TTL: "soon" } },
    /result.TTL|TTL/,
  ],
  ["a transaction that says nothing", { "/v3/kv/txn": { header } }, /changed under each of our attempts/],
  [
    "a transaction without its revision",
    { "/v3/kv/txn": { header: { cluster_id: "1" }, succeeded: true } },
    /revision/,
  ],
  [
    "a revision beyond what a number holds",
    { "/v3/kv/txn": { header: { ...header, revision: "9".repeat(19) }, succeeded: true } },
    /revision/,
  ],
  [
    "keys that are no base64",
    { "/v3/kv/range": { header, kvs: [{ key: "?", value: "?", mod_revision: "1" }] } },
    /kvs.0.key/,
  ],
] as const) {
  test(`${what} grants nothing`, async () => {
    const cluster = freshCluster();
    const ruling = await ruledBy(await overHttp(nearlyEtcd(cluster, wrong)), cluster);
    assert.equal(ruling.verdict, "unknown", ruling.why);
    assert.match(ruling.why, why);
  });
}

test("a renewal whose lease has ended begins a new one", async () => {
  const cluster = freshCluster();
  const leases: string[] = [];
  const working = nearlyEtcd(cluster, { "/v3/lease/keepalive": { result: { header, ID: "77" } } });
  const impostor = await overHttp((path, response, request) => {
    if (path.startsWith("/v3/lease")) leases.push(path);
    working(path, response, request);
  });
  const { arbiter, ask } = await contender("one", cluster, { endpoints: [impostor.endpoint], ttlSeconds: 2 });
  try {
    for (let count = 0; count < 2; count += 1) assert.equal((await ask(1)).verdict, "granted");
    assert.deepEqual(leases, ["/v3/lease/grant", "/v3/lease/keepalive", "/v3/lease/grant"]);
  } finally {
    await arbiter.stop();
    await impostor.close();
  }
});

test("a slow answer shortens the grant", async () => {
  const cluster = freshCluster();
  const working = nearlyEtcd(cluster, {});
  const impostor = await overHttp(
    (path, response, request) =>
      void setTimeout(() => working(path, response, request), path === "/v3/kv/txn" ? 600 : 0),
  );
  // A busy machine adds its own to the 600 ms.
  const options = { endpoints: [impostor.endpoint], ttlSeconds: 2, requestTimeoutMs: 4000 };
  const { arbiter, ask } = await contender("one", cluster, options);
  try {
    const { verdict, untilMs } = await ask(1);
    assert.equal(verdict, "granted");
    assert.ok(untilMs !== undefined && untilMs - nowMs() < 2000 - 600);
  } finally {
    await arbiter.stop();
    await impostor.close();
  }
});

test("an endpoint that hangs costs its share alone, and the next one answers", async () => {
  const cluster = freshCluster();
  const silent = await overHttp(() => undefined);
  const working = await overHttp(nearlyEtcd(cluster, {}));
  const { arbiter, ruled } = await contender("one", cluster, {
    endpoints: [silent.endpoint, working.endpoint],
    requestTimeoutMs: 300,
  });
  try {
    await ruled(1, "granted");
    assert.ok(arbiter.describe().includes(working.endpoint));
  } finally {
    await arbiter.stop();
    await silent.close();
    await working.close();
  }
});

for (const [what, options, message] of [
  ["no endpoint", { endpoints: [] }, /endpoints/],
  ["an endpoint with a path", { endpoints: ["http://e:2379/v3"] }, /without a path/],
  ["an endpoint without a scheme", { endpoints: ["e:2379"] }, /must be like/],
  ["an endpoint twice", { endpoints: ["http://e:1", "http://e:1"] }, /twice/],
  ["a user without a password", { endpoints: ["http://e:1"], user: "u" }, /passwordFile/],
  [
    "a certificate without its key",
    { endpoints: ["https://e:1"], tls: { certificate: "/c" } },
    /needs its key/,
  ],
  ["TLS that nobody uses", { endpoints: ["http://e:1"], tls: { ca: "/c" } }, /no endpoint begins with https/],
  ["a time that etcd would not grant", { endpoints: ["http://e:1"], ttlSeconds: 1 }, /ttlSeconds/],
  ["a prefix that ends with a slash", { endpoints: ["http://e:1"], prefix: "/a/" }, /prefix/],
] as const) {
  test(`${what} is refused by the schema`, () => assert.rejects(contender("one", "x", options), message));
}
