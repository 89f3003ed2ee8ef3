/**
 * All that the decision core remembers between two events. Plain data: it can be written down, compared and replayed.
 */

import type { Beat, Role } from "../heartbeat/beat.js";
import type { AlarmCode } from "./action.js";
import type { Announcing } from "./announcements.js";
import type { Intents, NodeReport } from "./event.js";
import { newPathView } from "./paths.js";
import type { PathSettings, Settings } from "./settings.js";

export interface PathView extends PathSettings {
  /** Accrued since the last beat heard here (rule R10); Infinity before the first. */
  readonly silenceMs: number;
  readonly heardMs: number;
  /** Of the last beat heard here from the peer's present start; 0 before. */
  readonly sequence: number;
  /** When it last carried beats both ways, or the peer was not there to tell. */
  readonly workedMs: number;
  /** The peer echoed a recent beat of ours on this path. */
  readonly twoWay: boolean;
  /** What the other node says on any path: that it hears us on this one. Undefined: it has not said. */
  readonly heardByPeer: boolean | undefined;
  readonly latencyMs: number | undefined;
  /** When the next routine beat of a slow path is due; a fast one follows the rhythm of all. */
  readonly nextBeatMs: number;
  /** When we last answered a question here. */
  readonly answeredMs: number;
  /** When the round trip is to be measured again. */
  readonly nextAskMs: number;
  /** The worst lately of a question and its answer; undefined before the first. */
  readonly roundTripMs: number | undefined;
}

export interface PeerView {
  /** The last beat, undefined before the first. */
  readonly beat: Beat | undefined;
  /** Accrued since the last beat on any path. */
  readonly silenceMs: number;
  readonly heardMs: number;
  /** Accrued since any sign of life: beat, kernel or address (rule R9). */
  readonly lifeSilenceMs: number;
  readonly lifeHeardMs: number;
  /** The same without the beats of slow paths, whose own rhythm is longer than any dead time (rule R11). */
  readonly fastSilenceMs: number;
  readonly fastHeardMs: number;
  readonly linkUp: boolean;
  /** Since when its beats say that it gives the address up; undefined while they do not. */
  readonly releasingSinceMs: number | undefined;
  /** Silent for the dead time: said in status, and a reason not to wait for it. */
  readonly dead: boolean;
}

export interface ProbeRound {
  readonly round: number;
  readonly sentAtMs: number;
  /** The paths on which the peer's kernel answered. */
  readonly kernelOn: readonly string[];
  readonly address: boolean;
}

/** A slow path that was alive when the suspicion began, and was asked then. */
export interface SlowPathAsked {
  readonly path: string;
  /** Its silence at that moment. */
  readonly silenceMs: number;
  /** Infinity: it has been asked again. */
  readonly nextAskMs: number;
}

/** Open from the first late beat to the next one heard (rule R13). */
export interface Suspicion {
  readonly sinceMs: number;
  readonly round: number;
  readonly nextProbeMs: number;
  /** The last eight. */
  readonly rounds: readonly ProbeRound[];
  /** The address had answered a probe shortly before: only then its silence means something. */
  readonly addressWasHeard: boolean;
  /** A neighbour had answered shortly before: only then must one answer now, within the same dead time. */
  readonly neighbourWasHeard: boolean;
  /** The client side was lost already: what is not heard there proves nothing until a neighbour is heard again. */
  readonly linkWasLost: boolean;
  readonly nextAskMs: number;
  readonly askId: number | undefined;
  /** Questions over TLS that nobody answered. */
  readonly unansweredAsks: number;
  readonly asked: readonly SlowPathAsked[];
}

/** Worst joint silences by minute, newest first, at most ten (rule R11). */
export interface DeadTime {
  readonly worstByMinute: readonly { readonly minute: number; readonly worstMs: number }[];
}

export interface ClientLink {
  readonly carrier: boolean;
  /** Accrued since a third machine was heard; Infinity before the first. */
  readonly neighbourSilenceMs: number;
  readonly neighbourHeardMs: number;
  /** Accrued since there is a reason to doubt the link: beats or neighbours that used to be heard are not. */
  readonly worriedForMs: number;
  /** Accrued since nothing shows that the client side is there, while the other node is heard elsewhere. */
  readonly unprovenForMs: number;
  /** Since when this node says that it cannot reach clients; undefined while it says it can. */
  readonly lostSinceMs: number | undefined;
  /** The other node has been asked since, on slow paths, how it is. */
  readonly peerAsked: boolean;
  /** Accrued since the HA address answered us from the peer; Infinity before the first. */
  readonly addressSilenceMs: number;
  readonly addressHeardMs: number;
  readonly lastProbeMs: number;
  readonly stranger: { readonly mac: string; readonly atMs: number } | undefined;
}

export type HandoverKind = "failback" | "switchover" | "health" | "maintenance" | "stop";

export interface Handover {
  readonly kind: HandoverKind;
  readonly phase: "freezing" | "demoting" | "releasing";
  readonly id: number;
  readonly startedMs: number;
  /** When the phase is ended without an answer. */
  readonly deadlineMs: number;
  readonly why: string;
}

/** A claim that nobody was seen serving before: the segment is asked first (rule R15). */
export interface FirstClaim {
  readonly startedMs: number;
  readonly nextProbeMs: number;
  readonly probesLeft: number;
  readonly why: string;
  readonly stale: boolean;
}

export interface Failback {
  /** Since when every condition holds. */
  readonly eligibleSinceMs: number | undefined;
  readonly retryNotBeforeMs: number;
  /** When this node had to take over from the preferred one, last hour. */
  readonly lossesMs: readonly number[];
  /** What it waits for, for people. */
  readonly waiting: string | undefined;
}

export interface OperatorWait {
  readonly requestId: string;
  readonly kind: "switchover" | "clearPreference" | "maintenance";
  readonly persistId: number;
  /** Intents to put in force once they are written. */
  readonly intents: Intents;
  readonly phase: "persisting" | "moving";
  readonly deadlineMs: number;
}

/** What an arbiter was asked and said last. */
export interface ArbiterView {
  readonly name: string;
  readonly exclusive: boolean;
  /** When it is asked next. */
  readonly dueMs: number;
  readonly verdict: "granted" | "denied" | "unknown" | undefined;
  readonly why: string;
  /** The epoch that the verdict is about. */
  readonly epoch: number;
  /** The last grant and its end, -Infinity without one: a later refusal does not take it back. */
  readonly grantedMs: number;
  readonly untilMs: number;
}

/** From the first question to the return of the grant. */
export interface Arbitration {
  /** Asked about now. */
  readonly epoch: number;
  readonly sinceMs: number;
  readonly views: readonly ArbiterView[];
}

/** A reason to take the address. */
export interface Claim {
  readonly why: string;
  readonly rules: readonly string[];
  /** The other node was lost, not asked: counts against failback (rule R25). */
  readonly involuntary: boolean;
  /** Alone and unverified (rule R24). */
  readonly stale: boolean;
  /** The other node said, itself or through its node process, that it does not serve: no fence is needed (rule R32). */
  readonly word: boolean;
}

/**
 * How a node gives the address up: somebody asked it to, something fails here, or without a word. The other node counts
 * an unwell one as lost (rule R25).
 */
export type Leave = "asked" | "unwell" | "silent";

/** What a claim waits for, for people. */
export interface ClaimWait {
  /** The same for as long as it waits for the same. */
  readonly subject: string;
  readonly why: string;
  readonly sinceMs: number;
  /** When it was last wanted. */
  readonly wantedMs: number;
}

/** A fence that is to be fired, or is under way while it has an id. */
export interface Fencing {
  readonly id: number | undefined;
  readonly index: number;
  readonly name: string;
  /** How often all have failed. */
  readonly rounds: number;
  readonly dueMs: number;
  /** What failed last. */
  readonly detail: string;
  /** The life of the other node that it was fired at. */
  readonly peerNonce: string;
}

export interface BlockingPlugin {
  readonly plugin: string;
  readonly what: string;
  readonly untilMs: number;
}

export interface Alarm {
  readonly code: AlarmCode;
  readonly detail: string;
  readonly sinceMs: number;
  /** When it ends by itself: an alarm about a moment, not about a condition. Infinity: when its condition ends. */
  readonly untilMs: number;
}

export interface Persisting {
  /** Undefined: the last attempt failed, and the next one is not due yet. */
  readonly id: number | undefined;
  readonly epoch: number;
  readonly retryAtMs: number;
}

export interface Releasing {
  /** Undefined: the last attempt failed, and the next one is not due yet. */
  readonly id: number | undefined;
  readonly retryAtMs: number;
  readonly leave: Leave;
}

export interface State {
  readonly settings: Settings;
  readonly startedAtMs: number | undefined;
  readonly nonce: string;
  readonly role: Role;
  readonly roleSinceMs: number;
  readonly reason: string;
  /** Our own epoch while claiming, active or releasing; 0 otherwise. */
  readonly epoch: number;
  readonly highestEpoch: number;
  readonly persistedEpoch: number;
  readonly persist: Persisting | undefined;
  /** The last attempt to write an epoch down failed: this node can acknowledge nothing (rules R16, R21). */
  readonly persistFails: boolean;
  /** What this node says of its health, and since when (promise G1, when nobody serves). */
  readonly said: { readonly score: number; readonly sinceMs: number };
  readonly intents: Intents;
  readonly preferenceChangedMs: number;
  readonly report: NodeReport | undefined;
  readonly nodeUp: boolean;
  readonly nodeSilenceMs: number;
  readonly nodeHeardMs: number;
  readonly peer: PeerView;
  readonly paths: readonly PathView[];
  readonly link: ClientLink;
  readonly deadTime: DeadTime;
  readonly suspicion: Suspicion | undefined;
  readonly lastPolledMs: number;
  readonly nextBeatMs: number;
  readonly nextActionId: number;
  readonly leaseRenewedMs: number | undefined;
  readonly acquireId: number | undefined;
  readonly release: Releasing | undefined;
  readonly promoteId: number | undefined;
  readonly promotedEpoch: number;
  readonly announce: Announcing | undefined;
  readonly handover: Handover | undefined;
  readonly firstClaim: FirstClaim | undefined;
  readonly failback: Failback;
  readonly operator: OperatorWait | undefined;
  readonly goodbye:
    | { readonly epoch: number; readonly untilMs: number; readonly unwell: boolean }
    | undefined;
  readonly reclaimNotBeforeMs: number;
  readonly foreignUntilMs: number;
  readonly blockedUntilMs: number;
  /** Since when nobody is known to serve. */
  readonly nobodySinceMs: number;
  readonly servingStale: boolean;
  readonly arbitration: Arbitration | undefined;
  /** The highest epoch that an arbiter says it has granted to anybody. */
  readonly arbiterEpoch: number;
  /** On the other node's word, and not permitted yet. */
  readonly pendingClaim: { readonly claim: Claim; readonly sinceMs: number } | undefined;
  readonly wait: ClaimWait | undefined;
  readonly fencing: Fencing | undefined;
  /** The life of the other node that a fence, or the operator, has ended; "" when it was never heard. */
  readonly fenced: { readonly nonce: string; readonly atMs: number } | undefined;
  readonly stopping: boolean;
  readonly alarms: readonly Alarm[];
  /** In the order in which they began. */
  readonly blocking: readonly BlockingPlugin[];
}

export function initialState(settings: Settings): State {
  return {
    settings,
    startedAtMs: undefined,
    nonce: "",
    role: "joining",
    roleSinceMs: 0,
    reason: "not started",
    epoch: 0,
    highestEpoch: 0,
    persistedEpoch: 0,
    persist: undefined,
    persistFails: false,
    said: { score: 0, sinceMs: 0 },
    intents: { maintenance: false, preference: { side: undefined, version: 0 } },
    preferenceChangedMs: Number.NEGATIVE_INFINITY,
    report: undefined,
    nodeUp: false,
    nodeSilenceMs: 0,
    nodeHeardMs: Number.NEGATIVE_INFINITY,
    peer: {
      beat: undefined,
      silenceMs: Infinity,
      heardMs: Number.NEGATIVE_INFINITY,
      lifeSilenceMs: 0,
      lifeHeardMs: Number.NEGATIVE_INFINITY,
      fastSilenceMs: 0,
      fastHeardMs: Number.NEGATIVE_INFINITY,
      linkUp: false,
      releasingSinceMs: undefined,
      dead: false,
    },
    paths: settings.paths.map((path) => newPathView(path, 0)),
    link: {
      carrier: true,
      neighbourSilenceMs: Infinity,
      neighbourHeardMs: Number.NEGATIVE_INFINITY,
      worriedForMs: 0,
      unprovenForMs: 0,
      lostSinceMs: undefined,
      peerAsked: false,
      addressSilenceMs: Infinity,
      addressHeardMs: Number.NEGATIVE_INFINITY,
      lastProbeMs: 0,
      stranger: undefined,
    },
    deadTime: { worstByMinute: [] },
    suspicion: undefined,
    lastPolledMs: 0,
    nextBeatMs: 0,
    nextActionId: 1,
    leaseRenewedMs: undefined,
    acquireId: undefined,
    release: undefined,
    promoteId: undefined,
    promotedEpoch: 0,
    announce: undefined,
    handover: undefined,
    firstClaim: undefined,
    failback: { eligibleSinceMs: undefined, retryNotBeforeMs: 0, lossesMs: [], waiting: undefined },
    operator: undefined,
    goodbye: undefined,
    reclaimNotBeforeMs: 0,
    foreignUntilMs: 0,
    blockedUntilMs: 0,
    nobodySinceMs: 0,
    servingStale: false,
    arbitration: undefined,
    arbiterEpoch: 0,
    pendingClaim: undefined,
    wait: undefined,
    fencing: undefined,
    fenced: undefined,
    stopping: false,
    alarms: [],
    blocking: [],
  };
}
