/**
 * In what circumstances a run takes place: a config, and a temper that says which events abound and how seldom anything
 * is as it should be. Calm tempers reach deep states, wild ones shake them.
 */

import type { Settings } from "../../src/failover/settings.js";
import type { Seeded } from "../seeded.js";
import { testSettings } from "../settings-kit.js";

/** What may follow what; each is a few events. */
export const bursts = [
  "pass",
  "beat",
  "answer",
  "stray answer",
  "report",
  "ruling",
  "segment",
  "operator",
  "carrier",
  "link",
  "kernel",
  "stop",
  "settings",
  "start",
  "repeat",
] as const;
export type Burst = (typeof bursts)[number];

const usually: Readonly<Record<Burst, number>> = {
  pass: 30,
  beat: 20,
  answer: 25,
  "stray answer": 1,
  report: 5,
  ruling: 6,
  segment: 3,
  operator: 2,
  carrier: 1,
  link: 3,
  kernel: 4,
  stop: 0.1,
  settings: 0.5,
  start: 0.1,
  repeat: 3,
};

export interface Temper {
  readonly weights: Readonly<Record<Burst, number>>;
  /** The share of answers that are `confirmed`, of beats that continue the ones before, of reports that say all is well. */
  readonly orderly: number;
  /** How far a jump of the clock may go; most are shorter. */
  readonly longestMs: number;
  /** Numbers at the edge of what the types take. */
  readonly edges: boolean;
}

export interface World {
  readonly settings: Settings;
  readonly temper: Temper;
  readonly bursts: number;
}

export function makeWorld(random: Seeded): World {
  const weights = Object.fromEntries(
    bursts.map((burst) => [burst, usually[burst] * random.pick([0.2, 1, 1, 1, 4])]),
  ) as Record<Burst, number>;
  const temper = {
    weights,
    orderly: random.pick([0.5, 0.8, 0.95, 0.98, 0.99]),
    longestMs: random.pick([50, 1000, 15_000, 4_000_000, 1e12]),
    edges: random.chance(0.1),
  };
  return { settings: makeSettings(random), temper, bursts: random.pick([20, 60, 120]) };
}

const pathSets: readonly Settings["paths"][] = [
  [{ name: "udp", class: "client", intervalMs: 20 }],
  [
    { name: "udp", class: "client", intervalMs: 20 },
    { name: "serial", class: "private", intervalMs: 136 },
  ],
  [
    { name: "udp", class: "client", intervalMs: 20 },
    { name: "wire", class: "private", intervalMs: 20 },
    { name: "mqtt", class: "out-of-band", intervalMs: 1000 },
  ],
  [{ name: "serial", class: "private", intervalMs: 136 }],
];

function makeSettings(random: Seeded): Settings {
  const protectedBy = random.pick(["nothing", "nothing", "advice", "grant", "fence", "all"]);
  const advice = [{ name: "ping", exclusive: false }];
  const grant = [{ name: "etcd", exclusive: true }];
  const arbiters = {
    nothing: [],
    fence: [],
    advice,
    grant: random.chance(0.3) ? [...grant, { name: "agents", exclusive: true }] : grant,
    all: [...advice, ...grant],
  }[protectedBy] as Settings["arbiters"];
  const fenced = protectedBy === "fence" || protectedBy === "all";
  return {
    ...testSettings,
    self: random.pick(["primary", "secondary"]),
    paths: random.pick(pathSets),
    aloneAfterMs: random.pick([null, 0, 0, 100, 2000, 30_000]),
    failback: {
      ...testSettings.failback,
      mode: random.chance(0.8) ? "auto" : "manual",
      holdMs: random.pick([0, 100, 10_000]),
    },
    reclaimHoldMs: random.pick([0, 10_000]),
    foreignHoldMs: random.pick([0, 30_000]),
    arbiters,
    onArbiterLost: random.chance(0.7) ? "stepDown" : "keep",
    fences: fenced ? random.pick([["ipmi"], ["ipmi", "pdu"]]) : [],
    fenceDelayMs: random.pick([0, 30_000]),
    canProbeAddress: random.chance(0.8),
  };
}

/** What may change while pulse runs; the rest needs a restart (see src/pulse/settings.ts). */
export function changeSettings(random: Seeded, settings: Settings): Settings {
  const intervalMs = random.pick([5, 20]);
  return {
    ...settings,
    intervalMs,
    paths: settings.paths.map((path) => ({
      ...path,
      intervalMs: path.intervalMs > 20 ? path.intervalMs : intervalMs,
    })),
    deadFloorMs: random.pick([32, 100]),
    deadCeilingMs: random.pick([100, 400]),
    hangLimitMs: random.pick([100, 1000]),
    aloneAfterMs: random.pick([null, 0, 30_000]),
    failback: { ...settings.failback, holdMs: random.pick([0, 10_000]) },
    reclaimHoldMs: random.pick([0, 10_000]),
    onArbiterLost: random.pick(["stepDown", "keep"]),
    configDigest: random.pick(["00000000", "00000001"]),
  };
}
