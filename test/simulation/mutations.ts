/**
 * One broken rule for every checker. Each changes what the decision core is told, remembers or says, from outside, so
 * that production code needs no switch; a checker that does not notice is worth nothing.
 */

import type { Action } from "@understudy/core/internal/failover/action";
import { beatBody } from "@understudy/core/internal/failover/beats";
import type { State } from "@understudy/core/internal/failover/state";
import type { Step } from "@understudy/core/internal/failover/step";
import type { Mutation } from "./machine.js";
import type { SimulatedPath } from "./network.js";
import { type FaultKind, type Plan, type Protection, serial9600, udp } from "./plan.js";
import type { Checker } from "./violation.js";

export interface BrokenRule {
  readonly what: string;
  readonly checker: Checker;
  /** Faults that chance would seldom bring in this order. */
  readonly inPlan?: (plan: Plan) => Plan;
  /** What has to go wrong for the rule to matter; all kinds where undefined. */
  readonly faults?: readonly FaultKind["kind"][];
  /** What stands beside the pair; absent: nothing. */
  readonly protection?: Partial<Protection>;
  readonly mutation: Mutation;
}

const granter = [{ name: "granter", exclusive: true }];
const ping = [{ name: "ping", exclusive: false }];

function withActions(out: Step, change: (action: Action) => readonly Action[]): Step {
  return { ...out, actions: out.actions.flatMap(change) };
}

function withState(out: Step, changed: Partial<State>): Step {
  return { ...out, state: { ...out.state, ...changed } };
}

/** A pair of UDP and one more path, long settled, and one fault after the other until all heals. */
function struck(plan: Plan, beside: SimulatedPath, kinds: readonly FaultKind[]): Plan {
  const firstMs = Math.max(plan.bootMs.primary, plan.bootMs.secondary) + 6000;
  return {
    ...plan,
    paths: [udp, beside],
    faults: kinds.map((kind, index) => ({ ...kind, atMs: firstMs + 1500 * index, forMs: 60_000 })),
    healMs: firstMs + 1500 * kinds.length,
  };
}

let storesMade = 0;

export const brokenRules: readonly BrokenRule[] = [
  {
    what: "a claim of a higher epoch is obeyed neither by the kernel nor by pulse (R5, R16)",
    checker: "one answers",
    faults: ["split"],
    mutation: {
      event: (event) =>
        event.type === "beatReceived"
          ? { ...event, beat: { ...event.beat, role: "standby", epoch: 0, goodbye: false } }
          : event,
      step: (out) =>
        withActions(out, (action) => [action.type === "armClaims" ? { ...action, epochs: [] } : action]),
    },
  },
  {
    what: "both sides claim epochs of either parity (R16)",
    checker: "epochs",
    mutation: {
      step: (out, _event, before) =>
        before.role !== "claiming" && out.state.role === "claiming"
          ? withState(out, { epoch: out.state.epoch + 1, highestEpoch: out.state.epoch + 1 })
          : out,
    },
  },
  {
    what: "silence accrues for as long as the clock says, also through a stall (R10)",
    checker: "stalls",
    faults: ["stall", "powerLoss"],
    mutation: {
      before: (before, event) => {
        if (event.type !== "polled") return before;
        const slept = Math.max(0, event.atMs - before.lastPolledMs - 1.5 * before.settings.intervalMs);
        const { peer } = before;
        return {
          ...before,
          peer: { ...peer, silenceMs: peer.silenceMs + slept, lifeSilenceMs: peer.lifeSilenceMs + slept },
        };
      },
    },
  },
  {
    what: "a lease that lapsed in a stall is renewed (R1, G7)",
    checker: "lease",
    faults: ["stall"],
    mutation: {
      before: (before, event) =>
        before.leaseRenewedMs === undefined
          ? before
          : { ...before, leaseRenewedMs: Math.max(before.leaseRenewedMs, event.atMs - 1) },
    },
  },
  {
    what: "goodbye is said before the kernel has confirmed (R12)",
    checker: "goodbye",
    faults: ["stop", "hangNode"],
    mutation: {
      step: (out) => {
        const paths = out.state.paths.map(({ name }) => name);
        const body = { ...beatBody(out.state), goodbye: true };
        const goodbye: Action = { type: "sendBeat", body, paths };
        return withActions(out, (action) =>
          action.type === "releaseAddress" ? [action, goodbye] : [action],
        );
      },
    },
  },
  {
    what: "a standby does not hear the beats and answers of a peer that serves (R9)",
    checker: "needless claim",
    mutation: {
      event: (event, before) => {
        const sign = ["beatReceived", "kernelAnswered", "addressAnswered"].includes(event.type);
        return sign && before.role === "standby" && event.atMs - before.roleSinceMs > 1500
          ? { type: "tick", atMs: event.atMs }
          : event;
      },
    },
  },
  {
    what: "the silence of a slow path is not waited for (R9)",
    checker: "needless claim",
    inPlan: (plan) => struck(plan, serial9600, [{ kind: "classLost", pathClass: "client" }]),
    mutation: {
      before: (before) =>
        before.suspicion === undefined
          ? before
          : { ...before, suspicion: { ...before.suspicion, asked: [] } },
    },
  },
  {
    what: "a node whose client side is gone trusts its carrier (G6)",
    checker: "cut off",
    inPlan: (plan) =>
      struck(plan, serial9600, [
        { kind: "unplug", side: "secondary" },
        { kind: "classLost", pathClass: "private" },
      ]),
    mutation: {
      before: (before) => ({
        ...before,
        link: { ...before.link, worriedForMs: 0 },
        suspicion:
          before.suspicion === undefined
            ? undefined
            : { ...before.suspicion, linkWasLost: false, neighbourWasHeard: false },
      }),
    },
  },
  {
    what: "a node that has just started passes for one that has merged (R24)",
    checker: "unverified claim",
    mutation: {
      event: (event) =>
        event.type === "nodeReported" ? { ...event, report: { ...event.report, verified: true } } : event,
    },
  },
  {
    what: "maintenance is forgotten when pulse starts (R26)",
    checker: "operator",
    faults: ["operator", "killPulse"],
    mutation: {
      event: (event) =>
        event.type === "started" ? { ...event, intents: { ...event.intents, maintenance: false } } : event,
    },
  },
  {
    what: "the address stays in the kernel when it is given up (R6)",
    checker: "stray address",
    mutation: {
      // A write that changes nothing answers `confirmed` in place of the kernel.
      step: (out) =>
        withActions(out, (action) => {
          if (action.type === "releaseAddress") return [{ type: "persistEpoch", id: action.id, epoch: 0 }];
          if (action.type === "sendBeat") return [{ ...action, body: { ...action.body, goodbye: false } }];
          return [action];
        }),
    },
  },
  {
    what: "acknowledging is allowed before the epoch is written down (R21)",
    checker: "permits",
    mutation: {
      step: (out, event, before) =>
        before.role !== "claiming" && out.state.role === "claiming"
          ? {
              ...out,
              actions: [
                ...out.actions,
                {
                  type: "grantPermit",
                  epoch: out.state.epoch,
                  untilMs: event.atMs + out.state.settings.leaseMs,
                },
              ],
            }
          : out,
    },
  },
  {
    what: "failback believes that the databases are equal (R25, G4)",
    checker: "failback",
    faults: ["powerLoss", "noTcp"],
    mutation: {
      event: (event, before) => {
        if (event.type === "nodeReported") return { ...event, report: { ...event.report, inSync: true } };
        if (event.type === "beatReceived") return { ...event, beat: { ...event.beat, inSync: true } };
        if (event.type === "actionFinished" && event.id === before.handover?.id)
          return { ...event, outcome: "confirmed" };
        return event;
      },
    },
  },
  {
    what: "a granter's silence passes for its grant (R30)",
    checker: "grant",
    faults: ["granterDown", "stop"],
    protection: { arbiters: granter, onArbiterLost: "keep", fences: [] },
    mutation: {
      event: (event) =>
        event.type === "arbiterRuled" && event.verdict === "unknown"
          ? { ...event, verdict: "granted", untilMs: event.atMs + 3000 }
          : event,
    },
  },
  {
    what: "a node whose grant ends serves on, against the owner's choice (R30)",
    checker: "grant",
    faults: ["granterCut", "granterDown"],
    protection: { arbiters: granter, onArbiterLost: "stepDown", fences: [], grantMs: 2000 },
    mutation: {
      before: (before) => ({ ...before, settings: { ...before.settings, onArbiterLost: "keep" } }),
    },
  },
  {
    what: "a grant is given back before the kernel has confirmed that the address is gone (R30)",
    checker: "grant",
    faults: ["stop", "kernel"],
    protection: { arbiters: granter, onArbiterLost: "stepDown", fences: [] },
    mutation: {
      step: (out) =>
        withActions(out, (action) =>
          action.type === "demote" ? [action, { type: "releaseGrant", epoch: action.epoch }] : [action],
        ),
    },
  },
  {
    what: "a ping's denial passes for one that could not tell (R30)",
    checker: "veto",
    faults: ["neighbours", "stop"],
    protection: { arbiters: ping, fences: [] },
    mutation: {
      event: (event) =>
        event.type === "arbiterRuled" && event.verdict === "denied"
          ? { ...event, verdict: "unknown" }
          : event,
    },
  },
  {
    what: "a fence that did not answer passes for one that has confirmed (R32)",
    checker: "fence",
    faults: ["fenceTrouble", "split"],
    protection: { arbiters: [], fences: ["plug"] },
    mutation: {
      event: (event, before) =>
        event.type === "actionFinished" && event.id === before.fencing?.id
          ? { ...event, outcome: "confirmed" }
          : event,
      step: (out) => withState(out, { alarms: [] }),
    },
  },
  {
    what: "the services of an active node are never started (R21)",
    checker: "settles",
    mutation: {
      step: (out) => withActions(out, (action) => (action.type === "promote" ? [] : [action])),
    },
  },
  {
    what: "an active node gives up every second and a half (R14)",
    checker: "peace",
    mutation: {
      before: (before, event) =>
        before.role === "active" &&
        event.atMs - before.roleSinceMs > 1500 &&
        before.leaseRenewedMs !== undefined &&
        event.type === "tick"
          ? { ...before, leaseRenewedMs: event.atMs - before.settings.leaseMs, nextBeatMs: event.atMs }
          : before,
      step: (out) => withState(out, { alarms: [] }),
    },
  },
  {
    what: "what one disk has is acknowledged as replicated (R20, G3)",
    checker: "acknowledged",
    faults: ["powerLoss", "noTcp"],
    mutation: {
      sessions: {
        answer: (answer) => (answer.ok ? { ...answer, acknowledgement: "replicated" } : answer),
      },
    },
  },
  {
    what: "every standby believes itself in sync (R20)",
    checker: "belief",
    faults: ["noTcp"],
    mutation: { sessions: { believes: true } },
  },
  {
    what: "each disk keeps rows in its own way (R18)",
    checker: "equal",
    faults: ["neighbours"],
    mutation: {
      sessions: {
        store: (store) => {
          const { put } = store;
          storesMade += 1;
          const agent = `agent of store ${storesMade}`;
          store.put = (row) => put({ ...row, agent });
        },
      },
    },
  },
  {
    what: "a user's running session is not seen when another is asked for (R23)",
    checker: "one session",
    faults: ["neighbours"],
    mutation: {
      sessions: {
        store: (store) => {
          store.runningOf = () => [];
        },
      },
    },
  },
  {
    what: "a standby holds a lease, against an invariant",
    checker: "no throw",
    mutation: {
      before: (before, event) =>
        before.role === "standby" ? { ...before, leaseRenewedMs: event.atMs } : before,
    },
  },
  {
    what: "the decision core reads the wall clock",
    checker: "wall clock",
    mutation: {
      event: (event) => ({ ...event, atMs: event.atMs + 0 * Date.now() }),
    },
  },
];
