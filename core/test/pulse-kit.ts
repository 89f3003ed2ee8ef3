/** Pulses in one process: real decision core, loop and files, over wires, an address and a node process of memory. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LocalConfig } from "../src/config/config.js";
import { parseConfig } from "../src/config/load.js";
import type { NodeReport } from "../src/failover/event.js";
import { reconnectJsonLines } from "../src/ipc/json-lines.js";
import type { NodeToPulse, PulseStatus, PulseToNode } from "../src/ipc/messages.js";
import { openSystemdNotify } from "../src/ipc/sd-notify.js";
import type { KeyRing } from "../src/keys/key-file.js";
import type {
  AddressBackend,
  AddressReports,
  ClaimToken,
  Outcome,
  Side,
  TimelineEntry,
  Transport,
} from "../src/plugin/contract.js";
import { monotonicClock } from "../src/pulse/clock.js";
import { type Pulse, type PulseParts, pulseSocketPath, startPulse } from "../src/pulse/compose.js";
import type { NamedTransport } from "../src/pulse/paths.js";
import { testRing } from "./beat-kit.js";

/** A cable: frames arrive in a later turn of the loop, or not at all. */
export interface Wire {
  readonly ends: Readonly<Record<Side, Transport>>;
  cut: boolean;
}

export function makeWire(): Wire {
  const receivers: Partial<Record<Side, (frame: Uint8Array) => void>> = {};
  const end = (side: Side): Transport => ({
    async start(receive) {
      receivers[side] = receive;
    },
    send(frame) {
      const other = side === "primary" ? "secondary" : "primary";
      if (!wire.cut) setImmediate(() => receivers[other]?.(frame));
    },
    async stop() {
      delete receivers[side];
    },
    describe: () => `wire of the ${side}`,
  });
  const wire: Wire = { ends: { primary: end("primary"), secondary: end("secondary") }, cut: false };
  return wire;
}

/** The HA address of a segment, and who is said to have it. */
export interface FakeAddress {
  readonly backend: AddressBackend;
  readonly calls: string[];
  held: boolean;
  armed: readonly ClaimToken[];
  answer: Outcome;
  reports: AddressReports | undefined;
}

export function makeAddress(): FakeAddress {
  const fake: FakeAddress = {
    calls: [],
    held: false,
    armed: [],
    answer: "confirmed",
    reports: undefined,
    backend: {
      async start(reports) {
        fake.reports = reports;
        fake.calls.push("start");
      },
      async acquire(epoch) {
        fake.calls.push(`acquire ${epoch}`);
        fake.held = fake.answer === "confirmed";
        return fake.answer;
      },
      async release() {
        fake.calls.push("release");
        fake.held = false;
        return "confirmed";
      },
      holds: async () => (fake.held ? "held" : "absent"),
      async stop() {
        fake.calls.push("stop");
      },
      describe: () => "an address of memory",
      armClaims: (tokens) => {
        fake.armed = tokens;
      },
      protections: () => [{ name: "kernel-lease", inForce: true, detail: "of memory" }],
    },
  };
  return fake;
}

export interface FakeNode {
  readonly entries: readonly TimelineEntry[];
  readonly received: readonly PulseToNode[];
  readonly status: PulseStatus | undefined;
  report: NodeReport;
  send(message: NodeToPulse): void;
  close(): void;
}

export function connectNode(folder: string): FakeNode {
  const received: PulseToNode[] = [];
  const entries: TimelineEntry[] = [];
  let status: PulseStatus | undefined;
  const report = () => lines.send({ type: "report", report: node.report });
  const lines = reconnectJsonLines<PulseToNode, NodeToPulse>({
    path: pulseSocketPath(join(folder, "run")),
    opened() {
      lines.send({ type: "hello", pid: process.pid, version: "test" });
      report();
    },
    message(message) {
      if (message.type === "status") status = message.status;
      else if (message.type === "timeline") entries.push(message.entry);
      else if (message.type === "ping") lines.send({ type: "pong", sequence: message.sequence });
      else received.push(message);
      if (message.type === "promote" || message.type === "demote" || message.type === "freeze")
        lines.send({ type: "finished", id: message.id, outcome: "confirmed" });
    },
    closed() {},
  });
  const node: FakeNode = {
    entries,
    received,
    get status() {
      return status;
    },
    report: { services: true, store: true, verified: true, inSync: true, waitingFor: undefined },
    send(message) {
      if (!lines.send(message)) throw new Error("this node process is not connected to its pulse");
    },
    close: () => lines.close(),
  };
  return node;
}

export interface TestPulse {
  readonly pulse: Pulse;
  readonly address: FakeAddress;
  readonly local: LocalConfig;
}

export interface TestPulseOptions {
  readonly side: Side;
  readonly folder: string;
  readonly wire: Wire;
  /** Default: the wire alone, as path udp. */
  readonly transports?: readonly NamedTransport[];
  readonly address?: FakeAddress;
  readonly keyRing?: KeyRing;
  readonly readKeys?: () => KeyRing;
  readonly loadConfig?: () => Promise<LocalConfig>;
  readonly openWatchdog?: PulseParts["openWatchdog"];
}

const log = { debug() {}, info() {}, warn() {}, error() {} };

export function localConfig(side: Side, folder: string, extra = ""): LocalConfig {
  const own = join(folder, side);
  mkdirSync(join(own, "run"), { recursive: true });
  const text = `cluster: lab
nodes: { one: 10.0.0.2, two: 10.0.0.3 }
haAddress: 10.0.0.4/24
aloneAfter: 1s
# No stall of a loaded machine lasts so long: a node that stalled for its lease stands down, rightly (G7).
lease: 30s
keyFile: ${own}/key
folders: { state: ${own}, run: ${own}/run }
${extra}`;
  const config = parseConfig(text, join(folder, "understudy.yaml"));
  const [primary, secondary] = config.nodes;
  const [self, peer] = side === "primary" ? [primary, secondary] : [secondary, primary];
  return { file: join(folder, "understudy.yaml"), config, self, peer };
}

export async function startTestPulse(options: TestPulseOptions): Promise<TestPulse> {
  const { side, folder, wire } = options;
  const entries = options.transports?.map(({ name, class: c }) => `{ plugin: ${name}, class: ${c} }`);
  const paths = entries === undefined ? "" : `heartbeat: { paths: [${entries.join(", ")}] }`;
  const local = localConfig(side, folder, paths);
  const address = options.address ?? makeAddress();
  const keyRing = options.keyRing ?? testRing(1);
  const pulse = await startPulse({
    local,
    keyRing,
    transports: options.transports ?? [{ name: "udp", class: "client", transport: wire.ends[side] }],
    address: [{ name: "memory", backend: address.backend }],
    clock: monotonicClock,
    log,
    version: "test",
    protections: [{ name: "real-time", inForce: false, detail: "a test" }],
    notify: await openSystemdNotify({}),
    loadConfig: options.loadConfig ?? (async () => local),
    readKeys: options.readKeys ?? (() => keyRing),
    configChanged() {},
    openWatchdog: options.openWatchdog,
  });
  return { pulse, address, local };
}
