/**
 * The members of one etcd cluster behind one `call`: the one that answered last is asked first, the next when it does
 * not answer within its share of the time. Logs in where a user is given, and again when etcd no longer knows the token.
 */

import type { Clock, Log } from "@understudy/core/public";
import { loginAnswer } from "./answers.js";
import {
  type Connections,
  callMember,
  checked,
  clusterOf,
  NoAnswer,
  oneLine,
  Refused,
  type TlsMaterial,
} from "./one-call.js";
import type { EtcdOptions } from "./options.js";
import { readPassword, readTlsFiles } from "./tls-files.js";

export interface Members {
  /** Reads the files that the config names; throws where one is missing. Asks nobody yet. */
  open(): Promise<void>;
  /**
   * Asks until one answers, `deadlineMs` on the monotonic clock is over, or `signal` is aborted. Rejects with Refused,
   * or with NoAnswer that says what became of each member. A request may have been carried out all the same.
   */
  call(path: string, body: unknown, deadlineMs: number, signal: AbortSignal): Promise<unknown>;
  close(): void;
  /** The member that answered last, such as "https://etcd1:2379". */
  readonly lastAnswered: string | undefined;
}

/** gRPC status codes (google.rpc.Code): these say something about the member, not about the request. */
const memberCodes: ReadonlySet<number> = new Set([1, 2, 4, 8, 10, 13, 14, 15]);
const unauthenticated = 16;
const invalidArgument = 3;

/** How long the cluster that was heard first must be silent before another one is believed; above any grant. */
const forgetClusterMs = 60_000;
const rereadFilesMs = 60_000;

/** etcd forgets tokens after five minutes without use and at changes of its users (auth.md, "simple tokens"). */
function wantsNewLogin(error: unknown): boolean {
  if (!(error instanceof Refused)) return false;
  return (
    error.code === unauthenticated ||
    (error.code === invalidArgument && /revision of auth store is old|user name is empty/.test(error.message))
  );
}

function sameMaterial(one: TlsMaterial, other: TlsMaterial): boolean {
  const text = ({ ca, cert, key }: TlsMaterial) =>
    [ca, cert, key].map((part) => part?.toString("base64") ?? "").join(" ");
  return text(one) === text(other);
}

/** `onNewCluster`: what was read before says nothing any more. */
export function etcdMembers(options: EtcdOptions, clock: Clock, log: Log, onNewCluster: () => void): Members {
  let order = [...options.endpoints];
  let connections: Connections | undefined;
  let tls: TlsMaterial = {};
  let readAtMs = 0;
  let password: string | undefined;
  let token: string | undefined;
  let cluster: { readonly id: string; heardMs: number } | undefined;
  let lastAnswered: string | undefined;

  async function connect(material: TlsMaterial): Promise<Connections> {
    const [http, https] = await Promise.all([import("node:http"), import("node:https")]);
    const kept = { keepAlive: true, maxSockets: 4, scheduling: "lifo" } as const;
    tls = material;
    return {
      http,
      https,
      agents: { http: new http.Agent(kept), https: new https.Agent({ ...kept, ...material }) },
    };
  }

  async function open(): Promise<Connections> {
    const [material, secret] = await Promise.all([readTlsFiles(options), readPassword(options)]);
    password = secret;
    readAtMs = clock.nowMs();
    if (connections !== undefined && sameMaterial(material, tls)) return connections;
    // Requests under way over the earlier connections end with them, and are asked again.
    close();
    connections = await connect(material);
    return connections;
  }

  function close(): void {
    connections?.agents.http.destroy();
    connections?.agents.https.destroy();
    connections = undefined;
  }

  /** A certificate or password that was renewed on disk is taken up without a restart. */
  async function freshConnections(): Promise<Connections> {
    if (connections !== undefined && clock.nowMs() - readAtMs < rereadFilesMs) return connections;
    try {
      return await open();
    } catch (error) {
      if (connections === undefined) throw error;
      readAtMs = clock.nowMs();
      log.warn(
        { error },
        "the files of the etcd arbiter cannot be read anew; it goes on with the earlier ones",
      );
      return connections;
    }
  }

  /** Two clusters behind one list of endpoints would grant two nodes at once. */
  function checkCluster(body: unknown): void {
    const id = clusterOf(body);
    const nowMs = clock.nowMs();
    if (cluster !== undefined && cluster.id !== id && nowMs - cluster.heardMs < forgetClusterMs)
      throw new NoAnswer(`it belongs to etcd cluster ${id}, and the others to ${cluster.id}`);
    if (cluster !== undefined && cluster.id !== id) {
      log.warn({ before: cluster.id, now: id }, "another etcd cluster answers at the endpoints than before");
      onNewCluster();
    }
    cluster = { id, heardMs: nowMs };
  }

  async function askOne(
    endpoint: string,
    path: string,
    body: unknown,
    endMs: number,
    signal: AbortSignal,
  ): Promise<unknown> {
    const made = await freshConnections();
    const one = async (onePath: string, oneBody: unknown) => {
      const timeoutMs = endMs - clock.nowMs();
      const answer = await callMember(made, {
        endpoint,
        path: onePath,
        body: oneBody,
        token,
        timeoutMs,
        signal,
      });
      checkCluster(answer);
      return answer;
    };
    const login = async () => {
      token = undefined;
      if (options.user === undefined) return;
      const answer = await one("/v3/auth/authenticate", { name: options.user, password: password ?? "" });
      token = checked(loginAnswer, answer).token;
    };
    if (token === undefined) await login();
    try {
      return await one(path, body);
    } catch (error) {
      if (options.user === undefined || !wantsNewLogin(error)) throw error;
      await login();
      return await one(path, body);
    }
  }

  return {
    async open() {
      await open();
    },
    async call(path, body, deadlineMs, signal) {
      const failures: string[] = [];
      const tried = [...order];
      for (const [index, endpoint] of tried.entries()) {
        const nowMs = clock.nowMs();
        const left = deadlineMs - nowMs;
        if (left <= 0 || signal.aborted) break;
        const share = Math.min(options.requestTimeoutMs, left / (tried.length - index));
        try {
          const answer = await askOne(endpoint, path, body, nowMs + share, signal);
          lastAnswered = endpoint;
          order = [endpoint, ...options.endpoints.filter((other) => other !== endpoint)];
          return answer;
        } catch (error) {
          if (error instanceof Refused && !memberCodes.has(error.code)) throw error;
          failures.push(
            `${new URL(endpoint).host}: ${oneLine(String((error as Error).message ?? error), 110)}`,
          );
        }
      }
      if (signal.aborted) throw new NoAnswer("the question was called off");
      throw new NoAnswer(failures.length === 0 ? "there was no time left to ask" : failures.join("; "));
    },
    close,
    get lastAnswered() {
      return lastAnswered;
    },
  };
}
