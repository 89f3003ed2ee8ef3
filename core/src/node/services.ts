/**
 * The services of a node as one: started in the order of the config, promoted in that order, demoted and stopped in
 * reverse. A service that fails holds none of the others up.
 */

import type { ServiceStatus } from "../ipc/control.js";
import type { Outcome } from "../plugin/contract.js";
import { atMost } from "./bounded.js";
import type { ServiceUnit } from "./service-unit.js";

export interface Finished {
  readonly outcome: Outcome;
  readonly detail: string;
}

export interface Services {
  start(): Promise<void>;
  promote(epoch: number): Promise<Finished>;
  demote(): Promise<Finished>;
  /** Every service does what is wanted of it. */
  readonly ok: boolean;
  statuses(): readonly ServiceStatus[];
  /** Stops units that are not among the new ones, starts the new ones, and promotes them if this node serves. */
  replace(units: readonly ServiceUnit[]): Promise<void>;
  stop(): Promise<void>;
}

/** The contract's deadline of a demote; all of them together have it. */
const demoteLimitMs = 2000;

export function createServices(first: readonly ServiceUnit[]): Services {
  let units = first;
  let epoch: number | undefined;

  async function promoteAll(wanted: number): Promise<Finished> {
    const troubles: string[] = [];
    for (const unit of units) {
      if (epoch !== wanted) return { outcome: "refused", detail: "overtaken by a newer request" };
      const trouble = await unit.promote(wanted);
      if (trouble !== undefined) troubles.push(`${unit.name}: ${trouble}`);
    }
    return { outcome: troubles.length === 0 ? "confirmed" : "refused", detail: troubles.join("; ") };
  }

  async function demoteAll(): Promise<Finished> {
    const troubles: string[] = [];
    for (const unit of [...units].reverse()) {
      const trouble = await unit.demote();
      if (trouble !== undefined) troubles.push(`${unit.name}: ${trouble}`);
    }
    return { outcome: troubles.length === 0 ? "confirmed" : "unknown", detail: troubles.join("; ") };
  }

  return {
    async start() {
      // One after the other, as the config orders them; each has its own deadline and its own retries.
      for (const unit of units) await unit.start();
    },
    promote(wanted) {
      epoch = wanted;
      return promoteAll(wanted);
    },
    async demote() {
      epoch = undefined;
      const late: Finished = { outcome: "unknown", detail: `not done within ${demoteLimitMs} ms` };
      return (await atMost(demoteAll(), demoteLimitMs)) ?? late;
    },
    get ok() {
      return units.every((unit) => unit.ok);
    },
    statuses: () => units.map((unit) => unit.status()),
    async replace(next) {
      const gone = units.filter((unit) => !next.includes(unit));
      const fresh = next.filter((unit) => !units.includes(unit));
      units = next;
      for (const unit of gone.reverse()) {
        await unit.demote();
        await unit.stop();
      }
      for (const unit of fresh) {
        await unit.start();
        if (epoch !== undefined) await unit.promote(epoch);
      }
    },
    async stop() {
      epoch = undefined;
      for (const unit of [...units].reverse()) await unit.stop();
    },
  };
}
