/**
 * One request to one member of etcd, over HTTP or HTTPS, with a deadline. Everything that is no answer of etcd (silence,
 * a closed connection, a proxy's page, garbage) ends as a failure with one line for people.
 */

import type * as Http from "node:http";
import type * as Https from "node:https";
import { z } from "@understudy/core/public";
import { anyAnswer, refusalIn } from "./answers.js";

const mostBytes = 256 * 1024;

export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
}

export interface Connections {
  readonly http: typeof Http;
  readonly https: typeof Https;
  /** Kept open between requests. */
  readonly agents: { readonly http: Http.Agent; readonly https: Https.Agent };
}

/** The member did not answer as a member of etcd does: another one may. */
export class NoAnswer extends Error {}

/** etcd answered, and the answer is no. */
export class Refused extends Error {
  constructor(
    readonly code: number,
    text: string,
  ) {
    super(text);
  }
}

export interface Call {
  readonly endpoint: string;
  /** Such as "/v3/kv/txn". */
  readonly path: string;
  readonly body: unknown;
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Resolves with the parsed body of an answer that names its cluster; rejects with NoAnswer or Refused. */
export async function callMember(connections: Connections, call: Call): Promise<unknown> {
  const { status, text } = await post(connections, call);
  const body = parsed(text);
  const refusal = body === undefined ? undefined : refusalIn(body);
  if (refusal !== undefined) throw new Refused(refusal.code, oneLine(refusal.text, 120));
  if (status !== 200 || body === undefined)
    throw new NoAnswer(`HTTP ${status} with what is no answer of etcd: "${oneLine(text, 40)}"`);
  return body;
}

/** The cluster that an answer comes from. */
export function clusterOf(body: unknown): string {
  const inner = z.looseObject({ result: z.unknown() }).safeParse(body);
  return checked(anyAnswer, inner.success ? inner.data.result : body).header.cluster_id;
}

export function checked<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new NoAnswer(`an answer that etcd does not give (${issue?.path.join(".")}: ${issue?.message})`);
}

export function oneLine(text: string, most: number): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function post(
  { http, https, agents }: Connections,
  { endpoint, path, body, token, timeoutMs, signal }: Call,
): Promise<{ readonly status: number; readonly text: string }> {
  const url = new URL(path, endpoint);
  const secure = url.protocol === "https:";
  const payload = JSON.stringify(body);
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(payload),
    ...(token === undefined ? {} : { authorization: token }),
  };
  const limit = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
  const options = { method: "POST", headers, signal: AbortSignal.any([signal, limit]) };
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      if (signal.aborted) reject(new NoAnswer("the question was called off"));
      else if (limit.aborted) reject(new NoAnswer(`no answer within ${Math.ceil(timeoutMs)} ms`));
      else reject(new NoAnswer(oneLine(error.message || error.name, 100)));
    };
    const request = secure
      ? https.request(url, { ...options, agent: agents.https })
      : http.request(url, { ...options, agent: agents.http });
    request.on("error", fail);
    request.on("response", (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on("data", (part: Buffer) => {
        bytes += part.length;
        if (bytes > mostBytes) request.destroy(new Error(`an answer of more than ${mostBytes} bytes`));
        else parts.push(part);
      });
      response.on("error", fail);
      response.on("close", () => {
        if (response.complete)
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") });
        else fail(new Error("the connection was closed in the middle of an answer"));
      });
    });
    request.end(payload);
  });
}
