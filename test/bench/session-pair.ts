/** Two nodes of the session benchmark on loopback, each in a process of its own, and what they are asked to do. */

import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LocalConfig } from "@understudy/core/internal/config/config";
import { parseConfig } from "@understudy/core/internal/config/load";
import type { SessionStatus } from "@understudy/core/internal/node/session-engine";
import type { NodeAnswer, NodeOrder } from "./session-node-program.js";
import type { WritersFigures } from "./writers.js";

const epoch = 1;
const text = `
cluster: bench
nodes: { one: 10.0.0.2, two: 10.0.0.3 }
haAddress: 10.0.0.4/24
replication: { port: 26941 }
`;

type Answer<Kind extends NodeAnswer["answer"]> = Extract<NodeAnswer, { answer: Kind }>;

export interface SessionNode {
  readonly pid: number | undefined;
  write(writers: number, milliseconds: number): Promise<WritersFigures>;
  fill(sessions: number): Promise<void>;
  status(): Promise<SessionStatus & { readonly rssBytes: number }>;
  /** SIGKILL. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface SessionPair {
  startActive(): Promise<SessionNode>;
  /** Over the database it left, or an empty one. */
  startStandby(database: "kept" | "empty"): Promise<SessionNode>;
}

export function sessionPair(folder: string): SessionPair {
  const secret = [...randomBytes(32)];
  const parsed = parseConfig(text, join(folder, "bench.yaml"));
  // A real config may not name loopback addresses, and the benchmark may not ask for others.
  const [one, two] = parsed.nodes;
  const nodes = [
    { ...one, addresses: ["127.0.0.1"] },
    { ...two, addresses: ["127.0.0.2"] },
  ] as const;
  const config = { ...parsed, nodes };

  function localOf(at: 0 | 1): LocalConfig {
    const [self, peer] = [config.nodes[at], config.nodes[at === 0 ? 1 : 0]];
    const state = join(folder, self.name);
    mkdirSync(state, { recursive: true });
    return {
      file: join(folder, "bench.yaml"),
      config: { ...config, folders: { state, run: state } },
      self,
      peer,
    };
  }

  return {
    startActive: () => startNode({ order: "start", start: { local: localOf(0), secret, epoch } }),
    startStandby(database) {
      const local = localOf(1);
      if (database === "empty") {
        rmSync(local.config.folders.state, { recursive: true });
        mkdirSync(local.config.folders.state);
      }
      return startNode({ order: "start", start: { local, secret, epoch: undefined } });
    },
  };
}

async function startNode(order: Extract<NodeOrder, { order: "start" }>): Promise<SessionNode> {
  const program = fileURLToPath(new URL("./session-node-program.js", import.meta.url));
  const child = fork(program, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  process.once("exit", () => child.kill("SIGKILL"));
  await ask(child, order, "started");
  return {
    pid: child.pid,
    async write(writers, milliseconds) {
      const { figures } = await ask(child, { order: "write", writers, milliseconds }, "written");
      return figures;
    },
    async fill(sessions) {
      await ask(child, { order: "fill", sessions }, "filled");
    },
    async status() {
      const { status, rssBytes } = await ask(child, { order: "status" }, "status");
      return { ...status, rssBytes };
    },
    async kill() {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
    async stop() {
      const exited = once(child, "exit");
      await ask(child, { order: "stop" }, "stopped");
      await exited;
    },
  };
}

function ask<Kind extends NodeAnswer["answer"]>(
  child: ChildProcess,
  order: NodeOrder,
  kind: Kind,
): Promise<Answer<Kind>> {
  return new Promise((resolve, reject) => {
    const receive = (answer: NodeAnswer) => {
      if (answer.answer !== kind) return;
      child.off("message", receive);
      child.off("exit", ended);
      resolve(answer as Answer<Kind>);
    };
    const ended = (code: number | null, signal: string | null) =>
      reject(new Error(`the node ended with ${code ?? signal} when asked to ${order.order}`));
    child.on("message", receive);
    child.once("exit", ended);
    child.send(order);
  });
}
