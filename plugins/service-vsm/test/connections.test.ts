/** How connections end: what was just answered in good order, what is idle with a reset, what is under way when it is done. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { until, within } from "@understudy/core/conformance/until";
import { type Connections, connectionsOf } from "../src/connections.js";

interface Bench {
  readonly connections: Connections;
  /** Answers that were not given yet, oldest first. */
  readonly waiting: ServerResponse[];
  client(): Promise<Client>;
}

interface Client {
  readonly socket: Socket;
  text(): string;
  readonly end: Promise<string>;
}

async function withBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const waiting: ServerResponse[] = [];
  const server = createServer((_request, response) => void waiting.push(response));
  const connections = connectionsOf(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = async (): Promise<Client> => {
    const socket = connect(address.port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    const end = new Promise<string>((resolve) => {
      socket.once("end", () => resolve("end"));
      socket.once("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? "error"));
    });
    await once(socket, "connect");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    return { socket, text: () => text, end };
  };
  try {
    await work({ connections, waiting, client });
  } finally {
    connections.resetAll();
    server.close();
  }
}

test("an answer given a moment ago is followed by an orderly end, never a reset that could undo it", () =>
  withBench(async ({ connections, waiting, client }) => {
    const { socket, text, end } = await client();
    await until("the request", () => waiting.length === 1);
    socket.pause();
    const response = waiting[0];
    response?.end("x".repeat(10_000));
    await until("the answer to be handed over", () => connections.inFlight === 0);
    await connections.drain(1000);
    socket.resume();
    assert.equal(await within("the end", end), "end");
    assert.match(text(), /x{10000}$/);
  }));

test("a request under way is waited for; the next one on its connection is not", () =>
  withBench(async ({ connections, waiting, client }) => {
    const { text, end } = await client();
    await until("the request", () => waiting.length === 1);
    const drained = connections.drain(20_000);
    waiting[0]?.setHeader("connection", "close").end("late");
    await within("the drain", drained);
    assert.equal(await within("the end", end), "end");
    assert.match(text(), /late$/);
  }));

test("a request that is not answered in time is reset", () =>
  withBench(async ({ connections, waiting, client }) => {
    const { end } = await client();
    await until("the request", () => waiting.length === 1);
    await within("the drain", connections.drain(10));
    assert.equal(await within("the end", end), "ECONNRESET");
    await until("it to be forgotten", () => connections.count === 0 && connections.inFlight === 0);
  }));

test("two drains at once both settle", () =>
  withBench(async ({ connections, waiting, client }) => {
    await client();
    await until("the request", () => waiting.length === 1);
    const both = Promise.all([connections.drain(20_000), connections.drain(20_000)]);
    waiting[0]?.end("done");
    await within("both drains", both, 5000);
  }));
