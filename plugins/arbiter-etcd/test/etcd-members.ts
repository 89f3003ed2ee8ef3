/**
 * A real etcd for tests, of one or three members on loopback, each of which can be killed, paused and started again, and
 * gates in front of them that let nothing through when shut. Only inside a private network: its ports are fixed.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { until, within } from "@understudy/core/conformance/until";

export interface EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  kill(): Promise<void>;
  /** SIGSTOP: it is silent, and its connections stay open. */
  pause(): void;
  resume(): void;
  start(): void;
}

export interface EtcdMembers {
  readonly members: readonly EtcdMember[];
  readonly endpoints: readonly string[];
  /** Of an etcd with a leader. */
  leader(): Promise<EtcdMember>;
  ready(): Promise<void>;
  put(key: string, value: string): Promise<void>;
  dispose(): Promise<void>;
}

export interface EtcdSetUp {
  readonly count?: number;
  /** Further flags of etcd. */
  readonly flags?: readonly string[];
  readonly scheme?: "http" | "https";
  /** Where the members ask for it. */
  readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
}

let nextPort = 2379;

/** The monotonic clock that grants are reckoned by. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Undefined when it is not answered with 200 in time: within a second what is asked again, longer what cannot be. */
export function postTo(
  url: string,
  body: object,
  { tls, withinMs = 1000 }: Pick<EtcdSetUp, "tls"> & { readonly withinMs?: number } = {},
): Promise<Record<string, unknown> | undefined> {
  const options = { method: "POST", agent: false, signal: AbortSignal.timeout(withinMs) } as const;
  return new Promise((resolve) => {
    const answered = (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", () => resolve(undefined));
      response.on("end", () =>
        resolve(response.statusCode === 200 ? JSON.parse(Buffer.concat(parts).toString("utf8")) : undefined),
      );
    };
    const request = url.startsWith("https:")
      ? httpsRequest(url, { ...options, ...tls }, answered)
      : httpRequest(url, options, answered);
    request.on("error", () => resolve(undefined));
    request.end(JSON.stringify(body));
  });
}

export function startEtcd(options: EtcdSetUp = {}): EtcdMembers {
  const { count = 3, flags = [], scheme = "http" } = options;
  // /run is a small file system in memory of this private network: fsync costs nothing there.
  const folder = mkdtempSync("/run/etcd-");
  const ports = Array.from({ length: count }, () => {
    nextPort += 2;
    return { client: nextPort, peer: nextPort + 1 };
  });
  const peers = ports.map(({ peer }, index) => `m${index}=http://127.0.0.1:${peer}`).join(",");
  const members = ports.map(({ client, peer }, index): EtcdMember & { readonly log: string } => {
    const name = `m${index}`;
    const endpoint = `${scheme}://127.0.0.1:${client}`;
    const log = join(folder, `${name}.log`);
    let child: ChildProcess | undefined;
    const member = {
      name,
      endpoint,
      log,
      start() {
        const output = openSync(log, "a");
        const args = [
          ["--name", name, "--data-dir", join(folder, name), "--log-level", "warn"],
          ["--listen-client-urls", endpoint, "--advertise-client-urls", endpoint],
          ["--listen-peer-urls", `http://127.0.0.1:${peer}`],
          ["--initial-advertise-peer-urls", `http://127.0.0.1:${peer}`, "--initial-cluster", peers],
          flags,
        ].flat();
        child = spawn("etcd", args, { stdio: ["ignore", output, output] });
      },
      async kill() {
        const dying = child;
        child = undefined;
        if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return;
        const gone = new Promise((resolve) => dying.once("exit", resolve));
        dying.kill("SIGKILL");
        await within(`the end of ${name}`, gone);
      },
      pause: () => void child?.kill("SIGSTOP"),
      resume: () => void child?.kill("SIGCONT"),
    };
    member.start();
    return member;
  });
  const endpoints = members.map(({ endpoint }) => endpoint);
  const post = (endpoint: string, path: string, body: object) => postTo(`${endpoint}${path}`, body, options);
  return {
    members,
    endpoints,
    async put(key, value) {
      await until(`${key} to be written`, async () => {
        const written = await post(endpoints[0] ?? "", "/v3/kv/put", {
          key: base64(key),
          value: base64(value),
        });
        return written !== undefined;
      });
    },
    async leader() {
      let found: EtcdMember | undefined;
      await until("etcd to have a leader", async () => {
        for (const member of members) {
          const status = await post(member.endpoint, "/v3/maintenance/status", {});
          const header = status?.header as { member_id?: string } | undefined;
          if (header?.member_id !== undefined && header.member_id === status?.leader) found = member;
        }
        return found !== undefined;
      });
      if (found === undefined) throw new Error("no leader");
      return found;
    },
    async ready() {
      for (const { endpoint, log } of members) {
        await until("each member to answer for the majority", async () => {
          return (await post(endpoint, "/v3/kv/range", { key: base64("nothing") })) !== undefined;
        }).catch((error: unknown) => {
          throw new Error(readFileSync(log, "utf8").slice(-2000), { cause: error });
        });
      }
    },
    async dispose() {
      for (const member of members) await member.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Gate {
  readonly endpoint: string;
  /** Nothing passes either way any more, and no connection ends. */
  shut(): void;
  /** What was held back is dropped with its connections; new ones pass. */
  open(): void;
  close(): Promise<void>;
}

/** A way to one member that can be shut. */
export async function gateTo(endpoint: string): Promise<Gate> {
  const target = Number(new URL(endpoint).port);
  const sockets = new Set<Socket>();
  let isShut = false;
  const server: Server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        for (const other of [near, far]) other.destroy();
      });
    }
    near.on("data", (part) => !isShut && far.write(part));
    far.on("data", (part) => !isShut && near.write(part));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the gate has no port");
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    shut() {
      isShut = true;
    },
    open() {
      isShut = false;
      drop();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      drop();
      await closed;
    },
  };
}
