/** As much of Redis's protocol as the benchmark needs: commands out, simple answers in, in order, on one connection. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RedisConnection {
  /** Resolves with the answer: a number, a text, null. Rejects with what Redis calls an error. */
  send(...words: readonly string[]): Promise<string | number | null>;
  close(): void;
}

interface Waiting {
  readonly resolve: (answer: string | number | null) => void;
  readonly reject: (error: Error) => void;
}

export async function connectRedis(port: number): Promise<RedisConnection> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const waiting: Waiting[] = [];
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text = readAnswers(text + chunk, waiting);
  });
  const lost = () => {
    for (const { reject } of waiting.splice(0)) reject(new Error("the connection to Redis is gone"));
  };
  socket.on("close", lost);
  socket.on("error", lost);
  return { send: (...words) => sendCommand(socket, waiting, words), close: () => socket.destroy() };
}

function sendCommand(
  socket: Socket,
  waiting: Waiting[],
  words: readonly string[],
): Promise<string | number | null> {
  return new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
    socket.write(
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`,
    );
  });
}

/** Hands whole answers to those who wait for them. Returns what is left: the beginning of the next one. */
function readAnswers(text: string, waiting: Waiting[]): string {
  let at = 0;
  for (;;) {
    const end = text.indexOf("\r\n", at);
    if (end === -1) return text.slice(at);
    const value = text.slice(at + 1, end);
    let next = end + 2;
    let answer: string | number | null | Error = value;
    if (text[at] === ":") answer = Number(value);
    else if (text[at] === "-") answer = new Error(value);
    else if (text[at] === "$") {
      const length = Number(value);
      if (length < 0) answer = null;
      else {
        if (text.length < next + length + 2) return text.slice(at);
        answer = text.slice(next, next + length);
        next += length + 2;
      }
    }
    const first = waiting.shift();
    if (answer instanceof Error) first?.reject(answer);
    else first?.resolve(answer);
    at = next;
  }
}
