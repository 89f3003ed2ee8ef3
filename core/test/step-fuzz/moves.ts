/**
 * Events in any order, likely and absurd ones: duplicated, late, contradictory, of former lives, answering what nobody
 * asked. What the core does is looked at, so that enough of them fit to reach the states where the others hurt.
 */

import type { Action, ActionType } from "../../src/failover/action.js";
import { mostEpoch } from "../../src/failover/epochs.js";
import type { Event, OperatorRequest } from "../../src/failover/event.js";
import type { State } from "../../src/failover/state.js";
import { type Beat, type Role, roles } from "../../src/heartbeat/beat.js";
import type { Happening } from "../../src/pulse/happening.js";
import { testBeat } from "../beat-kit.js";
import type { Seeded } from "../seeded.js";
import { type Burst, bursts, changeSettings, type World } from "./worlds.js";

/** `answers`: the event's id is that of the action so many of its type ago, also when other events were left out. */
export interface Move {
  readonly event: Event;
  readonly answers?: { readonly type: ActionType; readonly back: number };
}

type IdAction = Extract<Action, { readonly id: number }>;

export interface Source {
  /** The next few, in view of the state that the last ones led to. */
  next(state: State): readonly Move[];
  saw(actions: readonly Action[]): void;
}

interface Life {
  readonly nonce: string;
  sequence: number;
}

const noIntents = { maintenance: false, preference: { side: undefined, version: 0 } } as const;

export function createSource(random: Seeded, { settings, temper }: World): Source {
  const { orderly } = temper;
  const lives: Life[] = [{ nonce: "00000000000000a0", sequence: 0 }];
  let atMs = random.pick([0, 1000, 5_000_000.25]);
  let peer: Beat = testBeat({
    sender: settings.self === "primary" ? "secondary" : "primary",
    nonce: "00000000000000a0",
    sequence: 0,
    epoch: 0,
    role: "standby",
    health: { clientLink: true, node: true, services: true, store: true },
    inSync: true,
    goodbye: false,
    answers: false,
    preference: noIntents.preference,
    configDigest: settings.configDigest,
    claimToken: undefined,
  });
  let pending: IdAction[] = [];
  let questions: Extract<Action, { type: "askArbiters" }>[] = [];
  let last: readonly Move[] = [];
  let begun = false;

  const move = (happening: Happening): Move => ({ event: { ...happening, atMs } as Event });
  const likely = () => random.chance(orderly);
  const advance = (mostMs: number) => {
    atMs += random.chance(0.2) ? 0 : random.next() * mostMs;
  };
  const jump = () => advance(random.pick([0, 1, 5, 20, 50, 300, temper.longestMs]));
  const path = () => (likely() ? random.pick(settings.paths).name : "no such path");

  function epochNear(state: State): number {
    if (temper.edges && random.chance(0.05))
      return random.pick([mostEpoch, mostEpoch - 1, mostEpoch - 2, 2 ** 32, 2 ** 31]);
    const epoch = state.highestEpoch + random.pick([-3, -2, -1, 0, 0, 0, 1, 2, 3]);
    return Math.min(Math.max(0, epoch), mostEpoch);
  }

  function changePeer(state: State): void {
    const { health, preference } = peer;
    const { version } = state.intents.preference;
    const changes: readonly (() => Partial<Beat>)[] = [
      () => ({ role: random.pick<Role>(roles), epoch: epochNear(state) }),
      () => ({ role: "active", epoch: epochNear(state) }),
      () => ({ role: "standby", verified: true, inSync: true }),
      () => ({ verified: random.chance(0.5), inSync: random.chance(0.5) }),
      () => ({ health: { ...health, [random.pick(Object.keys(health))]: random.chance(0.7) } }),
      () => ({ goodbye: random.chance(0.5), unwell: random.chance(0.5) }),
      () => ({
        preference: { side: random.pick([undefined, "primary", "secondary"]), version: version + 1 },
      }),
      () => ({ preference: { ...preference, version: Math.max(0, version - random.below(3)) } }),
      () => ({ configDigest: random.pick([state.settings.configDigest, "ffffffff"]) }),
      () => ({ heardOn: random.pick([undefined, 0, 1, 7, 0x7fff]) }),
      () => ({ asks: random.chance(0.5), answers: random.chance(0.5) }),
    ];
    peer = { ...peer, ...random.pick(changes)() };
  }

  function beat(state: State): Move {
    if (!likely()) changePeer(state);
    if (random.chance((1 - orderly) / 3))
      lives.push({ nonce: `00000000000000${(160 + lives.length).toString(16)}`, sequence: 0 });
    const life = likely() ? (lives.at(-1) ?? lives[0]) : random.pick(lives);
    if (life === undefined) throw new RangeError("there is always one");
    life.sequence += likely() ? 1 : random.pick([0, 2, 1000]);
    const sequence = likely() ? life.sequence : Math.max(1, life.sequence - random.below(5));
    const echoAgeMs = likely() ? random.next() * 30 : random.pick([undefined, 0, 700, 1e9]);
    const said = { ...peer, nonce: life.nonce, sequence };
    return move({ type: "beatReceived", path: path(), beat: said, echoAgeMs });
  }

  function pass(state: State): readonly Move[] {
    const moves: Move[] = [];
    const withBeats = random.chance(0.5);
    for (let count = 1 + random.below(12); count > 0; count -= 1) {
      advance(random.pick([4, 10, 25]));
      moves.push(move({ type: "tick" }));
      if (withBeats) moves.push(beat(state));
      if (random.chance(0.1)) moves.push(move({ type: "neighbourHeard", interfaceName: "eth0" }));
      moves.push(move({ type: "polled" }));
    }
    return moves;
  }

  function answer(): readonly Move[] {
    const action = likely() ? pending.shift() : random.pick([...pending, undefined]);
    if (action === undefined) return [];
    pending = pending.filter((each) => each !== action || random.chance(0.05));
    const outcome = likely() ? "confirmed" : random.pick(["refused", "unknown"] as const);
    const detail = random.pick([undefined, "", "no reason"]);
    const answers = { type: action.type, back: 0 };
    if (action.type === "askPeerRole" && random.chance(0.6)) return [peerRole(action.id, answers)];
    const told = { type: "actionFinished", id: action.id, outcome } as const;
    return [{ ...move(detail === undefined ? told : { ...told, detail }), answers }];
  }

  function peerRole(id: number, answers?: Move["answers"]): Move {
    const epoch = Math.max(0, peer.epoch + random.pick([0, 0, 1, 2]));
    const told = move({ type: "peerRoleAnswered", id, active: random.chance(0.5), epoch });
    return answers === undefined ? told : { ...told, answers };
  }

  function strayAnswer(): readonly Move[] {
    const id = random.pick([-1, 0, 1, 2, 3, 5, 8, 13, 21, 34, 1e9]);
    if (random.chance(0.3)) return [peerRole(id)];
    const outcome = random.pick(["confirmed", "refused", "unknown"] as const);
    return [move({ type: "actionFinished", id, outcome })];
  }

  function report(): readonly Move[] {
    if (!likely() && random.chance(0.3)) return [move({ type: "nodeLost" })];
    const well = () => likely() || random.chance(0.5);
    const database = random.pick(["open", "opening", "lost"] as const);
    const met = random.chance(0.5);
    const told = {
      services: well(),
      store: well(),
      verified: well(),
      inSync: well(),
      waitingFor: random.pick([undefined, "the other node"]),
      ...(likely() ? {} : { database }),
      ...(random.chance(0.1) ? { met } : {}),
    };
    return [move({ type: "nodeReported", report: told })];
  }

  function ruling(state: State): readonly Move[] {
    const asked = likely() ? questions.pop() : random.pick([...questions, undefined]);
    const names = asked?.names ?? [random.pick(["ping", "etcd", "nobody"])];
    return names.map((name) => {
      const epoch = likely() ? (asked?.epoch ?? epochNear(state)) : epochNear(state);
      const verdict = likely() ? "granted" : random.pick(["denied", "unknown", "granted"] as const);
      const lasts = likely() ? random.pick([10_000, 1800]) : random.pick([-5, 0, 200, 1500, 60_000, 1e15]);
      const end = verdict === "granted" && name !== "ping" ? { untilMs: atMs + lasts } : {};
      const seen =
        verdict !== "granted" && random.chance(0.3) ? { seenEpoch: Math.max(1, epochNear(state)) } : {};
      return move({ type: "arbiterRuled", name, epoch, verdict, why: "it said so", ...end, ...seen });
    });
  }

  function segment(): readonly Move[] {
    const refreshMs = likely() ? 5000 : random.pick([0, -1, 1, 1e15, Infinity, Number.NaN]);
    const agreement = random.pick(["agreed", "disagreed", "unknown"] as const);
    const mac = random.pick(["02:00:00:00:00:01", "02:00:00:00:00:02"]);
    const address = "10.0.0.4";
    return [
      random.pick<Move>([
        move({ type: "segmentAgreed", agreement, refreshMs, detail: "1 of 1 neighbours" }),
        move({ type: "addressAnswered", from: random.pick(["peer", "peer", "stranger", "unknown"]), mac }),
        move({ type: "addressRemoved", address }),
        move({ type: "addressAdded", address }),
        move({ type: "leaseEnded", detail: "a claim frame arrived" }),
        move({ type: "foreignBeatReceived", path: path() }),
      ]),
    ];
  }

  function operator(): readonly Move[] {
    const force = random.chance(0.4);
    const count = likely() ? 1 : 1 + random.below(5);
    return Array.from({ length: count }, () => {
      const request = random.pick<OperatorRequest>([
        { kind: "switchover", to: random.pick([undefined, "primary", "secondary"]), force },
        { kind: "clearPreference" },
        { kind: "maintenance", on: true, force },
        { kind: "maintenance", on: false, force },
        { kind: "maintenance", on: false, force },
        { kind: "confirmDead" },
      ]);
      return move({ type: "operatorAsked", requestId: `r${random.below(20)}`, request });
    });
  }

  function carrier(): readonly Move[] {
    return Array.from({ length: 1 + random.below(4) }, () => {
      if (random.chance(0.3)) jump();
      return move({ type: "carrierChanged", up: random.chance(0.6) });
    });
  }

  function link(state: State): readonly Move[] {
    if (random.chance(0.7)) return [move({ type: "peerLinkChanged", up: random.chance(0.6) })];
    if (random.chance(0.5)) return [move({ type: "peerSaidGoodbye", epoch: epochNear(state) })];
    const plugin = random.pick(["udp", "garp", "sqlite"]);
    const forMs = random.pick([0, 1000, 60_000]);
    return [move({ type: "pluginBlocked", plugin, what: "held pulse up for 40 ms", forMs })];
  }

  function kernel(state: State): readonly Move[] {
    const round = likely() ? (state.suspicion?.round ?? 0) : random.below(9);
    const count = likely() ? 1 : 1 + random.below(100);
    return Array.from({ length: count }, () => move({ type: "kernelAnswered", path: path(), round }));
  }

  function start(): readonly Move[] {
    const preference = { side: random.pick([undefined, "primary", "secondary"] as const), version: 1 };
    const intents = likely() ? noIntents : { maintenance: random.chance(0.5), preference };
    const epoch = likely() ? random.below(9) : temper.edges ? mostEpoch - 1 : 0;
    const nonce = "00000000000000ff";
    const began: readonly Move[] = [move({ type: "started", nonce, epoch, intents })];
    return begun ? began : [...began, ...report()];
  }

  const sources: Readonly<Record<Burst, (state: State) => readonly Move[]>> = {
    pass,
    beat: (state) => [beat(state)],
    answer,
    "stray answer": strayAnswer,
    report,
    ruling,
    segment,
    operator,
    carrier,
    link,
    kernel,
    stop: () => [move({ type: "stopAsked" })],
    settings: (state) => [
      move({ type: "settingsChanged", settings: changeSettings(random, state.settings) }),
    ],
    start,
    // Late and twice: the same events, now.
    repeat: () => last.map((each) => ({ ...each, event: { ...each.event, atMs } })),
  };

  function pickBurst(): Burst {
    const sum = bursts.reduce((total, burst) => total + temper.weights[burst], 0);
    let left = random.next() * sum;
    for (const burst of bursts) {
      left -= temper.weights[burst];
      if (left < 0) return burst;
    }
    return "pass";
  }

  return {
    next(state) {
      if (random.chance(0.3)) jump();
      // What comes before it waits in pulse (see src/pulse/compose.ts).
      const burst = begun ? pickBurst() : "start";
      const moves = sources[burst](state);
      begun = true;
      last = moves.slice(-6);
      return moves;
    },
    saw(actions) {
      for (const action of actions) {
        if ("id" in action) pending = [...pending, action].slice(-12);
        if (action.type === "askArbiters") questions = [...questions, action].slice(-4);
      }
    },
  };
}
