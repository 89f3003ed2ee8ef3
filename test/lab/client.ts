/**
 * A client of the service on the segment: asks over HTTP from the client's namespace and gets answers or the reason why
 * none came. Knows the session broker's API well enough to create, look up and end sessions, and nothing more.
 */

import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Segment } from "./segment.js";

export interface ClientRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Default 1000. */
  readonly timeoutMs?: number;
}

export interface ClientAnswer {
  /** 0 when no answer came. */
  readonly status: number;
  readonly body: unknown;
  /** The system's error code, or the reason. */
  readonly error: string | undefined;
  /** CLOCK_MONOTONIC of this host. */
  readonly sentMs: number;
  readonly answeredMs: number;
}

export interface Client {
  ask(request: ClientRequest): Promise<ClientAnswer>;
  stop(): void;
}

export async function startClient(segment: Segment, machine = "client"): Promise<Client> {
  const script = fileURLToPath(new URL("./client-process.js", import.meta.url));
  const child = segment.start(machine, process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("the client has no pipes");
  const waiting = new Map<number, (answer: ClientAnswer) => void>();
  const ready = Promise.withResolvers<void>();
  createInterface({ input: stdout }).on("line", (line) => {
    if (line === "ready") return ready.resolve();
    const { id, answer } = JSON.parse(line) as { id: number; answer: ClientAnswer };
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  child.once("exit", (code) => ready.reject(new Error(`the client ended with ${code}`)));
  await ready.promise;
  let asked = 0;
  return {
    ask: (request) =>
      new Promise((resolve) => {
        asked += 1;
        waiting.set(asked, resolve);
        stdin.write(`${JSON.stringify({ id: asked, request })}\n`);
      }),
    stop: () => stdin.end(),
  };
}
