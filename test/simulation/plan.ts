/**
 * What is going to go wrong, and when: one seed gives one plan, and a plan is plain data, so that a failing one can be
 * printed, cut down to the faults that matter and played again.
 */

import type { OperatorRequest } from "@understudy/core/internal/failover/event";
import type { Settings } from "@understudy/core/internal/failover/settings";
import type { PathClass, Side } from "@understudy/core/public";
import type { ClockOptions } from "./clock.js";
import type { KernelTrouble } from "./machine.js";
import type { SimulatedPath, Weather } from "./network.js";
import type { FenceTrouble } from "./protectors.js";
import { type Random, seededRandom } from "./random.js";

export type FaultKind =
  | { readonly kind: "weather"; readonly path: string; readonly weather: Weather }
  | { readonly kind: "cut"; readonly from: Side; readonly path: string }
  | { readonly kind: "split" }
  | { readonly kind: "unplug"; readonly side: Side }
  | { readonly kind: "carrier"; readonly side: Side }
  /** One direction of a machine's plug on the client segment. */
  | { readonly kind: "halfPlug"; readonly side: Side; readonly half: "mute" | "deaf" }
  /** Every path of a class, in both directions: a broker, a cable, whatever the client paths share. */
  | { readonly kind: "classLost"; readonly pathClass: PathClass }
  | { readonly kind: "neighbours" }
  | { readonly kind: "stall"; readonly side: Side }
  | { readonly kind: "pause"; readonly side: Side; readonly keepFrames: boolean }
  | { readonly kind: "killPulse"; readonly side: Side }
  | { readonly kind: "killNode"; readonly side: Side }
  | { readonly kind: "killBoth"; readonly side: Side }
  | { readonly kind: "hangNode"; readonly side: Side }
  | { readonly kind: "sickServices"; readonly side: Side }
  | { readonly kind: "powerLoss"; readonly side: Side }
  | { readonly kind: "crash"; readonly side: Side; readonly afterActions: number }
  | { readonly kind: "diskFull"; readonly side: Side }
  /** Acknowledged writes of this time are gone after the power loss that ends it. */
  | { readonly kind: "lyingDisk"; readonly side: Side }
  | { readonly kind: "rollBack"; readonly side: Side; readonly by: number }
  | { readonly kind: "kernel"; readonly side: Side; readonly trouble: KernelTrouble }
  | { readonly kind: "operator"; readonly side: Side; readonly request: OperatorRequest }
  | { readonly kind: "stop"; readonly side: Side }
  /** Commits of the session store fail, for no reason it knows. */
  | { readonly kind: "diskBroken"; readonly side: Side }
  /** After a power loss the session database does not verify. Never both: then nobody has anything. */
  | { readonly kind: "corrupt"; readonly side: Side }
  | { readonly kind: "config"; readonly side: Side }
  | { readonly kind: "foreign" }
  | { readonly kind: "stranger" }
  /** A filter that lets no TCP pass: no link between the node processes. */
  | { readonly kind: "noTcp" }
  /** A filter that lets no beat of this side pass, and all else. */
  | { readonly kind: "eaten"; readonly side: Side }
  | { readonly kind: "tampered"; readonly side: Side }
  /** Of the protectors beside the pair: see protectors.ts. */
  | { readonly kind: "granterCut"; readonly side: Side }
  | { readonly kind: "granterDown" }
  | { readonly kind: "granterSlow"; readonly byMs: number }
  | { readonly kind: "answersLost" }
  | { readonly kind: "fenceTrouble"; readonly name: string; readonly trouble: FenceTrouble };

export type Fault = { readonly atMs: number; readonly forMs: number } & FaultKind;

export interface Plan {
  readonly seed: number;
  readonly paths: readonly SimulatedPath[];
  readonly settings: Partial<Settings>;
  readonly clocks: Readonly<Record<Side, ClockOptions>>;
  /** When each machine is switched on. */
  readonly bootMs: Readonly<Record<Side, number>>;
  readonly faults: readonly Fault[];
  /** When everything is made whole again. */
  readonly healMs: number;
  /** How long a grant lasts, where there is a granter. */
  readonly grantMs?: number;
}

export const udp: SimulatedPath = { name: "udp", class: "client", ip: true };
const udp2: SimulatedPath = { name: "udp2", class: "client", ip: true };
const cable: SimulatedPath = { name: "private", class: "private", ip: true };
const serial: SimulatedPath = { name: "serial", class: "private", ip: false };
/** 9600 baud: ten bits a byte, some 110 bytes a frame. */
export const serial9600: SimulatedPath = {
  name: "serial9600",
  class: "private",
  ip: false,
  beatIntervalMs: 125,
  frameMs: 115,
};
export const mqtt: SimulatedPath = {
  name: "mqtt",
  class: "out-of-band",
  ip: false,
  beatIntervalMs: 1000,
  delayMs: [2, 8],
};
export const wirings: readonly (readonly SimulatedPath[])[] = [
  [udp],
  [udp, cable],
  [udp, serial],
  [udp, udp2],
  [udp, serial9600],
  [udp, mqtt],
  [udp, cable, mqtt],
];

type Maker = (random: Random, paths: readonly SimulatedPath[]) => FaultKind;
const side = (random: Random): Side => (random.chance(0.5) ? "primary" : "secondary");
const pathOrAll = (random: Random, paths: readonly SimulatedPath[]) =>
  random.chance(0.4) ? "all" : random.pick(paths).name;

const makers: Readonly<Record<FaultKind["kind"], Maker>> = {
  weather: (random, paths) => ({
    kind: "weather",
    path: pathOrAll(random, paths),
    weather: someWeather(random),
  }),
  cut: (random, paths) => ({ kind: "cut", from: side(random), path: pathOrAll(random, paths) }),
  split: () => ({ kind: "split" }),
  unplug: (random) => ({ kind: "unplug", side: side(random) }),
  carrier: (random) => ({ kind: "carrier", side: side(random) }),
  halfPlug: (random) => ({
    kind: "halfPlug",
    side: side(random),
    half: random.pick(["mute", "deaf"] as const),
  }),
  classLost: (random, paths) => ({ kind: "classLost", pathClass: random.pick(paths).class }),
  neighbours: () => ({ kind: "neighbours" }),
  stall: (random) => ({ kind: "stall", side: side(random) }),
  pause: (random) => ({ kind: "pause", side: side(random), keepFrames: random.chance(0.5) }),
  killPulse: (random) => ({ kind: "killPulse", side: side(random) }),
  killNode: (random) => ({ kind: "killNode", side: side(random) }),
  killBoth: (random) => ({ kind: "killBoth", side: side(random) }),
  hangNode: (random) => ({ kind: "hangNode", side: side(random) }),
  sickServices: (random) => ({ kind: "sickServices", side: side(random) }),
  powerLoss: (random) => ({ kind: "powerLoss", side: side(random) }),
  crash: (random) => ({
    kind: "crash",
    side: side(random),
    afterActions: 1 + Math.floor(random.next() ** 2 * 60),
  }),
  diskFull: (random) => ({ kind: "diskFull", side: side(random) }),
  lyingDisk: (random) => ({ kind: "lyingDisk", side: side(random) }),
  rollBack: (random) => ({ kind: "rollBack", side: side(random), by: 1 + Math.floor(random.next() * 6) }),
  kernel: (random) => ({
    kind: "kernel",
    side: side(random),
    trouble: random.pick(["refuses", "timesOut", "slow", "slow"] as const),
  }),
  operator: (random) => ({ kind: "operator", side: side(random), request: someRequest(random) }),
  diskBroken: (random) => ({ kind: "diskBroken", side: side(random) }),
  corrupt: () => ({ kind: "corrupt", side: "secondary" }),
  stop: (random) => ({ kind: "stop", side: side(random) }),
  config: (random) => ({ kind: "config", side: side(random) }),
  foreign: () => ({ kind: "foreign" }),
  stranger: () => ({ kind: "stranger" }),
  noTcp: () => ({ kind: "noTcp" }),
  eaten: (random) => ({ kind: "eaten", side: side(random) }),
  tampered: (random) => ({ kind: "tampered", side: side(random) }),
  granterCut: (random) => ({ kind: "granterCut", side: side(random) }),
  granterDown: () => ({ kind: "granterDown" }),
  granterSlow: (random) => ({ kind: "granterSlow", byMs: random.pick([20, 200, 800]) }),
  answersLost: () => ({ kind: "answersLost" }),
  fenceTrouble: (random) => ({
    kind: "fenceTrouble",
    name: random.pick(["plug", "plug-2"]),
    trouble: random.pick(["slow", "refuses", "timesOut"] as const),
  }),
};
const protectorKinds: readonly FaultKind["kind"][] = [
  "granterCut",
  "granterDown",
  "granterSlow",
  "answersLost",
  "fenceTrouble",
];
const allKinds = (Object.keys(makers) as readonly FaultKind["kind"][]).filter(
  (kind) => !protectorKinds.includes(kind),
);

function someWeather(random: Random): Weather {
  const minDelayMs = random.between(0.05, 3);
  return {
    lossRate: random.pick([0, 0.01, 0.1, 0.3]),
    doubleRate: random.pick([0, 0.05, 0.3]),
    minDelayMs,
    // A spread wider than the interval reorders.
    maxDelayMs: minDelayMs + random.pick([0, 0.5, 10, 60]),
  };
}

function someRequest(random: Random): OperatorRequest {
  const force = random.chance(0.2);
  const kind = random.pick(["switchover", "switchover", "clearPreference", "maintenance", "maintenance"]);
  if (kind === "switchover") return { kind, to: random.chance(0.3) ? undefined : side(random), force };
  if (kind === "maintenance") return { kind, on: random.chance(0.5), force };
  return { kind: "clearPreference" };
}

/** Faults of a blink, of about a lease, and long ones. */
function someDuration(random: Random): number {
  const [least, most] = random.pick([
    [1, 40],
    [40, 600],
    [40, 600],
    [600, 5000],
  ] as const);
  return random.between(least, most);
}

/** Few kinds in one plan, each several times, find more than all kinds once (swarm testing). */
export function makePlan(seed: number, kindsToUse: readonly FaultKind["kind"][] = allKinds): Plan {
  const random = seededRandom(seed ^ 0x5eed_f417);
  const paths = random.pick(wirings);
  const fast = random.chance(0.3);
  const bootWithin = random.pick([0, 0, 100, 8000]);
  const bootMs = { primary: random.between(0, bootWithin), secondary: random.between(0, bootWithin) };
  const startMs = Math.max(bootMs.primary, bootMs.secondary) + random.pick([10, 2000, 2000]);
  const kinds = Array.from({ length: 1 + Math.floor(random.next() * 5) }, () => random.pick(kindsToUse));
  const count = 1 + Math.floor(random.next() * 9);
  const withinMs = random.pick([500, 3000, 8000]);
  const faults = Array.from({ length: count }, (): Fault => {
    const atMs = startMs + random.between(0, withinMs);
    return { atMs, forMs: someDuration(random), ...makers[random.pick(kinds)](random, paths) };
  }).sort((left, right) => left.atMs - right.atMs);
  const clock = () => ({ offsetMs: random.between(0, 5_000_000), driftPpm: random.between(-200, 200) });
  return {
    seed,
    paths,
    settings: {
      ...(fast ? { intervalMs: 5, deadFloorMs: 32 } : {}),
      leaseMs: random.pick([250, 250, 100]),
      aloneAfterMs: 3000,
      reclaimHoldMs: 1000,
      foreignHoldMs: 2000,
      failback: { mode: "auto", holdMs: 1000, maxHoldMs: 8000, manualAfterLosses: 3, freezeMs: 50 },
    },
    clocks: { primary: clock(), secondary: clock() },
    bootMs,
    faults,
    healMs: Math.max(
      startMs,
      ...faults.map(({ atMs, forMs }) => atMs + Math.min(forMs, random.between(50, 5000))),
    ),
  };
}

export interface Protection extends Pick<Settings, "arbiters" | "onArbiterLost" | "fences"> {
  readonly grantMs: number;
}

const granter = { name: "granter", exclusive: true };
const ping = { name: "ping", exclusive: false };

/** The same plan for a pair that has arbiters, fences or both, and in which these fail too. */
export function makeProtectedPlan(
  seed: number,
  kindsToUse: readonly FaultKind["kind"][] = [...allKinds, ...protectorKinds, ...protectorKinds],
  wanted: Partial<Protection> = {},
): Plan {
  const random = seededRandom(seed ^ 0x0a4b_17e4);
  const [arbiters, fences] = random.pick([
    [[granter], []],
    [[granter], []],
    [[granter, ping], []],
    [[ping], []],
    [[], ["plug", "plug-2"]],
    [[ping], ["plug"]],
    [[granter], ["plug"]],
  ] as const);
  const plan = makePlan(seed, kindsToUse);
  const grantMs = wanted.grantMs ?? random.pick([2000, 3000, 5000]);
  const onArbiterLost = random.chance(0.7) ? "stepDown" : "keep";
  const { grantMs: _, ...chosen } = wanted;
  return {
    ...plan,
    settings: { ...plan.settings, arbiters, onArbiterLost, fences, fenceDelayMs: 4000, ...chosen },
    grantMs,
  };
}

export function describeFault(fault: Fault): string {
  const { atMs, forMs, kind, ...rest } = fault;
  return `${atMs.toFixed(1)} ms, for ${forMs.toFixed(1)} ms: ${kind} ${JSON.stringify(rest)}`;
}
