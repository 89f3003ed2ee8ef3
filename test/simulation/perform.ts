/**
 * What a simulated pulse does when its decision core asks for something: on the wire, in the kernel, on the disk and in
 * the node process, each with its own delay and its own way to fail.
 */

import type { Action } from "@understudy/core/internal/failover/action";
import type { Outcome, Side } from "@understudy/core/public";
import type { MachineClock } from "./clock.js";
import type { Disk } from "./disk.js";
import type { FrameLedger } from "./frame.js";
import type { Kernel } from "./kernel.js";
import type { KernelTrouble, Outside } from "./machine.js";
import type { SimulatedPath } from "./network.js";
import type { NodeModel } from "./node-model.js";
import type { Random } from "./random.js";
import type { SessionModel } from "./session-model.js";

export interface Hands {
  readonly side: Side;
  readonly paths: readonly SimulatedPath[];
  readonly clock: MachineClock;
  readonly random: Random;
  readonly outside: Outside;
  readonly node: NodeModel;
  readonly sessions: SessionModel | undefined;
  readonly disk: Disk;
  kernel(): Kernel;
  trouble(): KernelTrouble;
  /** Does it after a while and tells the core that the action has finished, if pulse still lives then. */
  finish(id: number, afterMs: number, outcome: Outcome, effect: () => void, detail?: string): void;
  stopped(): void;
}

/** A backend that gets no answer from the kernel says so after this long. */
const kernelTimeoutMs = 500;

export function makePerform(hands: Hands): (action: Action, ledger: FrameLedger) => void {
  const { side, paths, clock, random, outside, node, sessions, disk, finish } = hands;
  let kernelBusyUntilMs = 0;

  /** The kernel does it, refuses, or is so slow that whether it did it stays unknown. */
  const askKernel = (id: number, effect: () => void): void => {
    const tookMs = random.between(0.1, 0.4);
    // One after the other, in the order asked for.
    kernelBusyUntilMs = Math.max(kernelBusyUntilMs, clock.nowMs) + tookMs;
    const doneMs = kernelBusyUntilMs - clock.nowMs;
    switch (hands.trouble()) {
      case "none":
        finish(id, doneMs, "confirmed", effect);
        break;
      case "slow":
        kernelBusyUntilMs += random.between(5, 60);
        finish(id, kernelBusyUntilMs - clock.nowMs, "confirmed", effect);
        break;
      case "refuses":
        finish(id, doneMs, "refused", () => {}, "operation not permitted");
        break;
      case "timesOut":
        finish(id, kernelTimeoutMs, "unknown", random.chance(0.5) ? effect : () => {}, "no answer in 500 ms");
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

  return (action, ledger) => {
    const kernel = hands.kernel();
    const nowMs = clock.nowMs;
    switch (action.type) {
      case "sendBeat":
        for (const path of paths)
          if (action.paths.includes(path.name))
            outside.sendBeat(side, path, ledger.frame(action.body, path.name, nowMs));
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
        kernel.begin();
        askKernel(action.id, () => kernel.acquire(clock.nowMs));
        break;
      case "releaseAddress":
        askKernel(action.id, () => kernel.release());
        break;
      case "persistEpoch":
        persist(action.id, () => disk.writeEpoch(action.epoch));
        break;
      case "persistIntents":
        persist(action.id, () => disk.writeIntents(action.intents));
        break;
      case "probe":
        outside.probe(side, action.round);
        break;
      case "probeNeighbours":
        outside.probeNeighbours(side);
        break;
      case "promote":
        node.take(() => {
          node.promote(action.epoch, action.stale);
          finish(action.id, random.between(0.5, 3), "confirmed", () => {});
        });
        break;
      case "demote":
        node.take(() => {
          node.demote();
          finish(action.id, random.between(0.5, 3), "confirmed", () => {});
        });
        break;
      case "grantPermit":
        node.take(() => node.grant(action.epoch, action.untilMs));
        break;
      case "revokePermit":
        node.take(() => node.revoke());
        break;
      case "freeze":
        node.take(() => {
          if (sessions === undefined) outside.freeze(side, action.id, action.freezeMs);
          else sessions.freeze(action.id, action.freezeMs);
        });
        break;
      case "askArbiters":
        node.take(() => outside.askArbiters(side, action.epoch, action.names));
        break;
      case "releaseGrant":
        node.take(() => outside.releaseGrant(side, action.epoch));
        break;
      case "fence":
        node.take(() => outside.fence(side, action.id, action.name));
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
        hands.stopped();
        break;
      case "unfreeze":
        node.take(() => sessions?.unfreeze());
        break;
      case "announce":
        break;
    }
  };
}
