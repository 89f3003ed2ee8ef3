/**
 * Does what the decision core asks for. Whatever has an id comes back as `actionFinished`, at the latest when its
 * deadline has passed, and then as `unknown`; nothing here waits.
 */

import type { Action, ActionType } from "../failover/action.js";
import { claimTokens } from "../heartbeat/claim-token.js";
import type { KeyRing } from "../keys/key-file.js";
import type { Outcome } from "../plugin/contract.js";
import type { AddressChain } from "./address-chain.js";
import { DeadlinePassed, inTime } from "./deadline.js";
import type { EpochFile } from "./epoch-file.js";
import type { Happening } from "./happening.js";
import type { KernelProbe } from "./kernel-probe.js";
import type { NodeLink } from "./node-link.js";
import type { Paths } from "./paths.js";
import type { PulseTimeline } from "./timeline.js";

export interface PerformerParts {
  readonly cluster: string;
  readonly keyRing: KeyRing;
  readonly paths: Paths;
  readonly address: AddressChain;
  readonly epochFile: EpochFile;
  readonly probe: KernelProbe;
  readonly node: NodeLink;
  readonly timeline: PulseTimeline;
  tell(happening: Happening): void;
  /** Nothing is held any more: end the process. */
  stopped(): void;
}

export interface Performer {
  perform(action: Action, atMs: number): void;
  /** Arms the claims that are armed with the tokens of another ring (rule R29). */
  useKeys(ring: KeyRing): void;
}

const persistLimitMs = 5000;
/** Services may be cold; only the timeline waits for this. */
const promoteLimitMs = 60_000;
const demoteLimitMs = 2000;
const freezeLimitMs = 1000;
const askLimitMs = 1000;
/** Node gives a fence 120 s and stops it then. */
const fenceLimitMs = 125_000;
/** Node hears of a longer permit when it is so much longer: with each beat of 5 ms it would do little else. */
const permitStepMs = 30;
const noPermit = { epoch: 0, untilMs: -Infinity };

type ActionOf<T extends ActionType> = Extract<Action, { readonly type: T }>;
type Performers = { readonly [T in ActionType]: (action: ActionOf<T>, atMs: number) => void };

export function createPerformer(parts: PerformerParts): Performer {
  const { paths, address, node, timeline, tell } = parts;
  let ring = parts.keyRing;
  let armed: readonly number[] = [];
  let permit = noPermit;
  const arm = () => address.armClaims(claimTokens(ring, parts.cluster, armed));

  const performers: Performers = {
    sendBeat: ({ body, paths: names }) => paths.send(body, names),
    renewLease: () => address.renew(),
    dropLease: () => address.dropLease(),
    armClaims: ({ epochs }) => {
      armed = epochs;
      arm();
    },
    acquireAddress: ({ id, epoch }) => void settle(id, address.acquire(epoch), tell),
    releaseAddress: ({ id }) => void settle(id, address.release(), tell),
    persistEpoch: ({ id, epoch }) => void persist(id, () => parts.epochFile.writeEpoch(epoch), tell),
    persistIntents: ({ id, intents }) => void persist(id, () => parts.epochFile.writeIntents(intents), tell),
    announce: () => address.announce(),
    probe: ({ round }) => probeAll(parts, round),
    probeNeighbours: () => address.probeNeighbours(),
    grantPermit({ epoch, untilMs }) {
      if (permit.epoch === epoch && untilMs - permit.untilMs < permitStepMs) return;
      permit = { epoch, untilMs };
      node.passing({ type: "permit", epoch, untilMs });
    },
    revokePermit() {
      permit = noPermit;
      node.send({ type: "revoke" });
    },
    promote: ({ id, epoch, stale }) => node.request({ type: "promote", id, epoch, stale }, promoteLimitMs),
    demote: ({ id, epoch }) => node.request({ type: "demote", id, epoch }, demoteLimitMs),
    freeze: ({ id, freezeMs }) => node.request({ type: "freeze", id, freezeMs }, freezeLimitMs),
    unfreeze: () => node.send({ type: "unfreeze" }),
    askPeerRole: ({ id }) => node.request({ type: "askPeerRole", id }, askLimitMs),
    askArbiters: (action) => node.send(action),
    releaseGrant: (action) => node.send(action),
    fence: (action) => node.request(action, fenceLimitMs),
    raiseAlarm: (action, atMs) => timeline.alarm(atMs, action),
    clearAlarm: (action, atMs) => timeline.alarm(atMs, action),
    record: ({ kind, what, rules, details }, atMs) => timeline.record(atMs, kind, what, rules, details),
    answerOperator: ({ requestId, ok, message }) =>
      node.send({ type: "operatorAnswer", requestId, ok, message }),
    stopped: () => parts.stopped(),
  };

  return {
    perform(action, atMs) {
      // The table pairs every type with its own action; the compiler cannot follow that through an index.
      const performer = performers[action.type] as (action: Action, atMs: number) => void;
      performer(action, atMs);
    },
    useKeys(changed) {
      ring = changed;
      arm();
    },
  };
}

/** The peer's kernel on every path, whoever answers for the address, and the neighbours that prove our own link. */
function probeAll({ paths, address, probe, tell }: PerformerParts, round: number): void {
  for (const { path, target } of paths.probeTargets()) {
    probe.probe(path, target, () => tell({ type: "kernelAnswered", path, round }));
  }
  address.probeAddress();
  address.probeNeighbours();
}

type Tell = (happening: Happening) => void;

async function settle(
  id: number,
  result: Promise<{ readonly outcome: Outcome; readonly detail: string }>,
  tell: Tell,
): Promise<void> {
  const { outcome, detail } = await result;
  tell({ type: "actionFinished", id, outcome, detail });
}

async function persist(id: number, write: () => Promise<void>, tell: Tell): Promise<void> {
  let outcome: Outcome = "confirmed";
  let detail = "";
  try {
    await inTime("the write of the epoch file", persistLimitMs, write);
  } catch (error) {
    outcome = error instanceof DeadlinePassed ? "unknown" : "refused";
    detail = (error as Error).message;
  }
  tell({ type: "actionFinished", id, outcome, detail });
}
