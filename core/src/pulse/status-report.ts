/**
 * The status of the deciding half: what the decision core says of itself, and what only the process around it knows. It
 * goes out when something that people or the other node act on has changed, after every entry of the timeline, and once a
 * second.
 */

import type { State } from "../failover/state.js";
import { describe } from "../failover/status.js";
import { type StatusNews, sameNews, statusNews } from "../failover/status-news.js";
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
  /** Something has happened that no state shows, such as an entry of the timeline: status must not be behind it. */
  soon(): void;
  /** A poll pass was judged: the loop is alive, and the service manager hears of it when it wants to. */
  judged(atMs: number): void;
  close(): void;
}

const statusEveryMs = 1000;

export function createStatusReport({ status, node, notify }: StatusReportParts): StatusReport {
  const timer = setInterval(() => node.status(status), statusEveryMs);
  let before: State | undefined;
  let told: StatusNews | undefined;
  let due = false;
  let closed = false;
  let fedMs = -Infinity;

  function soon(): void {
    // One message for all that one moment changes.
    if (due) return;
    due = true;
    setImmediate(() => {
      due = false;
      if (!closed) node.status(status);
    });
  }

  return {
    stepped(state) {
      const last = before;
      const news = statusNews(state);
      const same = told !== undefined && sameNews(told, news);
      before = state;
      told = news;
      if (last === undefined || same) return;
      if (last.role !== state.role || last.epoch !== state.epoch || last.reason !== state.reason)
        notify.status(`${state.role}, epoch ${state.epoch || state.highestEpoch}: ${state.reason}`);
      soon();
    },
    soon,
    judged(atMs) {
      if (notify.watchdogMs === undefined || atMs - fedMs < notify.watchdogMs / 3) return;
      fedMs = atMs;
      notify.watchdog();
    },
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}
