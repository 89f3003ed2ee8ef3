/** A started service for a test, at an HA address on loopback, with a client that speaks JSON to it. */

import { once } from "node:events";
import { type Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { createServer } from "node:net";
import {
  makePlugin,
  monotonicClock,
  type RecordingLog,
  recordingLog,
  type TestFolders,
  testFolders,
  testNode,
} from "@understudy/core/conformance/capabilities";
import type { Service, TokenVerifier } from "@understudy/core/public";
import vsm from "../src/plugin.js";
import { type FakeSessionApi, fakeSessionApi } from "./fake-session-api.js";

export const haAddress = "127.0.0.3";
export const writeToken = "write-token";
export const readToken = "read-token";

const tokens: TokenVerifier = {
  verify(token) {
    if (token === writeToken) return { id: "1", name: "writer", scope: "write" };
    return token === readToken ? { id: "2", name: "reader", scope: "read" } : undefined;
  },
};

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came back
  readonly body: any;
}

export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string | undefined;
  readonly host?: string;
  readonly agent?: Agent;
}

export interface RunningVsm {
  readonly service: Service;
  readonly sessions: FakeSessionApi;
  readonly log: RecordingLog;
  readonly folders: TestFolders;
  readonly port: number;
  ask(path: string, ask?: Ask): Promise<Reply>;
  create(user: string, more?: object, ask?: Ask): Promise<Reply>;
  close(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Not started. */
export async function makeVsm(options: object = {}): Promise<RunningVsm> {
  const sessions = fakeSessionApi();
  const log = recordingLog();
  const folders = testFolders();
  const port = await freePort();
  const service = makePlugin(
    vsm,
    { agents: ["agent1", "agent2"], tls: "none", port, ...options },
    { sessions, tokens, node: testNode(), folders, clock: monotonicClock(), log },
  );
  const ask = (path: string, given: Ask = {}) => askJson(port, path, given);
  return {
    service,
    sessions,
    log,
    folders,
    port,
    ask,
    create: (user, more = {}, given = {}) =>
      ask("/v1/sessions", { method: "POST", body: { user, ...more }, ...given }),
    async close() {
      await service.stop();
      folders.remove();
    },
  };
}

export async function startVsm(options: object = {}): Promise<RunningVsm> {
  const running = await makeVsm(options);
  await running.service.start();
  await running.service.promote(1);
  return running;
}

function askJson(port: number, path: string, given: Ask): Promise<Reply> {
  const { method = "GET", body, headers = {}, host = haAddress, agent } = given;
  const token = "token" in given ? given.token : writeToken;
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host,
        port,
        path,
        method,
        agent: agent ?? false,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const received = Buffer.concat(chunks).toString();
          const json = response.headers["content-type"]?.includes("json") ?? false;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: json ? JSON.parse(received) : received,
          });
        });
      },
    );
    request.on("error", reject);
    request.end(text);
  });
}
