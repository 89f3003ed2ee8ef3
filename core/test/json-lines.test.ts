/** Lines arrive whole, whatever the pieces; what is no line of ours ends the connection; a client finds its way back. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { UnderstudyError } from "../src/errors/error.js";
import { type JsonLines, listenJsonLines, reconnectJsonLines } from "../src/ipc/json-lines.js";
import { createLineSplitter, maxLineBytes } from "../src/ipc/line-splitter.js";
import { deadline } from "./deadline.js";

interface Message {
  readonly n: number;
  readonly text?: string;
}

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-lines-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("lines are cut at newlines, across pieces and inside of characters", () => {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  for (const byte of Buffer.from('{"a":"é€"}\n\n{"b":1}\n{"c"')) splitter.push(Uint8Array.of(byte));
  assert.deepEqual(lines, ['{"a":"é€"}', '{"b":1}']);
  splitter.push(Buffer.from(":2}\n"));
  assert.equal(lines[2], '{"c":2}');
});

test("a line longer than allowed ends the stream and holds no memory", () => {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line), 10);
  assert.equal(splitter.push(Buffer.from("0123456789\n")), true);
  assert.equal(splitter.push(Buffer.from("01234567")), true);
  assert.equal(splitter.push(Buffer.from("890")), false);
  assert.equal(splitter.push(Buffer.from("\nab\n")), false);
  assert.deepEqual(lines, ["0123456789"]);
});

test("a client reconnects, and both sides are told of every end", async () => {
  const path = join(folder, "a.sock");
  const seen: string[] = [];
  const heard = Promise.withResolvers<void>();
  const serve = () =>
    listenJsonLines<Message, Message>({
      path,
      connected(connection) {
        return {
          message: ({ n }) => void connection.send({ n: n + 1 }),
          closed: () => void seen.push("server closed"),
        };
      },
    });
  const first = await serve();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const closed = Promise.withResolvers<void>();
  let opened = 0;
  const client = reconnectJsonLines<Message, Message>({
    path,
    retryMs: 5,
    opened: () => {
      opened += 1;
      client.send({ n: opened });
    },
    message: ({ n }) => {
      seen.push(`answer ${n}`);
      if (n === 2) void first.close();
      if (n === 3) heard.resolve();
    },
    closed: () => closed.resolve(),
  });
  await deadline(closed.promise, "the client notices the end");
  const second = await serve();
  await deadline(heard.promise, "the second answer");
  client.close();
  await second.close();
  assert.deepEqual(seen.slice(0, 3), ["answer 2", "server closed", "answer 3"]);
});

test("a dead server's socket is replaced, a living one's is not", async () => {
  const path = join(folder, "b.sock");
  writeFileSync(path, "");
  const options = { path, connected: () => ({ message: () => {}, closed: () => {} }) };
  const server = await listenJsonLines(options);
  await assert.rejects(listenJsonLines(options), (error) => {
    assert.ok(error instanceof UnderstudyError);
    assert.equal(error.code, "IPC_IN_USE");
    return true;
  });
  await server.close();
  const nowhere = { ...options, path: join(folder, "no/folder.sock") };
  await assert.rejects(listenJsonLines(nowhere), { code: "IPC_NOT_LISTENING" });
});

test("what is no JSON object, or too long, ends the connection", async () => {
  const path = join(folder, "c.sock");
  const reasons: string[] = [];
  const messages: Message[] = [];
  const server = await listenJsonLines<Message, Message>({
    path,
    connected: () => ({
      message: (message) => void messages.push(message),
      closed: (reason) => void reasons.push(reason),
    }),
  });
  for (const bytes of ["[1]\n", "nonsense\n", "null\n", "x".repeat(maxLineBytes + 2)]) {
    const socket = connect(path);
    socket.on("error", () => {});
    socket.write(`{"n":1}\n${bytes}`);
    await deadline(once(socket, "close"), "the connection is ended");
  }
  assert.equal(messages.length, 4);
  assert.equal(reasons.length, 4);
  assert.match(reasons[0] ?? "", /no JSON object/);
  assert.match(reasons[3] ?? "", /longer than/);
  await server.close();
});

test("lines too long to be read are not sent, nor what a reader never takes", async () => {
  const path = join(folder, "d.sock");
  const connected = Promise.withResolvers<JsonLines<Message>>();
  const server = await listenJsonLines<Message, Message>({
    path,
    connected(connection) {
      connected.resolve(connection);
      return { message: () => {}, closed: () => {} };
    },
  });
  const silent = connect({ path, onread: { buffer: Buffer.alloc(1), callback: () => false } });
  const connection = await deadline(connected.promise, "the connection");
  assert.equal(connection.send({ n: 1, text: "x".repeat(maxLineBytes) }), false);
  let sent = 0;
  while (sent < 100 && connection.send({ n: sent, text: "x".repeat(maxLineBytes / 2) })) sent += 1;
  assert.ok(sent > 8 && sent < 50, `stopped after ${sent} lines`);
  silent.destroy();
  await server.close();
});

test("a server that never was is waited for", async () => {
  const path = join(folder, "e.sock");
  const opened = Promise.withResolvers<void>();
  const client = reconnectJsonLines<Message, Message>({
    path,
    retryMs: 1,
    opened: () => opened.resolve(),
    message: () => {},
    closed: () => {},
  });
  assert.equal(client.send({ n: 1 }), false);
  const server = createServer((socket) => socket.resume());
  server.listen(path);
  await deadline(opened.promise, "the connection");
  assert.equal(client.isOpen, true);
  client.close();
  server.close();
});

test("the last words of a server that closes arrive also while its client is writing", async () => {
  const path = join(folder, "last.sock");
  const heard: number[] = [];
  const over = Promise.withResolvers<void>();
  let closing: Promise<void> | undefined;
  const server = await listenJsonLines<Message, Message>({
    path,
    connected: (connection) => ({
      message() {
        if (closing !== undefined) return;
        for (let n = 1; n <= 3; n += 1) connection.send({ n });
        closing = server.close();
      },
      closed() {},
    }),
  });
  const client = reconnectJsonLines<Message, Message>({
    path,
    opened() {
      const write = (): void => {
        if (client.send({ n: 0 })) setImmediate(write);
      };
      write();
    },
    message: ({ n }) => void heard.push(n),
    closed: () => over.resolve(),
  });
  await deadline(over.promise, "the end of the connection");
  client.close();
  await closing;
  assert.deepEqual(heard, [1, 2, 3]);
});
