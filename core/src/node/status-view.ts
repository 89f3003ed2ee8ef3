/** Gives plugins the status of the node in the shape that is promised to them, see plugin/status-view.ts. */

import type { NodeStatus } from "../ipc/control.js";
import type { PulseStatus } from "../ipc/messages.js";
import type { PathClass } from "../plugin/contract.js";
import type { PulseView, SessionsView, StatusReader, StatusView } from "../plugin/status-view.js";
import type { SessionStatus } from "./session-engine.js";

export interface StatusSource extends StatusReader {
  /** Plugins are made before the node is: it says here where its status comes from. */
  comesFrom(status: () => NodeStatus): void;
}

export function createStatusSource(): StatusSource {
  let source: (() => NodeStatus) | undefined;
  return {
    comesFrom(status) {
      source = status;
    },
    read() {
      if (source === undefined) throw new Error("the status was read before the node was built");
      return statusView(source());
    },
  };
}

export function statusView(status: NodeStatus): StatusView {
  const { cluster, node, side, version, pulse, sessions, services, observers, rssBytes, cpuMs } = status;
  return {
    cluster,
    node,
    side,
    version,
    pulse: pulse && pulseView(pulse),
    sessions: sessions && sessionsView(sessions),
    services: services.map(({ name, health, serving }) => ({ name, health, serving })),
    observers: observers.map(({ name, dropped }) => ({ name, dropped })),
    process: { rssBytes, cpuMs },
  };
}

function pulseView(pulse: PulseStatus): PulseView {
  const { role, epoch, highestEpoch, verified, maintenance, peer, deadTimeMs, worstSilenceMs } = pulse;
  const { protections, rssBytes, cpuMs } = pulse;
  return {
    role,
    roleForMs: pulse.atMs - pulse.roleSinceMs,
    epoch,
    highestEpoch,
    verified,
    maintenance,
    peer: { alive: peer.alive, role: peer.role, inSync: peer.inSync, configEqual: peer.configEqual },
    deadTimeMs,
    worstSilenceMs,
    paths: pulse.paths.map(({ name, class: pathClass, twoWay, lastHeardMsAgo, latencyMs }) => ({
      name,
      class: pathClass as PathClass,
      twoWay,
      lastHeardMsAgo,
      latencyMs,
    })),
    protections,
    alarms: pulse.alarms.map(({ code, detail }) => ({ code, detail })),
    process: { rssBytes, cpuMs },
  };
}

function sessionsView(sessions: SessionStatus): SessionsView {
  const { store, inSync, verified, link, running, ended, bytes, unconfirmed, acknowledged } = sessions;
  return {
    store,
    inSync,
    verified,
    linkUp: link === "connected",
    running,
    ended,
    bytes,
    unconfirmed,
    acknowledged,
  };
}
