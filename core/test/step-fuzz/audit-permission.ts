/**
 * Who has let this node serve, by what arbiters, fences, operator and the other node have said: without that the address
 * is not taken, and a lease does not outlive a grant (rules R30 to R32).
 */

import type { Action } from "../../src/failover/action.js";
import type { Event } from "../../src/failover/event.js";
import { type Auditor, hold, type Stepped } from "./audit.js";

interface Ruled {
  readonly verdict: string;
  readonly epoch: number;
  /** Of the longest grant. */
  readonly untilMs: number;
}

/** What the kernel is given to take an address; the lease begins no later. */
const takeLimitMs = 1000;
/** The word of a node that said goodbye counts so long without being heard again. */
const wordMs = 500;
const strayMs = 1000;

export function auditPermission(): Auditor {
  const ruled = new Map<string, Ruled>();
  const fences = createFenceLedger();

  function hear({ before, event }: Stepped): void {
    if (before.arbitration === undefined) ruled.clear();
    if (event.type !== "arbiterRuled" || before.arbitration === undefined) return;
    if (!before.settings.arbiters.some(({ name }) => name === event.name)) return;
    const granted = event.verdict === "granted" ? (event.untilMs ?? -Infinity) : -Infinity;
    const untilMs = Math.max(granted, ruled.get(event.name)?.untilMs ?? -Infinity);
    ruled.set(event.name, { verdict: event.verdict, epoch: event.epoch, untilMs });
  }

  function acquired(action: Extract<Action, { type: "acquireAddress" }>, step: Stepped): void {
    const { settings } = step.out.state;
    for (const { name, exclusive } of settings.arbiters) {
      const said = ruled.get(name);
      hold(said?.verdict !== "denied", "denied (R30)", `${name} denies it`);
      if (!exclusive) continue;
      const granted = said?.verdict === "granted" && said.epoch === action.epoch;
      const enough = (said?.untilMs ?? -Infinity) >= step.event.atMs + takeLimitMs + settings.leaseMs;
      hold(granted && enough, "granted (R30)", `${name} has said of ${action.epoch} ${JSON.stringify(said)}`);
    }
    if (settings.fences.length > 0) fences.claimed(step);
  }

  function renewed({ event, out }: Stepped): void {
    const { settings } = out.state;
    if (settings.onArbiterLost === "keep") return;
    for (const { name, exclusive } of settings.arbiters) {
      const untilMs = ruled.get(name)?.untilMs ?? -Infinity;
      const outlives = exclusive && event.atMs + settings.leaseMs > untilMs;
      hold(!outlives, "lease within grant (R30)", `the grant of ${name} ends at ${untilMs}`);
    }
  }

  return {
    stepped(step) {
      hear(step);
      fences.hear(step);
      for (const action of step.out.actions) {
        if (action.type === "acquireAddress") acquired(action, step);
        if (action.type === "renewLease") renewed(step);
        if (action.type === "releaseGrant") {
          const { role } = step.out.state;
          const held = role === "active" || role === "claiming" || role === "releasing";
          hold(!held, "grant given back (R30)", `the grant goes back in ${role}`);
        }
        if (action.type === "askArbiters") {
          const known = step.out.state.settings.arbiters.map(({ name }) => name);
          hold(
            action.names.every((name) => known.includes(name)),
            "asks whom",
            action.names.join(", "),
          );
        }
        fences.acted(action, step);
      }
      if (step.out.state.arbitration === undefined) ruled.clear();
    },
  };
}

/** Whether the other node is off, or has said that it does not serve. */
function createFenceLedger() {
  /** The life that was ended. */
  let off: { readonly nonce: string; readonly atMs: number } | undefined;
  let fired: { readonly id: number; readonly nonce: string } | undefined;
  let askId: number | undefined;
  let word: { readonly free: boolean; readonly atMs: number } | undefined;
  let nonce = "";

  function heardBeat(event: Extract<Event, { type: "beatReceived" }>, { before }: Stepped): void {
    const { beat, atMs } = event;
    const known = before.peer.beat;
    if (known !== undefined && known.nonce === beat.nonce && beat.sequence <= known.sequence) return;
    ({ nonce } = beat);
    const holds = beat.role === "active" || beat.role === "claiming" || beat.role === "releasing";
    word = { free: !holds || beat.goodbye, atMs };
    if (off !== undefined && off.nonce !== nonce) off = undefined;
  }

  return {
    hear(step: Stepped): void {
      const { event, before, out } = step;
      const { atMs } = event;
      if (event.type === "beatReceived") heardBeat(event, step);
      if (event.type === "peerSaidGoodbye" && event.epoch >= before.highestEpoch) word = { free: true, atMs };
      if (event.type === "peerRoleAnswered" && event.id === askId) word = { free: !event.active, atMs };
      if (event.type === "actionFinished" && event.id === fired?.id) {
        if (event.outcome === "confirmed" && fired.nonce === nonce) off = { nonce, atMs };
        fired = undefined;
      }
      // Its last beat may have been on the way; one that comes later shows that it was not off.
      if (out.state.fenced === undefined && off !== undefined && atMs - off.atMs > strayMs) off = undefined;
    },
    acted(action: Action, { event, out }: Stepped): void {
      const { state } = out;
      if (action.type === "askPeerRole") askId = action.id;
      if (action.type === "answerOperator" && action.ok && event.type === "operatorAsked")
        if (event.request.kind === "confirmDead") off = { nonce, atMs: event.atMs };
      if (action.type !== "fence") return;
      hold(fired === undefined, "fence once (R32)", "a fence is fired while one is under way");
      hold(state.settings.fences.includes(action.name), "fence which", action.name);
      const idle = state.role === "standby" || state.role === "joining";
      hold(idle && !state.stopping, "fence when (R32)", `a fence is fired in ${state.role}`);
      hold(!state.intents.maintenance, "fence when (R32)", "a fence is fired in maintenance");
      fired = { id: action.id, nonce };
    },
    claimed({ before, event }: Stepped): void {
      const fresh = word !== undefined && (!before.peer.dead || event.atMs - word.atMs < wordMs);
      const allowed = off !== undefined || (word?.free === true && fresh);
      hold(allowed, "fenced (R32)", `the other node is not known to be off: ${JSON.stringify(word)}`);
    },
  };
}
