/** Node states for the tests of what status says: one healthy active node, and what differs from it. */

import type { NodeStatus } from "../src/ipc/control.js";
import type { PulseStatus } from "../src/ipc/messages.js";
import type { SessionStatus } from "../src/node/session-engine.js";

const nowMs = 10_000_000;

const pulse: PulseStatus = {
  atMs: nowMs,
  role: "active",
  roleSinceMs: nowMs - 11_520_000,
  epoch: 9,
  highestEpoch: 9,
  verified: true,
  reason: "the other node fell silent: beats, kernel and address for 104 ms",
  peer: {
    alive: true,
    role: "standby",
    epoch: 0,
    healthScore: 15,
    verified: true,
    inSync: true,
    configEqual: true,
  },
  healthScore: 15,
  deadTimeMs: 100,
  worstSilenceMs: 31,
  paths: [
    {
      name: "udp",
      class: "client",
      description: "10.0.0.2:6940 -> 10.0.0.3:6940 on eth0",
      lastHeardMsAgo: 12,
      twoWay: true,
      direction: "two-way",
      intervalMs: 20,
      deadAfterMs: 100,
      latencyMs: 0.31,
    },
    {
      name: "serial",
      class: "private",
      description: "/dev/ttyS0 at 115200 baud",
      lastHeardMsAgo: 4100,
      twoWay: false,
      direction: "from-peer",
      intervalMs: 125,
      deadAfterMs: 315,
      latencyMs: undefined,
    },
  ],
  address: [
    "iproute2: 10.0.0.4/32 on eth0: held",
    "garp: 10.0.0.4 on eth0, peer 02:00:00:00:00:03; announced, agreed by 2 of 2 neighbours",
  ],
  protections: [
    { name: "real-time", inForce: false, detail: "not permitted to use SCHED_FIFO" },
    { name: "kernel-lease", inForce: true, detail: "250 ms, table netdev understudy on eth0" },
  ],
  alarms: [],
  preference: "primary (config)",
  maintenance: false,
  ifPeerDied: "This node would go on serving, alone.",
  failback: undefined,
  pid: 811,
  rssBytes: 61_000_000,
  cpuMs: 1000,
};

const sessions: SessionStatus = {
  store: true,
  verified: true,
  inSync: true,
  waitingFor: undefined,
  database: "open",
  running: 12_345,
  ended: 27,
  bytes: 4_210_000,
  storeDescription: "SQLite, /var/lib/understudy/sessions.db",
  problem: undefined,
  link: "connected",
  unconfirmed: 0,
  transfer: undefined,
  acknowledged: { replicated: 120, solo: 3 },
  vector: "p1a:120",
};

export interface StateChanges {
  readonly pulse?: Partial<PulseStatus>;
  readonly peer?: Partial<PulseStatus["peer"]>;
  readonly sessions?: Partial<SessionStatus>;
  readonly node?: Partial<NodeStatus>;
}

export function nodeStatus(changes: StateChanges = {}): NodeStatus {
  return {
    version: "0.1.0",
    cluster: "tlha",
    node: "alpha",
    side: "primary",
    peerName: "beta",
    haAddresses: ["10.0.0.4/24"],
    configDigest: "00c0ffee",
    startedAt: "2026-01-02T03:04:05.678Z",
    pulse: { ...pulse, ...changes.pulse, peer: { ...pulse.peer, ...changes.peer } },
    sessions: { ...sessions, ...changes.sessions },
    services: [
      {
        name: "vsm",
        description: "https://10.0.0.4:300",
        health: "healthy",
        serving: true,
        problem: undefined,
      },
    ],
    arbiters: [],
    fences: [],
    observers: [],
    nodeLink: "connected, 10.0.0.2:6940 to 10.0.0.3:51000",
    pid: 812,
    rssBytes: 98_000_000,
    cpuMs: 2000,
    ...changes.node,
  };
}

const cold = {
  name: "vsm",
  description: "https://10.0.0.4:300",
  health: "stopped",
  serving: false,
  problem: undefined,
} as const;

/** The states that an operator meets, by name. */
export const states: Readonly<Record<string, NodeStatus>> = {
  active: nodeStatus(),
  "standby in sync": nodeStatus({
    pulse: {
      role: "standby",
      epoch: 0,
      reason: "the other node serves",
      ifPeerDied: "This node would take over within about 100 ms, with every acknowledged session.",
    },
    peer: { role: "active", epoch: 9 },
    node: { node: "beta", side: "secondary", peerName: "alpha", services: [cold] },
  }),
  "standby stale": nodeStatus({
    pulse: {
      role: "standby",
      epoch: 0,
      reason: "the other node serves",
      ifPeerDied:
        "This node would take over within about 100 ms, but it may lack the newest sessions: it is not in sync.",
    },
    peer: { role: "active", epoch: 9, inSync: false },
    sessions: {
      inSync: false,
      waitingFor: "the other node's database",
      transfer: { direction: "receiving", doneBytes: 2_000_000, totalBytes: 8_000_000 },
    },
    node: { node: "beta", side: "secondary", peerName: "alpha", services: [cold] },
  }),
  alone: nodeStatus({
    pulse: {
      alarms: [{ code: "PEER_DEAD", detail: "beta has been silent for 104 ms", sinceMs: nowMs - 65_000 }],
      ifPeerDied: "Nothing would change: the other node is already gone.",
    },
    peer: { alive: false, role: undefined, epoch: 8 },
    sessions: { inSync: false, link: "connecting", unconfirmed: 1204 },
    node: { nodeLink: "not connected: connect ECONNREFUSED 10.0.0.3:6940" },
  }),
  "waiting to fail back": nodeStatus({
    pulse: { failback: "the session databases are not in sync" },
    peer: { inSync: false },
    sessions: { inSync: false },
  }),
  maintenance: nodeStatus({
    pulse: {
      role: "maintenance",
      epoch: 0,
      maintenance: true,
      reason: "the operator put this node into maintenance",
      ifPeerDied: "Nobody would serve: this node is in maintenance.",
      preference: "secondary (operator, until switchover --clear)",
    },
    peer: { role: "active", epoch: 10, configEqual: false },
    node: { services: [cold] },
  }),
  "service fails": nodeStatus({
    node: {
      services: [{ ...cold, health: "failing", serving: false, problem: "it does not serve: EADDRINUSE" }],
    },
    sessions: { store: false, problem: "the disk is full" },
    pulse: { healthScore: 12 },
    peer: { healthScore: 13 },
  }),
  "pulse gone": nodeStatus({
    node: { pulse: undefined, services: [cold] },
  }),
  "pulse hangs": nodeStatus({
    node: { pulse: undefined, pulseSilentMs: 12_300, services: [cold] },
  }),
  "waiting for an arbiter": nodeStatus({
    pulse: {
      role: "standby",
      epoch: 0,
      reason: "it would take the address, and waits: etcd denies it: alpha holds it for 3.1 s more",
      ifPeerDied:
        "Nothing would change: this node would take the address now, and waits: etcd denies it: alpha holds it for 3.1 s more.",
      alarms: [
        { code: "PEER_DEAD", detail: "beta has been silent for 104 ms", sinceMs: nowMs - 4000 },
        {
          code: "ARBITER_DENIES",
          detail: "the address is not taken: etcd denies it: alpha holds it for 6.2 s more",
          sinceMs: nowMs - 3000,
        },
      ],
    },
    peer: { alive: false, role: undefined, epoch: 9 },
    node: {
      services: [cold],
      arbiters: [
        {
          name: "etcd",
          exclusive: true,
          description: "3 endpoints",
          verdict: "denied",
          why: "alpha holds it for 3.1 s more",
          saidMsAgo: 120,
          problem: undefined,
        },
        {
          name: "ping",
          exclusive: false,
          description: "10.0.0.1",
          verdict: undefined,
          why: undefined,
          saidMsAgo: undefined,
          problem: "it did not start: no such host",
        },
      ],
      fences: [
        {
          name: "exec",
          description: "fence_ipmilan",
          problem: "connection timed out",
          last: { outcome: "unknown", detail: "no answer within 60 s", finishedMsAgo: 65_000 },
          firing: false,
        },
      ],
    },
  }),
  "no sessions kept": nodeStatus({ node: { sessions: undefined } }),
};
