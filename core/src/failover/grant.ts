/**
 * A node that serves under an exclusive grant (rule R30): it must not answer for longer than the grant lasts, or, where
 * the owner chose `keep`, serves on and says so. Somebody else's grant ends it under either choice.
 */

import { grantCoversLease, grantEndMs, isExclusive, wantedEpoch } from "./arbiters.js";
import { raiseEpoch } from "./claim.js";
import type { Draft } from "./draft.js";
import { clearAlarm, momentMs, raiseAlarm } from "./draft.js";
import { standDown } from "./release.js";
import type { ArbiterView, State } from "./state.js";

/** Unrenewed for this share of the grant: worth an alarm, with time left to do something. */
const alarmAfter = 0.5;

/** Before every beat, and whenever anything happens: a lease that outlives the grant is never begun. */
export function watchGrant(draft: Draft): void {
  const { state, atMs } = draft;
  if (!isExclusive(state.settings) || !serving(state)) return;
  followEpoch(draft);
  if (!serving(state)) return;
  const late = lateArbiter(state, atMs);
  if (grantCoversLease(state, atMs)) {
    if (late === undefined) clearAlarm(draft, "ARBITER_LOST");
    else sayLost(draft, `${late.name} has not prolonged its grant`, whyLate(late));
    return;
  }
  outOfGrant(draft, late);
}

function outOfGrant(draft: Draft, late: ArbiterView | undefined): void {
  const { state } = draft;
  const name = late?.name ?? "an arbiter";
  const why = late === undefined ? "its grant is too short" : whyLate(late);
  if (late?.verdict === "denied" && late.epoch === wantedEpoch(state)) {
    // The owner's choice is for an arbiter that cannot be asked. This one was, and says that another may serve.
    standDown(draft, `${name} denies it a longer grant: ${why}`, ["R30"], "asked");
  } else if (state.settings.onArbiterLost === "stepDown") {
    const what = `the grant of ${name} came to its end: ${why}`;
    raiseAlarm(draft, "ARBITER_LOST", what, momentMs);
    standDown(draft, `the grant of ${name} ends and was not prolonged: ${why}`, ["R30"], "asked");
  } else {
    sayLost(
      draft,
      `serving on without the grant of ${name} (onArbiterLost: keep), so the other node may serve too`,
      why,
    );
  }
}

/** Once for each kind of trouble: the reason of the moment changes with every question. */
function sayLost(draft: Draft, what: string, why: string): void {
  const known = draft.state.alarms.find(({ code }) => code === "ARBITER_LOST");
  if (known?.detail.startsWith(what) !== true) raiseAlarm(draft, "ARBITER_LOST", `${what}: ${why}`);
}

function serving({ role }: State): boolean {
  return role === "active" || role === "claiming";
}

function whyLate({ verdict, why }: ArbiterView): string {
  return verdict === "granted" ? "it has not answered since its last grant" : why;
}

function lateArbiter(state: State, atMs: number): ArbiterView | undefined {
  return state.arbitration?.views.find(
    ({ exclusive, grantedMs, untilMs }) =>
      exclusive && !(atMs < grantedMs + (untilMs - grantedMs) * alarmAfter),
  );
}

/** An arbiter has seen a higher epoch and lets us serve above it: nobody else serves, so ours is raised (rule R16). */
function followEpoch(draft: Draft): void {
  const { state } = draft;
  if (state.role !== "active" || state.arbiterEpoch <= state.epoch) return;
  const wanted = wantedEpoch(state);
  const granted = state.arbitration?.views.every(
    (view) => !view.exclusive || (view.verdict === "granted" && view.epoch === wanted),
  );
  if (granted !== true) return;
  state.highestEpoch = Math.max(state.highestEpoch, state.arbiterEpoch);
  raiseEpoch(draft);
}

/** Why giving the address away on purpose would be a risk now: the other node might not be granted it (rule R25). */
export function grantObstacle(state: State, atMs: number): string | undefined {
  if (!isExclusive(state.settings)) return undefined;
  const late = lateArbiter(state, atMs);
  if (late !== undefined) return `${late.name} does not answer, so the other node might not be let`;
  return grantEndMs(state) > atMs ? undefined : "no arbiter has granted this node's own serving";
}
