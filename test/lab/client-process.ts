/**
 * An HTTP client in the client's namespace, driven by JSON lines: one request a line in, one answer a line out. Each
 * request has a connection of its own and a limit, as an impatient client would have.
 */

import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { createInterface } from "node:readline";
import type { ClientAnswer, ClientRequest } from "./client.js";

function ask(id: number, asked: ClientRequest): void {
  const sentMs = monotonicMs();
  const answer = (rest: Omit<ClientAnswer, "sentMs" | "answeredMs">) => {
    process.stdout.write(
      `${JSON.stringify({ id, answer: { ...rest, sentMs, answeredMs: monotonicMs() } })}\n`,
    );
  };
  const url = new URL(asked.url);
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
  const sent = request(
    url,
    {
      method: asked.method,
      agent: false,
      rejectUnauthorized: false,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...asked.headers },
    },
    (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        answer({ status: response.statusCode ?? 0, body: parse(text), error: undefined }),
      );
      response.on("error", (error) => answer({ status: 0, body: undefined, error: error.message }));
    },
  );
  sent.setTimeout(asked.timeoutMs ?? 1000, () => sent.destroy(new Error("no answer in time")));
  sent.on("error", (error: NodeJS.ErrnoException) =>
    answer({ status: 0, body: undefined, error: error.code ?? error.message }),
  );
  sent.end(body);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { id, request } = JSON.parse(line) as { id: number; request: ClientRequest };
    ask(id, request);
  })
  .on("close", () => process.exit(0));
process.stdout.write("ready\n");
