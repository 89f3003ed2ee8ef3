/**
 * What must hold of the decision core's state after every step, in production too. A broken invariant ends the process,
 * and the kernel withdraws the address (DESIGN, house style).
 */

import { isExclusive } from "./arbiters.js";
import type { State } from "./state.js";

export class BrokenInvariant extends Error {
  constructor(what: string) {
    super(`broken invariant of the decision core: ${what}`);
    this.name = "BrokenInvariant";
  }
}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new BrokenInvariant(what);
}

export function assertSound(before: State, after: State): void {
  hold(after.highestEpoch >= before.highestEpoch, "the highest epoch never goes back (R16)");
  hold(after.highestEpoch >= after.epoch, "our own epoch is never above the highest seen");
  hold(after.persistedEpoch >= before.persistedEpoch, "the written epoch never goes back (R16)");
  const serving = after.role === "claiming" || after.role === "active";
  const parity = after.settings.self === "primary" ? 1 : 0;
  hold(
    !serving || after.epoch % 2 === parity,
    "the primary serves with odd epochs, the secondary with even (R16)",
  );
  hold(!serving || after.epoch > 0, "a node that serves has an epoch");
  hold(
    after.leaseRenewedMs === undefined || after.role === "active",
    "only an active node holds a lease (R1)",
  );
  hold(after.acquireId === undefined || after.role === "claiming", "only a claiming node takes the address");
  hold(
    after.release === undefined || after.role === "releasing",
    "only a releasing node gives the address up",
  );
  hold(after.role !== "releasing" || after.release !== undefined, "a releasing node waits for its release");
  hold(
    after.handover === undefined || after.role === "active" || after.role === "releasing",
    "a handover has something to hand over",
  );
  hold(
    !serving || !isExclusive(after.settings) || after.arbitration !== undefined,
    "a node that serves under an exclusive arbiter has asked it (R30)",
  );
  hold(after.suspicion === undefined || after.role !== "active", "an active node suspects nobody");
}
