/**
 * What the address backends report, as events of the decision core. Only interfaces that an HA address is on have a say
 * about carrier and neighbours, and a busy segment must not flood the core with neighbours.
 */

import type { AddressReports } from "../plugin/contract.js";
import type { Clock } from "../plugin/tokens.js";
import type { HaInterfaces } from "./ha-interfaces.js";
import type { Happening } from "./happening.js";

export interface ReportListeners {
  tell(happening: Happening): void;
  protectionsChanged(detail: string): void;
}

/** The core needs to know that a neighbour was heard in a window of milliseconds, not how often. */
const neighbourEveryMs = 2;

export function createAddressReports(
  interfaces: HaInterfaces,
  clock: Clock,
  { tell, protectionsChanged }: ReportListeners,
): AddressReports {
  const down = new Set<string>();
  let neighbourMs = -Infinity;
  return {
    addressRemoved: (address) => tell({ type: "addressRemoved", address }),
    addressAdded: (address) => tell({ type: "addressAdded", address }),
    addressAnswered: ({ from, mac }) => tell({ type: "addressAnswered", from, mac }),
    neighbourHeard(interfaceName) {
      const nowMs = clock.nowMs();
      if (nowMs - neighbourMs < neighbourEveryMs || !interfaces.has(interfaceName)) return;
      neighbourMs = nowMs;
      tell({ type: "neighbourHeard", interfaceName });
    },
    carrierChanged(interfaceName, up) {
      if (!interfaces.has(interfaceName)) return;
      if (up) down.delete(interfaceName);
      else down.add(interfaceName);
      // Several HA addresses move as one, so the worst of their interfaces counts.
      tell({ type: "carrierChanged", up: down.size === 0 });
    },
    segmentAgreed: (agreement, refreshMs, detail) =>
      tell({ type: "segmentAgreed", agreement, refreshMs, detail }),
    leaseLapsed: (detail) => tell({ type: "leaseEnded", detail }),
    protectionsChanged,
  };
}
