/**
 * Two node processes in one test: joined by a link in memory, each with a pulse that the test plays itself. Everything
 * else is what runs in a daemon.
 */

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config, LocalConfig } from "../src/config/config.js";
import type { ControlCommand, ControlCommands, ControlReply } from "../src/ipc/control.js";
import { type JsonLines, listenJsonLines, speakJsonLines } from "../src/ipc/json-lines.js";
import type { NodeToPulse, PulseStatus, PulseToNode } from "../src/ipc/messages.js";
import type { ProcessLog } from "../src/log.js";
import { watchBlocking } from "../src/node/blocking.js";
import { createNode, type Node } from "../src/node/node.js";
import type { NodeParts } from "../src/node/parts.js";
import type { PeerLink, PeerLinkListeners } from "../src/node/peer-link.js";
import { createTokens } from "../src/node/tokens.js";
import type { Service } from "../src/plugin/contract.js";
import { monotonicClock } from "../src/pulse/clock.js";
import { deadline } from "./deadline.js";

export const quietLog: ProcessLog = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => quietLog,
  setLevel() {},
  flush() {},
};

/** Looks again whenever the loop has turned, until it holds. */
export async function until(holds: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export type Side = "primary" | "secondary";

export function testConfig(folder: string, side: Side, changes: Partial<Config> = {}): LocalConfig {
  const primary = { name: "alpha", side: "primary", addresses: ["10.0.0.2"] } as const;
  const secondary = { name: "beta", side: "secondary", addresses: ["10.0.0.3"] } as const;
  const config: Config = {
    cluster: "lab",
    nodes: [primary, secondary],
    haAddresses: [{ address: "10.0.0.4", family: 4, prefixLength: 24, interfaceName: undefined }],
    heartbeat: {
      profile: "standard",
      intervalMs: 20,
      deadFloorMs: 100,
      deadCeilingMs: 400,
      port: 6940,
      paths: [{ plugin: "udp", options: {}, at: "heartbeat.paths[0]", name: "udp", class: "client" }],
    },
    leaseMs: 250,
    hangLimitMs: 1000,
    aloneAfterMs: 30_000,
    failback: { mode: "auto", holdMs: 10_000, maxHoldMs: 3_600_000, manualAfterLosses: 3, freezeMs: 50 },
    reclaimHoldMs: 10_000,
    foreignHoldMs: 30_000,
    address: [],
    sessions: undefined,
    replication: { port: 6941, staleAfterMs: 500, soloAfterMs: 1000 },
    services: [],
    arbiters: [],
    onArbiterLost: "stepDown",
    fences: [],
    fenceDelayMs: 30_000,
    observers: [],
    watchdog: undefined,
    keyFile: join(folder, "key"),
    folders: { state: folder, run: folder },
    log: { level: "info" },
    digest: "00c0ffee",
    ...changes,
  };
  return side === "primary"
    ? { file: join(folder, "understudy.yaml"), config, self: primary, peer: secondary }
    : { file: join(folder, "understudy.yaml"), config, self: secondary, peer: primary };
}

/** Both ends of the link between two nodes; `cut` is seen by both at once, as an EOF would be. */
export interface MemoryLink {
  end(listeners: PeerLinkListeners): PeerLink;
  join(): void;
  cut(reason: string): void;
}

export function memoryLink(): MemoryLink {
  const ends: PeerLinkListeners[] = [];
  let open = false;
  return {
    end(listeners) {
      const mine = ends.push(listeners) - 1;
      return {
        get isOpen() {
          return open;
        },
        bufferedBytes: 0,
        send(message) {
          if (!open) return false;
          const copy = Uint8Array.from(message);
          setImmediate(() => {
            if (open) ends[1 - mine]?.message(copy);
          });
          return true;
        },
        reset() {},
        setKeys() {},
        close: async () => {},
      };
    },
    join() {
      open = true;
      for (const end of ends) end.opened({ version: 1, local: "here", remote: "there" });
    },
    cut(reason) {
      open = false;
      for (const end of ends) end.closed(reason);
    },
  };
}

export function pulseStatus(changes: Partial<PulseStatus> = {}): PulseStatus {
  return {
    atMs: monotonicClock.nowMs(),
    role: "standby",
    roleSinceMs: 0,
    epoch: 0,
    highestEpoch: 7,
    verified: true,
    reason: "the other node serves",
    peer: {
      alive: true,
      role: "active",
      epoch: 7,
      healthScore: 15,
      verified: true,
      inSync: true,
      configEqual: true,
    },
    healthScore: 15,
    deadTimeMs: 100,
    worstSilenceMs: 24,
    paths: [],
    protections: [],
    alarms: [],
    preference: "primary (config)",
    maintenance: false,
    ifPeerDied: "This node would take over within about 100 ms, with every acknowledged session.",
    failback: undefined,
    pid: 1,
    rssBytes: 1,
    cpuMs: 1,
    ...changes,
  };
}

/** A pulse played by the test. */
export interface FakePulse {
  readonly heard: NodeToPulse[];
  readonly isConnected: boolean;
  send(message: PulseToNode): void;
  /** The first message of this type that has not been taken yet. */
  next<T extends NodeToPulse["type"]>(type: T): Promise<Extract<NodeToPulse, { type: T }>>;
  /** As the kernel does for a killed process. */
  die(): Promise<void>;
}

export async function fakePulse(folder: string): Promise<FakePulse> {
  const heard: NodeToPulse[] = [];
  const taken = new Set<NodeToPulse>();
  let connection: JsonLines<PulseToNode> | undefined;
  const server = await listenJsonLines<NodeToPulse, PulseToNode>({
    path: join(folder, "pulse.sock"),
    connected(opened) {
      connection = opened;
      return {
        message: (message) => void heard.push(message),
        closed: () => {
          connection = undefined;
        },
      };
    },
  });
  return {
    heard,
    get isConnected() {
      return connection !== undefined;
    },
    send(message) {
      if (connection?.send(message) !== true) throw new Error("node is not connected to this pulse");
    },
    async next(type) {
      const find = () => heard.find((message) => message.type === type && !taken.has(message));
      await until(() => find() !== undefined, `a message ${type} from node`);
      const found = find();
      if (found === undefined) throw new Error("it was there a moment ago");
      taken.add(found);
      return found as Extract<NodeToPulse, { type: typeof type }>;
    },
    die: () => server.close(),
  };
}

export interface TestService extends Service {
  readonly calls: string[];
  healthNow: "healthy" | "failing" | "stopped";
  failPromotes: number;
}

/** Notes its calls in a list that may be shared, so that the order between services shows. */
export function testService(name: string, calls: string[] = []): TestService {
  const service: TestService = {
    calls,
    healthNow: "stopped",
    failPromotes: 0,
    async start() {
      calls.push(`start ${name}`);
    },
    async promote(epoch) {
      calls.push(`promote ${name} ${epoch}`);
      if (service.failPromotes > 0) {
        service.failPromotes -= 1;
        throw new Error("not today");
      }
      service.healthNow = "healthy";
    },
    async demote() {
      calls.push(`demote ${name}`);
      service.healthNow = "stopped";
    },
    health: async () => service.healthNow,
    async stop() {
      calls.push(`stop ${name}`);
    },
    describe: () => `${name} of the test`,
  };
  return service;
}

export interface TestNode {
  readonly folder: string;
  readonly node: Node;
  readonly pulse: FakePulse;
  /** As the command line does it. */
  control<C extends ControlCommand>(
    command: C,
    args: ControlCommands[C]["args"],
  ): Promise<ControlCommands[C]["result"]>;
  close(): Promise<void>;
}

export interface TestNodeOptions {
  readonly side?: Side;
  readonly link?: MemoryLink;
  readonly parts?: (folder: string) => Partial<NodeParts>;
}

const running = new Set<TestNode>();

/** For `afterEach`: what a failed test left behind would keep the process from ending. */
export async function closeTestNodes(): Promise<void> {
  for (const one of [...running]) await one.close();
}

export async function startTestNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const folder = mkdtempSync(join(tmpdir(), "usn-"));
  const link = options.link ?? memoryLink();
  const tokens = createTokens(folder, quietLog);
  await tokens.open();
  const local = testConfig(folder, options.side ?? "primary");
  const pulse = await fakePulse(folder);
  const node = createNode({
    version: "0.1.0",
    local,
    clock: monotonicClock,
    log: quietLog,
    tokens,
    engine: undefined,
    services: [],
    observers: [],
    arbiters: [],
    fences: [],
    transports: [],
    blocking: watchBlocking({ clock: monotonicClock, log: quietLog }),
    freshAddresses: () => [],
    makeLink: (listeners) => link.end(listeners),
    readKeys: () => ({ keys: [{ id: 1, secret: new Uint8Array(32) }], signWith: 1 }),
    reread: async (running) => running,
    ...options.parts?.(folder),
  });
  await node.start();
  const one: TestNode = {
    folder,
    node,
    pulse,
    control: (command, args) => askControl(join(folder, "node.sock"), command, args),
    async close() {
      if (!running.delete(one)) return;
      await node.stop();
      await pulse.die().catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
  running.add(one);
  return one;
}

async function askControl<C extends ControlCommand>(
  path: string,
  command: C,
  args: ControlCommands[C]["args"],
): Promise<ControlCommands[C]["result"]> {
  const socket = connect(path);
  await deadline(once(socket, "connect"), `a connection to ${path}`);
  const answer = Promise.withResolvers<ControlCommands[C]["result"]>();
  const lines = speakJsonLines<ControlReply, object>(socket, {
    message(reply) {
      if (reply.type === "error") answer.reject(Object.assign(new Error(reply.error.message), reply.error));
      else
        answer.resolve((reply.type === "data" ? reply.data : reply.result) as ControlCommands[C]["result"]);
    },
    closed: (reason) => answer.reject(new Error(`closed: ${reason}`)),
  });
  lines.send({ id: "1", command, args });
  return await deadline(answer.promise, `an answer to ${command}`).finally(() => socket.destroy());
}
