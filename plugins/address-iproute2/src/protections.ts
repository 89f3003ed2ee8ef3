/** Says which of the protections of rules R1 to R5 hold at this moment, and why or why not, one line each. */

import type { Protection } from "@understudy/core/public";
import type { Wanted } from "./backend.js";
import { validLifetimeSeconds } from "./ip-commands.js";
import type { Parts } from "./parts.js";

export function protectionsOf(parts: Parts, wanted: Wanted, tokens: number): readonly Protection[] {
  const { lease, guard, table, arpIgnore } = parts;
  const state = wanted.lapsed === undefined ? "" : `; silent: ${wanted.lapsed}`;
  const arp = arpIgnore.complaint === "" ? "" : `; ${arpIgnore.complaint}`;
  return [
    { name: "kernel-lease", inForce: lease.inForce, detail: `${lease.detail}${state}${arp}` },
    {
      name: "pipe-guard",
      inForce: guard.alive,
      detail: guard.alive
        ? "removes the addresses as soon as this process ends"
        : "the guard process is gone; a restart of pulse brings it back",
    },
    {
      name: "valid-lifetime",
      inForce: table.alive,
      detail: table.alive
        ? `the kernel removes the addresses ${validLifetimeSeconds} s after the last refresh`
        : "the ip co-process is gone; a restart of pulse brings it back",
    },
    claimFrame(lease.inForce, wanted.mode, tokens),
  ];
}

function claimFrame(leaseInForce: boolean, mode: Wanted["mode"], tokens: number): Protection {
  const name = "claim-frame";
  if (!leaseInForce) return { name, inForce: false, detail: "there is no kernel lease to end" };
  // As with the lease itself: a node that does not hold the address lacks nothing, and nobody is to be woken for it.
  if (tokens === 0 && (mode === "absent" || mode === "releasing"))
    return { name, inForce: true, detail: "its tokens are armed with the lease, when the address is taken" };
  if (tokens === 0) return { name, inForce: false, detail: "no token is armed for this epoch" };
  return { name, inForce: true, detail: `${tokens} token${tokens === 1 ? "" : "s"} armed` };
}
