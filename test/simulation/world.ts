/**
 * The pair, the wires between them and a client that sees who answers: one seed, one world. Everything that happens in
 * it happens through the schedule, and is written to the trace.
 */

import type { StoreImage } from "@understudy/core/conformance/memory-store";
import type { Action } from "@understudy/core/internal/failover/action";
import { isExclusive } from "@understudy/core/internal/failover/arbiters";
import type { Settings } from "@understudy/core/internal/failover/settings";
import type { Beat, Role } from "@understudy/core/internal/heartbeat/beat";
import type { Side } from "@understudy/core/public";
import { type ClockOptions, makeMachineClock } from "./clock.js";
import { type Machine, type Mutation, makeMachine, type Observation, type Outside } from "./machine.js";
import { makeNetwork, type Network, otherSide, type SimulatedPath } from "./network.js";
import type { NodeModel } from "./node-model.js";
import { makeProtectors, type Protectors } from "./protectors.js";
import { type Random, seededRandom } from "./random.js";
import { makeSchedule, type Schedule } from "./schedule.js";
import { type Clients, makeClients } from "./session-clients.js";
import { makeSessionModel, type SessionOutside } from "./session-model.js";

export interface WorldOptions {
  readonly seed: number;
  readonly paths: readonly SimulatedPath[];
  /** Overrides of the defaults. */
  readonly settings?: Partial<Settings>;
  readonly clocks?: Readonly<Record<Side, ClockOptions>>;
  readonly mutations?: Partial<Record<Side, Mutation>>;
  /** Node processes with replicated sessions, and clients that use them. */
  readonly sessions?: boolean;
  /** How long a grant of the granter lasts; default 3000. */
  readonly grantMs?: number;
}

export interface TraceLine {
  readonly atMs: number;
  readonly who: Side | "client" | "world";
  readonly what: string;
}

export interface World {
  readonly schedule: Schedule;
  readonly random: Random;
  readonly network: Network;
  readonly machines: Readonly<Record<Side, Machine>>;
  readonly settings: Readonly<Record<Side, Settings>>;
  readonly trace: TraceLine[];
  /** A third machine that answers for the HA address. */
  stranger: boolean;
  readonly protectors: Protectors;
  /** Called after everything that happens. */
  readonly checks: (() => void)[];
  /** Called with every step of either decision core. */
  readonly observers: ((observation: Observation) => void)[];
  readonly actionObservers: ((side: Side, action: Action) => void)[];
  /** The nodes' keys differ: beats do not verify, TLS does not connect. */
  foreign: boolean;
  /** Every third machine on the client segment is gone. */
  neighboursSilent: boolean;
  /** Called when a beat gets to a running machine, before anything there sees it. */
  readonly deliveries: ((to: Side, beat: Beat) => void)[];
  clients: Clients | undefined;
  /** The session link: in order and without loss, for as long as it lasts. */
  readonly wire: { wantsReset: boolean; readonly queues: Readonly<Record<Side, Uint8Array[]>> };
  /** Whether two may answer now (the fault table); set by the checker that knows. */
  overlapExcused: () => boolean;
  /** Who answers the client for the HA address now. */
  answering(): readonly Side[];
  run(forMs: number): void;
  say(what: string): void;
}

export const sides = ["primary", "secondary"] as const;

export function defaultSettings(
  self: Side,
  paths: readonly SimulatedPath[],
  overrides: Partial<Settings> = {},
): Settings {
  const intervalMs = overrides.intervalMs ?? 20;
  return {
    paths: paths.map(({ name, class: pathClass, beatIntervalMs }) => ({
      name,
      class: pathClass,
      intervalMs: Math.max(intervalMs, beatIntervalMs ?? 0),
    })),
    deadFloorMs: 100,
    deadCeilingMs: 400,
    leaseMs: 250,
    hangLimitMs: 1000,
    aloneAfterMs: 30_000,
    failback: { mode: "auto", holdMs: 10_000, maxHoldMs: 3_600_000, manualAfterLosses: 3, freezeMs: 50 },
    reclaimHoldMs: 10_000,
    foreignHoldMs: 30_000,
    askAfterMs: 2500,
    probeEveryMs: 4,
    configDigest: "00000001",
    arbiters: [],
    onArbiterLost: "stepDown",
    fences: [],
    fenceDelayMs: 30_000,
    canProbeAddress: true,
    ...overrides,
    intervalMs,
    self,
  };
}

/** A connection whose other end lost its power is noticed after this long. */
const linkTimeoutMs = 1000;
const roundTripMs = 0.2;

export function makeWorld(options: WorldOptions): World {
  const schedule = makeSchedule();
  const random = seededRandom(options.seed);
  const network = makeNetwork(options.paths, schedule, random);
  const trace: TraceLine[] = [];
  const settings = {
    primary: defaultSettings("primary", options.paths, options.settings),
    secondary: defaultSettings("secondary", options.paths, options.settings),
  };
  const outside = makeOutside(() => world);
  const clockOf = (side: Side) =>
    makeMachineClock(schedule, options.clocks?.[side] ?? { offsetMs: 0, driftPpm: 0 });
  const clocks = { primary: clockOf("primary"), secondary: clockOf("secondary") };
  const machine = (side: Side) =>
    makeMachine({
      settings: settings[side],
      paths: options.paths,
      clock: clocks[side],
      random,
      outside,
      mutation: options.mutations?.[side],
      makeSessions: options.sessions === true ? (node) => sessionsOf(side, node) : undefined,
    });
  const files = new Map<string, StoreImage>();
  const sessionsOf = (side: Side, node: NodeModel) =>
    makeSessionModel({
      side,
      clock: clocks[side],
      random: seededRandom(options.seed ^ (side === "primary" ? 0x1111 : 0x2222)),
      outside: makeSessionOutside(() => world),
      files,
      inProcess: (work) => node.take(work),
      mutation: options.mutations?.[side]?.sessions,
    });
  /** Who answered last, as bits; nobody has been looked at yet. */
  let answered = -1;
  const answers = (side: Side): boolean => {
    const { powered, kernel, clock } = world.machines[side];
    return powered && kernel.held && !clock.paused && network.plugged(side) && kernel.answers(clock.nowMs);
  };
  const world: World = {
    schedule,
    random,
    network,
    settings,
    trace,
    stranger: false,
    foreign: false,
    neighboursSilent: false,
    checks: [],
    observers: [],
    deliveries: [],
    overlapExcused: () => true,
    clients: undefined,
    protectors: makeProtectors(() => world, options.grantMs ?? 3000),
    wire: { wantsReset: false, queues: { primary: [], secondary: [] } },
    actionObservers: [],
    machines: { primary: machine("primary"), secondary: machine("secondary") },
    answering: () => sides.filter(answers),
    run: (forMs) => {
      schedule.runUntil(schedule.nowMs + forMs, () => {
        const now = answers("primary") ? (answers("secondary") ? 3 : 1) : answers("secondary") ? 2 : 0;
        if (now !== answered) {
          answered = now;
          const who = world.answering().join(" and ") || "nobody";
          trace.push({ atMs: schedule.nowMs, who: "client", what: `${who} answers` });
        }
        for (const check of world.checks) check();
      });
    },
    say: (what) => trace.push({ atMs: schedule.nowMs, who: "world", what }),
  };
  if (options.sessions === true) world.clients = makeClients(world, options.seed);
  keepLink(world);
  return world;
}

/** The TLS link: up while both node processes live and can talk; a killed process is noticed at once, a dead machine late. */
function keepLink(world: World): void {
  let up = false;
  let lives = 0;
  let brokenSinceMs: number | undefined;
  const look = () => {
    const { primary, secondary } = world.machines;
    const processes = primary.node.up && secondary.node.up;
    const machines = primary.powered && secondary.powered && world.network.talk() && !world.foreign;
    const hung = sides.some((side) => world.machines[side].node.hung || world.machines[side].clock.paused);
    const works = processes && machines && !hung;
    if (works) brokenSinceMs = undefined;
    else brokenSinceMs ??= world.schedule.nowMs;
    const noticed = machines && !processes;
    const timedOut = brokenSinceMs !== undefined && world.schedule.nowMs - brokenSinceMs >= linkTimeoutMs;
    const livesNow = primary.node.lives + secondary.node.lives;
    const anew = livesNow !== lives || world.wire.wantsReset;
    lives = livesNow;
    const now = !anew && (works || (up && !noticed && !timedOut));
    world.wire.wantsReset = false;
    if (now !== up) {
      up = now;
      for (const side of sides) world.wire.queues[side].length = 0;
      for (const side of sides) {
        world.machines[side].node.linkChanged(up);
        if (world.machines[side].node.up) world.machines[side].tell({ type: "peerLinkChanged", up });
      }
    }
    world.schedule.after(1, look);
  };
  world.schedule.after(1, look);
}

function makeSessionOutside(world: () => World): SessionOutside {
  return {
    send: (from, envelope) => {
      const queue = world().wire.queues[from];
      queue.push(envelope);
      if (queue.length === 1) world().schedule.after(roundTripMs / 2, () => pumpWire(world(), from));
    },
    resetLink: () => {
      world().wire.wantsReset = true;
    },
    answered: (from, ticket, answer) => world().clients?.answered(from, ticket, answer),
    frozen: (from, id, outcome, detail) =>
      world().machines[from].tell({ type: "actionFinished", id, outcome, detail }),
    changed: (from) => world().machines[from].reportNow(),
    died: (from, why) => {
      world().trace.push({ atMs: world().schedule.nowMs, who: from, what: `node ends: ${why}` });
      world().machines[from].killNode();
    },
  };
}

/** TCP holds back what cannot pass now, and delivers it in order when it can. */
function pumpWire(world: World, from: Side): void {
  const queue = world.wire.queues[from];
  if (queue.length === 0) return;
  const to = otherSide(from);
  if (!world.network.talk() || world.foreign || !runs(world, to)) {
    world.schedule.after(1, () => pumpWire(world, from));
    return;
  }
  const { node, sessions } = world.machines[to];
  for (const envelope of queue.splice(0)) node.take(() => sessions?.received(envelope));
}

function makeOutside(world: () => World): Outside {
  return {
    sendBeat: (from, path, beat) => {
      const { network, machines } = world();
      if (network.eaten.has(from)) return;
      network.carry(from, path, () => {
        const peer = machines[otherSide(from)];
        if (world().foreign) peer.hear({ type: "foreignBeatReceived", path: path.name });
        else peer.receive(beat, path.name);
      });
    },
    observe: (observation) => {
      for (const observer of world().observers) observer(observation);
    },
    delivered: (side, beat) => {
      for (const observer of world().deliveries) observer(side, beat);
    },
    performing: (side, action) => {
      for (const observer of world().actionObservers) observer(side, action);
    },
    probe: (from, round) => probe(world(), from, round),
    probeNeighbours: (from) => probeNeighbours(world(), from),
    askPeerRole: (from, id) => {
      const { schedule, machines, network } = world();
      const peer = machines[otherSide(from)];
      const asker = machines[from];
      if (
        asker.node.up &&
        peer.powered &&
        peer.node.up &&
        !peer.node.hung &&
        !peer.clock.paused &&
        !world().foreign &&
        network.talk() &&
        peer.running
      ) {
        schedule.after(1, () => {
          const state = peer.state;
          if (state === undefined || peer.stalled) return;
          asker.tell({ type: "peerRoleAnswered", id, active: holdsAddress(state.role), epoch: state.epoch });
        });
      } else {
        schedule.after(500, () => asker.tell({ type: "actionFinished", id, outcome: "unknown" }));
      }
    },
    askArbiters: (from, epoch, names) => world().protectors.ask(from, epoch, names),
    releaseGrant: (from, epoch) => {
      // What a node process does for its dead pulse draws no chance where there is no granter.
      if (isExclusive(world().settings[from])) world().protectors.release(from, epoch);
    },
    fence: (from, id, name) => world().protectors.fence(from, id, name),
    freeze: (from, id, freezeMs) => {
      const { machines } = world();
      const asker = machines[from];
      const peer = machines[otherSide(from)];
      const equal = () =>
        runs(world(), otherSide(from)) &&
        world().network.talk() &&
        !peer.node.hung &&
        asker.node.linked &&
        asker.node.report().inSync &&
        peer.node.report().inSync;
      asker.clock.after(equal() ? 2 : freezeMs, () => {
        if (!asker.node.up || asker.node.hung) return;
        const outcome = equal() ? "confirmed" : "refused";
        const detail = equal() ? "" : "the other node did not confirm the same vector";
        asker.tell({ type: "actionFinished", id, outcome, detail });
      });
    },
    siblingGoodbye: (from, epoch) => {
      const { schedule, machines, network, trace } = world();
      trace.push({ atMs: schedule.nowMs, who: from, what: "node withdrew the address for its dead pulse" });
      const peer = machines[otherSide(from)];
      if (!network.talk() || !machines[from].node.linked) return;
      schedule.after(0.3, () => {
        if (peer.node.up && !peer.node.hung) peer.tell({ type: "peerSaidGoodbye", epoch });
      });
    },
    trace: (side, what) => {
      const { trace, schedule } = world();
      trace.push({ atMs: schedule.nowMs, who: side, what });
    },
  };
}

/** What a node says over TLS: it has the address, takes it, or has not given it up yet. */
function holdsAddress(role: Role): boolean {
  return role === "claiming" || role === "active" || role === "releasing";
}

/** Rule R9: the peer's kernel on every IP path, the HA address and neighbours on the client segment. */
function probe(world: World, from: Side, round: number): void {
  const { network, schedule, machines } = world;
  const peerSide = otherSide(from);
  const asker = machines[from];
  for (const path of network.paths.filter(({ ip }) => ip)) {
    if (!runs(world, peerSide)) continue;
    network.ask(from, path, () => asker.hear({ type: "kernelAnswered", path: path.name, round }));
  }
  const client = network.paths.find((path) => path.class === "client");
  if (client !== undefined && world.answering().includes(peerSide)) {
    network.ask(from, client, () =>
      asker.hear({ type: "addressAnswered", from: "peer", mac: `mac-${peerSide}` }),
    );
  }
  if (world.stranger && network.plugged(from)) {
    schedule.after(roundTripMs, () =>
      asker.hear({ type: "addressAnswered", from: "stranger", mac: "mac-stranger" }),
    );
  }
  probeNeighbours(world, from);
}

function runs(world: World, side: Side): boolean {
  const { powered, clock } = world.machines[side];
  return powered && !clock.paused;
}

function probeNeighbours(world: World, from: Side): void {
  const { network, random } = world;
  if (!network.hears(from) || world.neighboursSilent) return;
  // Nobody answers what was not heard, but what neighbours say to all is heard now and then.
  if (!network.plugged(from) && !random.chance(0.3)) return;
  world.schedule.after(roundTripMs, () =>
    world.machines[from].hear({ type: "neighbourHeard", interfaceName: "eth0" }),
  );
}
