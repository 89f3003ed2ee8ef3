/** Says which of the protections of rules R1 to R5 hold at this moment, and why or why not, one line each. */

import type { Protection } from "@understudy/core/public";
import { guardPatienceMs } from "./guard.js";

export function protectionsOf(guardAlive: boolean, lapsed: string | undefined): readonly Protection[] {
  const gone = "the guard process is gone; a restart of pulse brings it back";
  const seconds = guardPatienceMs / 1000;
  return [
    {
      name: "pipe-guard",
      inForce: guardAlive,
      detail: guardAlive ? "removes the addresses as soon as this process ends" : gone,
    },
    {
      name: "silence-guard",
      inForce: guardAlive,
      detail: guardAlive
        ? `removes the addresses ${seconds} to ${seconds + 1} s after the last sign of life of this process${lapsed === undefined ? "" : `; silent: ${lapsed}`}`
        : gone,
    },
    absent("kernel-lease", "the kernel of this system has nothing that could silence an address by itself"),
    absent("claim-frame", "there is no kernel lease to end"),
  ];
}

function absent(name: string, detail: string): Protection {
  return { name, inForce: false, detail };
}
