/**
 * The status of the deciding half: what the decision core says of itself, and what only the process around it knows. It
 * goes out when something that people or the other node act on has changed, and once a second.
 */

import type { NodeReport } from "../failover/event.js";
import type { State } from "../failover/state.js";
import { describe } from "../failover/status.js";
import type { Beat } from "../heartbeat/beat.js";
import type { PulseStatus } from "../ipc/messages.js";
import type { SystemdNotify } from "../ipc/sd-notify.js";
import type { Protection } from "../plugin/contract.js";
import type { NodeLink } from "./node-link.js";
import type { Paths } from "./paths.js";

export interface StatusParts {
  address(): readonly string[];
  readonly paths: Pick<Paths, "describe" | "latencyMs" | "peerKeyIds">;
  /** Of the address backends, the process and whatever else keeps a dead node from answering. */
  protections(): readonly Protection[];
}

export function pulseStatus(state: State, atMs: number, parts: StatusParts): PulseStatus {
  const { paths } = parts;
  const { user, system } = process.cpuUsage();
  const description = describe(state, atMs);
  return {
    ...description,
    paths: description.paths.map((path) => ({
      ...path,
      latencyMs: paths.latencyMs(path.name),
      description: paths.describe(path.name),
    })),
    address: parts.address(),
    protections: parts.protections(),
    peerKeys: [...paths.peerKeyIds].sort((a, b) => a - b),
    pid: process.pid,
    rssBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / 1000,
  };
}

export interface StatusReportParts {
  status(): PulseStatus;
  readonly node: Pick<NodeLink, "status">;
  readonly notify: SystemdNotify;
}

export interface StatusReport {
  stepped(state: State): void;
  /** A poll pass was judged: the loop is alive, and the service manager hears of it when it wants to. */
  judged(atMs: number): void;
  close(): void;
}

const statusEveryMs = 1000;

export function createStatusReport({ status, node, notify }: StatusReportParts): StatusReport {
  const timer = setInterval(() => node.status(status), statusEveryMs);
  let told: State | undefined;
  let due = false;
  let fedMs = -Infinity;
  return {
    stepped(state) {
      const before = told;
      told = state;
      if (before === undefined || due || !worthTelling(before, state)) return;
      if (before.role !== state.role || before.epoch !== state.epoch)
        notify.status(`${state.role}, epoch ${state.epoch || state.highestEpoch}: ${state.reason}`);
      // One message for all that one moment changes.
      due = true;
      setImmediate(() => {
        due = false;
        node.status(status);
      });
    },
    judged(atMs) {
      if (notify.watchdogMs === undefined || atMs - fedMs < notify.watchdogMs / 3) return;
      fedMs = atMs;
      notify.watchdog();
    },
    close: () => clearInterval(timer),
  };
}

/** What must not wait for the next second. */
function worthTelling(before: State, after: State): boolean {
  return (
    before.role !== after.role ||
    before.epoch !== after.epoch ||
    before.alarms !== after.alarms ||
    before.intents !== after.intents ||
    before.nodeUp !== after.nodeUp ||
    before.failback.waiting !== after.failback.waiting ||
    before.peer.dead !== after.peer.dead ||
    before.wait?.subject !== after.wait?.subject ||
    (before.report !== after.report && !sameReport(before.report, after.report)) ||
    (before.peer.beat !== after.peer.beat && !saysTheSame(before.peer.beat, after.peer.beat)) ||
    (before.paths !== after.paths && before.paths.some((path, at) => path.twoWay !== after.paths[at]?.twoWay))
  );
}

function sameReport(before: NodeReport | undefined, after: NodeReport | undefined): boolean {
  return (
    before?.services === after?.services &&
    before?.store === after?.store &&
    before?.verified === after?.verified &&
    before?.inSync === after?.inSync
  );
}

function saysTheSame(before: Beat | undefined, after: Beat | undefined): boolean {
  return (
    before?.role === after?.role &&
    before?.epoch === after?.epoch &&
    before?.verified === after?.verified &&
    before?.inSync === after?.inSync &&
    before?.configDigest === after?.configDigest &&
    before?.health.clientLink === after?.health.clientLink &&
    before?.health.node === after?.health.node &&
    before?.health.services === after?.health.services &&
    before?.health.store === after?.health.store
  );
}
