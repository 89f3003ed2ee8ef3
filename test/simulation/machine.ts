/**
 * One simulated machine: the production decision core in a pulse whose loop, kernel, disk and node process are
 * simulated. It can be stalled, paused, killed between any two actions and started again.
 */

import type { Action } from "@understudy/core/internal/failover/action";
import type { Event, Intents } from "@understudy/core/internal/failover/event";
import type { Settings } from "@understudy/core/internal/failover/settings";
import { initialState, type State } from "@understudy/core/internal/failover/state";
import { step } from "@understudy/core/internal/failover/step";
import type { Beat } from "@understudy/core/internal/heartbeat/beat";
import type { Outcome, Side } from "@understudy/core/public";
import { type FrameLedger, makeFrameLedger } from "./frame.js";
import { type Kernel, makeKernel } from "./kernel.js";
import type { SimulatedPath } from "./network.js";
import { makeNodeModel, type NodeModel } from "./node-model.js";
import type { Random } from "./random.js";
import type { Schedule } from "./schedule.js";

/** `Omit` that keeps the union apart. */
type WithoutTime<E> = E extends unknown ? Omit<E, "atMs"> : never;
export type Happening = WithoutTime<Event>;

export interface Disk {
  epoch: number;
  intents: Intents;
  failing: boolean;
}

/** What a machine does to the world beyond itself; the world does it. */
export interface Outside {
  sendBeat(from: Side, path: SimulatedPath, beat: Beat): void;
  probe(from: Side, round: number): void;
  probeNeighbours(from: Side): void;
  askPeerRole(from: Side, id: number): void;
  freeze(from: Side, id: number, freezeMs: number): void;
  /** The node process saw its pulse die and withdrew the address (rule R12). */
  siblingGoodbye(from: Side, epoch: number): void;
  trace(side: Side, what: string): void;
}

export interface Machine {
  readonly side: Side;
  readonly kernel: Kernel;
  readonly node: NodeModel;
  readonly disk: Disk;
  readonly powered: boolean;
  readonly running: boolean;
  readonly stalled: boolean;
  /** Undefined while pulse does not run. */
  readonly state: State | undefined;
  /** Kills pulse after so many more actions; Infinity: never. */
  crashAfterActions: number;
  boot(): void;
  losePower(): void;
  /** The guard withdraws the address; a supervisor starts pulse again after a second, unless told not to. */
  killPulse(restart?: boolean): void;
  startPulse(): void;
  /** SIGSTOP of pulse, or a stall of its loop. */
  stall(): void;
  unstall(): void;
  killNode(restart?: boolean): void;
  startNode(): void;
  tell(happening: Happening): void;
  receive(beat: Beat, path: string): void;
}

export interface MachineParts {
  readonly settings: Settings;
  readonly paths: readonly SimulatedPath[];
  readonly schedule: Schedule;
  readonly random: Random;
  readonly outside: Outside;
}

const guardMs = 6;
const siblingMs = 8;
const restartMs = 1000;
const reportEveryMs = 100;

export function makeMachine(parts: MachineParts): Machine {
  const { settings, paths, schedule, random, outside } = parts;
  const side = settings.self;
  const node = makeNodeModel();
  const disk: Disk = {
    epoch: 0,
    intents: { maintenance: false, preference: { side: undefined, version: 0 } },
    failing: false,
  };
  let kernel = makeKernel(settings.leaseMs);
  let powered = false;
  /** Everything that belongs to one life of pulse; undefined while it is dead. */
  let life: { state: State; ledger: FrameLedger; inbox: Happening[]; cancelWake: () => void } | undefined;
  let stalled = false;
  let boots = 0;

  const apply = (happening: Happening): void => {
    const current = life;
    if (current === undefined) return;
    const event = { ...happening, atMs: schedule.nowMs } as Event;
    const out = step(current.state, event);
    current.state = out.state;
    for (const action of out.actions) {
      if (life !== current) return;
      perform(action, current);
      machine.crashAfterActions -= 1;
      if (machine.crashAfterActions <= 0) {
        machine.crashAfterActions = Infinity;
        outside.trace(side, "pulse crashes between two actions");
        machine.killPulse();
      }
    }
    if (life !== current) return;
    current.cancelWake();
    current.cancelWake = schedule.after(out.wakeAtMs - schedule.nowMs, wake);
  };

  const wake = (): void => {
    const current = life;
    if (current === undefined || stalled) return;
    apply({ type: "tick" });
    const arrived = current.inbox.splice(0);
    for (const happening of arrived) if (life === current) apply(happening);
    if (life !== current) return;
    if (arrived.length === 0) {
      apply({ type: "polled" });
      return;
    }
    current.cancelWake();
    current.cancelWake = schedule.after(0.05, wake);
  };

  const tell = (happening: Happening): void => {
    if (life === undefined) return;
    if (stalled) life.inbox.push(happening);
    else apply(happening);
  };

  const finish = (id: number, afterMs: number, outcome: Outcome, effect: () => void, detail = ""): void => {
    const current = life;
    const machineBoots = boots;
    schedule.after(afterMs, () => {
      // The kernel finishes what a killed process asked of it only if that was already handed over; here it was not.
      if (machineBoots !== boots || life !== current) return;
      effect();
      tell({ type: "actionFinished", id, outcome, detail });
    });
  };

  const perform = (action: Action, current: NonNullable<typeof life>): void => {
    const nowMs = schedule.nowMs;
    switch (action.type) {
      case "sendBeat":
        for (const path of paths)
          outside.sendBeat(side, path, current.ledger.frame(action.body, path.name, nowMs));
        break;
      case "renewLease":
        kernel.renew(nowMs);
        break;
      case "dropLease":
        kernel.drop();
        break;
      case "armClaims":
        kernel.arm(action.epochs);
        break;
      case "acquireAddress":
        finish(action.id, random.between(0.1, 0.4), "confirmed", () => kernel.acquire(schedule.nowMs));
        break;
      case "releaseAddress":
        finish(action.id, random.between(0.1, 0.4), "confirmed", () => kernel.release());
        break;
      case "persistEpoch":
        persist(action.id, () => {
          disk.epoch = Math.max(disk.epoch, action.epoch);
        });
        break;
      case "persistIntents":
        persist(action.id, () => {
          disk.intents = action.intents;
        });
        break;
      case "probe":
        outside.probe(side, action.round);
        break;
      case "probeNeighbours":
        outside.probeNeighbours(side);
        break;
      case "promote":
      case "demote":
        if (node.up && !node.hung) finish(action.id, random.between(0.5, 3), "confirmed", () => {});
        break;
      case "freeze":
        outside.freeze(side, action.id, action.freezeMs);
        break;
      case "askPeerRole":
        outside.askPeerRole(side, action.id);
        break;
      case "record":
        outside.trace(side, `${action.kind}: ${action.what}`);
        break;
      case "raiseAlarm":
        outside.trace(side, `alarm ${action.code}: ${action.detail}`);
        break;
      case "clearAlarm":
        outside.trace(side, `alarm ${action.code} is over`);
        break;
      case "answerOperator":
        outside.trace(
          side,
          `answer to ${action.requestId}, ${action.ok ? "done" : "refused"}: ${action.message}`,
        );
        break;
      case "stopped":
        endPulse();
        outside.trace(side, "pulse has ended");
        break;
      case "announce":
      case "grantPermit":
      case "revokePermit":
      case "unfreeze":
        break;
    }
  };

  const persist = (id: number, effect: () => void): void => {
    const outcome = disk.failing ? "refused" : "confirmed";
    finish(
      id,
      random.between(0.1, 1),
      outcome,
      disk.failing ? () => {} : effect,
      disk.failing ? "no space left" : "",
    );
  };

  const endPulse = (): void => {
    life?.cancelWake();
    life = undefined;
    stalled = false;
  };

  const reportNow = (): void => {
    if (powered && node.up && !node.hung) tell({ type: "nodeReported", report: node.report(schedule.nowMs) });
  };
  const reportForEver = (bootsThen: number): void => {
    if (boots !== bootsThen) return;
    reportNow();
    schedule.after(reportEveryMs, () => reportForEver(bootsThen));
  };

  const machine: Machine = {
    side,
    node,
    disk,
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
    get state() {
      return life?.state;
    },
    boot: () => {
      if (powered) return;
      boots += 1;
      powered = true;
      kernel = makeKernel(settings.leaseMs);
      node.start(schedule.nowMs);
      machine.startPulse();
      reportForEver(boots);
    },
    losePower: () => {
      if (!powered) return;
      boots += 1;
      powered = false;
      endPulse();
      node.kill();
      kernel = makeKernel(settings.leaseMs);
    },
    killPulse: (restart = true) => {
      if (life === undefined) return;
      const epoch = life.state.epoch;
      endPulse();
      const bootsThen = boots;
      schedule.after(guardMs, () => {
        if (boots === bootsThen && life === undefined) kernel.release();
      });
      schedule.after(siblingMs, () => {
        if (boots !== bootsThen || life !== undefined || !node.up || node.hung || epoch === 0) return;
        kernel.release();
        outside.siblingGoodbye(side, epoch);
      });
      if (restart) {
        schedule.after(restartMs, () => {
          if (boots === bootsThen && powered) machine.startPulse();
        });
      }
    },
    startPulse: () => {
      if (life !== undefined || !powered) return;
      // Rule R6: before anything else the address goes.
      kernel.release();
      const nonce = `${side}-${Math.floor(random.next() * 2 ** 40).toString(16)}`;
      life = {
        state: initialState(settings),
        ledger: makeFrameLedger(side, nonce),
        inbox: [],
        cancelWake: () => {},
      };
      tell({ type: "started", nonce, epoch: disk.epoch, intents: disk.intents });
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
    killNode: (restart = true) => {
      if (!node.up) return;
      node.kill();
      tell({ type: "nodeLost" });
      const bootsThen = boots;
      if (!restart) return;
      schedule.after(restartMs, () => {
        if (boots === bootsThen && powered) machine.startNode();
      });
    },
    startNode: () => {
      if (node.up || !powered) return;
      node.start(schedule.nowMs);
      reportNow();
    },
    tell,
    receive: (beat, path) => {
      if (!powered) return;
      if (beat.claimToken !== undefined) kernel.claimFrame(beat.epoch);
      if (life === undefined) return;
      const accepted = life.ledger.accept(beat, path, schedule.nowMs);
      if (accepted !== undefined) tell({ type: "beatReceived", path, beat, echoAgeMs: accepted.echoAgeMs });
    },
  };
  return machine;
}
