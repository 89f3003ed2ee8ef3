/**
 * The address as the kernel would have it after the actions so far: nothing held, being taken, held, being given up. From
 * that follows what the core may say, renew, announce, permit and promise (rules R1, R5, R7, R12, R21, R26).
 */

import type { Action, ActionType } from "../../src/failover/action.js";
import type { State } from "../../src/failover/state.js";
import { type Auditor, hold, type Stepped } from "./audit.js";

type Holding = "nothing" | "taking" | "held" | "leaving";
type ActionOf<T extends ActionType> = Extract<Action, { readonly type: T }>;
type Checks = { readonly [T in ActionType]?: (action: ActionOf<T>, step: Stepped) => void };

const holdingOf: Readonly<Record<State["role"], Holding>> = {
  joining: "nothing",
  standby: "nothing",
  maintenance: "nothing",
  failed: "nothing",
  claiming: "taking",
  active: "held",
  releasing: "leaving",
};

export function auditAddress(): Auditor {
  let holding: Holding = "nothing";
  let id: number | undefined;
  let leaseEndMs = Number.NEGATIVE_INFINITY;
  let permit = false;
  let armed: readonly number[] = [];
  let stopAsked = false;
  let saidStopped = false;

  function hear({ event, before }: Stepped): void {
    if (event.type === "stopAsked") stopAsked = true;
    if (event.type !== "actionFinished" || event.id !== id) return;
    // Whatever it says: the first answer is the one that counts.
    id = undefined;
    if (event.outcome !== "confirmed") return;
    if (holding === "taking") {
      holding = "held";
      leaseEndMs = event.atMs + before.settings.leaseMs;
    } else if (holding === "leaving") holding = "nothing";
  }

  const checks: Checks = {
    acquireAddress(action, { before, out }) {
      const { state } = out;
      hold(holding === "nothing", "acquire once", `the address is taken while it is ${holding}`);
      const from = before.role === "standby" || before.role === "joining";
      hold(from, "acquire from", `the address is taken by a node in ${before.role}`);
      hold(!stopAsked, "acquire while stopping", "the address is taken by a node that is stopping");
      hold(!state.intents.maintenance, "acquire in maintenance", "the address is taken in maintenance");
      hold(state.link.carrier, "acquire without carrier", "the address is taken without carrier");
      hold(state.nodeUp, "acquire without node", "the address is taken without a node process");
      holding = "taking";
      id = action.id;
    },
    releaseAddress(action) {
      hold(holding !== "nothing", "release what", "an address is given up that is not held");
      holding = "leaving";
      leaseEndMs = Number.NEGATIVE_INFINITY;
      id = action.id;
    },
    dropLease() {
      leaseEndMs = Number.NEGATIVE_INFINITY;
    },
    renewLease(_, { event, out }) {
      hold(holding === "held", "renew (R1)", `a lease is renewed while the address is ${holding}`);
      hold(event.atMs < leaseEndMs, "renew late (G7)", "a lease is renewed that has ended");
      leaseEndMs = event.atMs + out.state.settings.leaseMs;
    },
    announce(_, { out }) {
      hold(holding === "held", "announce (R7)", `announced while the address is ${holding}`);
      hold(out.state.link.carrier, "announce (R7)", "announced without carrier");
    },
    sendBeat({ body }) {
      if (body.goodbye) hold(holding === "nothing", "goodbye (R12)", `goodbye while it is ${holding}`);
      if (body.role === "active") hold(holding === "held", "beat", `active is said while it is ${holding}`);
    },
    grantPermit({ untilMs }) {
      hold(holding === "held", "permit (R21)", `a permit while the address is ${holding}`);
      hold(
        untilMs <= leaseEndMs,
        "permit (R21)",
        `a permit until ${untilMs}, the lease ends at ${leaseEndMs}`,
      );
      permit = true;
    },
    revokePermit() {
      permit = false;
    },
    promote() {
      hold(holding === "held", "promote", `services serve while the address is ${holding}`);
    },
    armClaims({ epochs }) {
      armed = epochs;
    },
    stopped() {
      hold(stopAsked && holding === "nothing", "stopped (R12)", `the process ends while it is ${holding}`);
      saidStopped = true;
    },
  };

  return {
    stepped(step) {
      const { out, before, event } = step;
      hear(step);
      for (const action of out.actions) {
        // The table pairs every type with its own action; the compiler cannot follow that through an index.
        const check = checks[action.type] as ((action: Action, step: Stepped) => void) | undefined;
        check?.(action, step);
      }
      const { role, epoch } = out.state;
      hold(holdingOf[role] === holding, "role and address", `in ${role} while the address is ${holding}`);
      hold(!permit || role === "active", "permit revoked (R21)", `a permit is in force in ${role}`);
      const mine = out.state.settings.self === "primary" ? 1 : 0;
      const serving = role === "claiming" || role === "active";
      hold(!serving || (epoch > 0 && epoch % 2 === mine), "own epoch (R16)", `${role} with epoch ${epoch}`);
      if (serving) {
        const wanted = armed.includes(epoch + 1) && armed.every((each) => each > epoch && each % 2 !== mine);
        hold(wanted, "claims armed (R5)", `epoch ${epoch}, armed ${armed.join(", ")}`);
      } else if (holding === "nothing") hold(armed.length === 0, "claims disarmed (R5)", armed.join(", "));
      hold(!deposed(before, event) || !serving, "higher epoch wins (R16)", `${role} with ${epoch}`);
    },
    settled(state) {
      const busy = state.role === "claiming" || state.role === "releasing" || state.handover !== undefined;
      hold(!busy, "every acquire ends", `still in ${state.role} after everything was answered`);
      hold(!stopAsked || saidStopped, "stop ends (R12)", `asked to stop, and still in ${state.role}`);
    },
  };
}

function deposed(before: State, event: Stepped["event"]): boolean {
  if (event.type !== "beatReceived" || before.epoch === 0) return false;
  const { beat } = event;
  const known = before.peer.beat;
  const news = known === undefined || known.nonce !== beat.nonce || beat.sequence > known.sequence;
  return news && beat.epoch > before.epoch && (beat.role === "active" || beat.role === "claiming");
}
