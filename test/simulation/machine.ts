/**
 * One simulated machine: the production decision core in a pulse whose loop, kernel, disk and node process are
 * simulated. It can be stalled, paused with its clock, killed between any two actions and started again.
 */

import type { Action } from "@understudy/core/internal/failover/action";
import type { Event } from "@understudy/core/internal/failover/event";
import type { Settings } from "@understudy/core/internal/failover/settings";
import { initialState, type State } from "@understudy/core/internal/failover/state";
import { type Step, step } from "@understudy/core/internal/failover/step";
import type { Beat } from "@understudy/core/internal/heartbeat/beat";
import { StoreFailure } from "@understudy/core/internal/sessions/store";
import type { Outcome, Side } from "@understudy/core/public";
import type { MachineClock } from "./clock.js";
import { type Disk, makeDisk } from "./disk.js";
import { type FrameLedger, makeFrameLedger } from "./frame.js";
import { type Kernel, makeKernel } from "./kernel.js";
import type { SimulatedPath } from "./network.js";
import { makeNodeModel, type NodeModel } from "./node-model.js";
import { makePerform } from "./perform.js";
import type { Random } from "./random.js";
import type { SessionModel, SessionMutation } from "./session-model.js";

/** `Omit` that keeps the union apart. */
type WithoutTime<E> = E extends unknown ? Omit<E, "atMs"> : never;
export type Happening = WithoutTime<Event>;

/** What one call of the decision core was given and gave, for those who watch. */
export interface Observation {
  readonly side: Side;
  readonly before: State;
  readonly event: Event;
  readonly out: Step;
}

/** A rule broken on purpose: changes what the core is told, or what it says. */
export interface Mutation {
  before?(before: State, event: Event): State;
  event?(event: Event, before: State): Event;
  step?(out: Step, event: Event, before: State): Step;
  readonly sessions?: SessionMutation;
}

/** Troubles of a machine's kernel that its processes see as failed actions. */
export type KernelTrouble = "none" | "slow" | "refuses" | "timesOut";

/** What a machine does to the world beyond itself; the world does it. */
export interface Outside {
  sendBeat(from: Side, path: SimulatedPath, beat: Beat): void;
  probe(from: Side, round: number): void;
  probeNeighbours(from: Side): void;
  askPeerRole(from: Side, id: number): void;
  askArbiters(from: Side, epoch: number, names: readonly string[]): void;
  releaseGrant(from: Side, epoch: number): void;
  fence(from: Side, id: number, name: string): void;
  freeze(from: Side, id: number, freezeMs: number): void;
  /** The node process saw its pulse die and withdrew the address (rule R12). */
  siblingGoodbye(from: Side, epoch: number): void;
  trace(side: Side, what: string): void;
  observe(observation: Observation): void;
  /** The machine's interface took a beat. */
  delivered(to: Side, beat: Beat): void;
  /** Before an action is performed. */
  performing(side: Side, action: Action): void;
}

export interface Machine {
  readonly side: Side;
  readonly clock: MachineClock;
  readonly kernel: Kernel;
  kernelTrouble: KernelTrouble;
  /** The core's settings from the next start of pulse on. */
  settings: Settings;
  readonly node: NodeModel;
  readonly sessions: SessionModel | undefined;
  readonly disk: Disk;
  readonly powered: boolean;
  readonly running: boolean;
  readonly stalled: boolean;
  /** Frames and answers that wait to be read. */
  readonly unread: number;
  /** Counts the lives of pulse. */
  readonly lives: number;
  /** Undefined while pulse does not run. */
  readonly state: State | undefined;
  /** Kills pulse after so many more actions; Infinity: never. */
  crashAfterActions: number;
  boot(): void;
  losePower(): void;
  /** The whole machine stands still, its clock and its lease with it. */
  pause(): void;
  /** What arrived meanwhile is lost, or delivered now. */
  resume(keepFrames: boolean): void;
  /** The guard withdraws the address; a supervisor starts pulse again after a second, unless told not to. */
  killPulse(restart?: boolean): void;
  startPulse(): void;
  /** SIGSTOP of pulse, or a stall of its loop. */
  stall(): void;
  unstall(): void;
  /** The node process says how it is, which it does every 100 ms anyway. */
  reportNow(): void;
  killNode(restart?: boolean): void;
  startNode(): void;
  setCarrier(up: boolean): void;
  /** Something on this machine; it waits while the machine is paused. */
  tell(happening: Happening): void;
  /** Something from the wire: lost while the machine is paused, unless its card keeps it. */
  hear(happening: Happening): void;
  receive(beat: Beat, path: string): void;
}

export interface MachineParts {
  readonly settings: Settings;
  readonly paths: readonly SimulatedPath[];
  readonly clock: MachineClock;
  readonly random: Random;
  readonly outside: Outside;
  readonly mutation: Mutation | undefined;
  /** Undefined: the node process is in step after a fixed time, as scenarios have it. */
  readonly makeSessions: ((node: NodeModel) => SessionModel) | undefined;
}

const guardMs = 6;
const siblingMs = 8;
const restartMs = 1000;
const reportEveryMs = 100;
const framesHeld = 64;

export function makeMachine(parts: MachineParts): Machine {
  const { paths, clock, random, outside, mutation } = parts;
  const side = parts.settings.self;
  const node: NodeModel = makeNodeModel(clock, () => sessions);
  const sessions = parts.makeSessions?.(node);
  const disk = makeDisk();
  let kernel = makeKernel(parts.settings.leaseMs);
  let powered = false;
  /** Everything that belongs to one life of pulse; undefined while it is dead. */
  let life: { state: State; ledger: FrameLedger; inbox: Happening[]; cancelWake: () => void } | undefined;
  let stalled = false;
  /** The life whose core is at work now. */
  let busy: typeof life;
  let boots = 0;
  let lives = 0;
  let frames: (() => void)[] = [];
  let pending: (() => void)[] = [];
  let carrier = true;
  /** Asked to start while the one before still ends. */
  let startAgain = false;

  const decide = (known: State, told: Event): Step => {
    const before = mutation?.before?.(known, told) ?? known;
    const event = mutation?.event?.(told, before) ?? told;
    const decided = step(before, event);
    const out = mutation?.step?.(decided, event, before) ?? decided;
    outside.observe({ side, before, event, out });
    return out;
  };

  const apply = (happening: Happening): void => {
    const current = life;
    if (current === undefined) return;
    const event = { ...happening, atMs: clock.nowMs } as Event;
    const out = decide(current.state, event);
    current.state = out.state;
    for (const action of out.actions) {
      if (life !== current) return;
      outside.performing(side, action);
      perform(action, current.ledger);
      machine.crashAfterActions -= 1;
      if (machine.crashAfterActions <= 0) {
        machine.crashAfterActions = Infinity;
        outside.trace(side, "pulse crashes between two actions");
        machine.killPulse();
      }
    }
    if (life !== current) return;
    current.cancelWake();
    current.cancelWake = clock.after(out.wakeAtMs - clock.nowMs, wake);
  };

  /** What an action causes at once, and what has waited, comes after it, in the order in which it came. */
  const drain = (current: typeof life): void => {
    while (life === current && current !== undefined && !stalled) {
      const next = current.inbox.shift();
      if (next === undefined) return;
      apply(next);
    }
  };
  const inTurn = (current: NonNullable<typeof life>, work: () => void): void => {
    if (busy === current) return;
    busy = current;
    work();
    drain(current);
    if (busy === current) busy = undefined;
  };

  const wake = (): void => {
    const current = life;
    if (current === undefined || stalled) return;
    const arrived = current.inbox.length > 0;
    inTurn(current, () => apply({ type: "tick" }));
    if (life !== current) return;
    if (!arrived) {
      inTurn(current, () => apply({ type: "polled" }));
      return;
    }
    current.cancelWake();
    current.cancelWake = clock.after(0.05, wake);
  };

  const tell = (happening: Happening): void => {
    const current = life;
    if (current === undefined) return;
    if (stalled || busy === current) current.inbox.push(happening);
    else inTurn(current, () => apply(happening));
  };

  const finish = (id: number, afterMs: number, outcome: Outcome, effect: () => void, detail = ""): void => {
    const current = life;
    const machineBoots = boots;
    clock.after(afterMs, () => {
      if (machineBoots !== boots) return;
      if (life !== current) {
        // What a killed process had handed over already is done all the same; nobody hears of it.
        if (random.chance(0.5)) effect();
        return;
      }
      effect();
      tell({ type: "actionFinished", id, outcome, detail });
    });
  };

  /** Does it now, or when a paused machine goes on. */
  const whenAwake = (deliver: () => void, fromOutside: boolean): void => {
    if (!clock.paused) deliver();
    else if (!fromOutside) pending.push(deliver);
    else if (frames.length < framesHeld) frames.push(deliver);
  };

  /** The backend notices that the kernel answers no more. */
  const leaseEnded = (): void => {
    const current = life;
    clock.after(random.between(1, 100), () => {
      if (life === current && kernel.held && !kernel.answers(clock.nowMs))
        tell({ type: "leaseEnded", detail: "a claim of the other node has ended it" });
    });
  };

  const endPulse = (): void => {
    life?.cancelWake();
    life = undefined;
    stalled = false;
  };

  const reportNow = (): void => {
    if (powered && node.up && !node.hung) tell({ type: "nodeReported", report: node.report() });
  };
  const reportForEver = (bootsThen: number): void => {
    if (boots !== bootsThen) return;
    reportNow();
    clock.after(reportEveryMs, () => reportForEver(bootsThen));
  };

  const perform = makePerform({
    side,
    paths,
    clock,
    random,
    outside,
    node,
    sessions,
    disk,
    kernel: () => kernel,
    trouble: () => machine.kernelTrouble,
    finish,
    stopped: () => {
      endPulse();
      outside.trace(side, "pulse has ended");
      if (startAgain) clock.after(10, () => machine.startPulse());
    },
  });

  const machine: Machine = {
    side,
    clock,
    node,
    sessions,
    disk,
    settings: parts.settings,
    kernelTrouble: "none",
    crashAfterActions: Infinity,
    get kernel() {
      return kernel;
    },
    get powered() {
      return powered;
    },
    get running() {
      return life !== undefined;
    },
    get stalled() {
      return stalled;
    },
    get unread() {
      return life?.inbox.length ?? 0;
    },
    get lives() {
      return lives;
    },
    get state() {
      return life?.state;
    },
    boot: () => {
      if (powered) return;
      boots += 1;
      powered = true;
      kernel = makeKernel(machine.settings.leaseMs);
      machine.startNode();
      machine.startPulse();
      reportForEver(boots);
    },
    losePower: () => {
      if (!powered) return;
      boots += 1;
      powered = false;
      endPulse();
      node.kill();
      disk.losePower();
      sessions?.losePower();
      frames = [];
      pending = [];
      clock.resume();
      kernel = makeKernel(machine.settings.leaseMs);
    },
    pause: () => clock.pause(),
    resume: (keepFrames) => {
      if (!clock.paused) return;
      clock.resume();
      const arrived = [...pending, ...(keepFrames ? frames : [])];
      pending = [];
      frames = [];
      for (const deliver of arrived) deliver();
    },
    killPulse: (restart = true) => {
      if (life === undefined) return;
      const epoch = life.state.epoch;
      endPulse();
      const bootsThen = boots;
      clock.after(guardMs, () => {
        if (boots === bootsThen && life === undefined) kernel.release();
      });
      clock.after(siblingMs, () => {
        if (boots !== bootsThen || life !== undefined || !node.up || node.hung || epoch === 0) return;
        kernel.release();
        outside.releaseGrant(side, epoch);
        outside.siblingGoodbye(side, epoch);
      });
      if (restart) {
        clock.after(restartMs, () => {
          if (boots === bootsThen && powered) machine.startPulse();
        });
      }
    },
    startPulse: () => {
      if (life?.state.stopping === true) startAgain = true;
      if (life !== undefined || !powered) return;
      startAgain = false;
      // Rule R6: before anything else the address goes.
      kernel.release();
      lives += 1;
      const nonce = `${side}-${Math.floor(random.next() * 2 ** 40).toString(16)}`;
      life = {
        state: initialState(machine.settings),
        ledger: makeFrameLedger(side, nonce),
        inbox: [],
        cancelWake: () => {},
      };
      tell({ type: "started", nonce, epoch: disk.epoch, intents: disk.intents });
      if (!carrier) tell({ type: "carrierChanged", up: false });
      if (node.up && node.linked) tell({ type: "peerLinkChanged", up: true });
      reportNow();
    },
    stall: () => {
      stalled = true;
    },
    unstall: () => {
      if (!stalled) return;
      stalled = false;
      wake();
    },
    reportNow,
    killNode: (restart = true) => {
      if (!node.up) return;
      node.kill();
      tell({ type: "nodeLost" });
      const bootsThen = boots;
      if (!restart) return;
      clock.after(restartMs, () => {
        if (boots === bootsThen && powered) machine.startNode();
      });
    },
    startNode: () => {
      if (node.up || !powered) return;
      try {
        node.start();
      } catch (error) {
        if (!(error instanceof StoreFailure)) throw error;
        outside.trace(side, `node does not start: ${error.message}`);
        machine.killNode();
        return;
      }
      reportNow();
    },
    setCarrier: (up) => {
      carrier = up;
      machine.tell({ type: "carrierChanged", up });
    },
    tell: (happening) => whenAwake(() => tell(happening), false),
    hear: (happening) => whenAwake(() => tell(happening), true),
    receive: (beat, path) => {
      if (!powered) return;
      if (clock.paused) {
        whenAwake(() => machine.receive(beat, path), true);
        return;
      }
      outside.delivered(side, beat);
      if (beat.claimToken !== undefined && kernel.claimFrame(beat.epoch)) leaseEnded();
      if (life === undefined) return;
      const accepted = life.ledger.accept(beat, path, clock.nowMs);
      if (accepted !== undefined) tell({ type: "beatReceived", path, beat, echoAgeMs: accepted.echoAgeMs });
    },
  };
  return machine;
}
