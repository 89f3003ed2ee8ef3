/** What a replica says about itself, and the one sentence on what it waits for. */

import type { Transfer } from "./refill.js";

export interface ReplicaStatus {
  readonly store: boolean;
  readonly verified: boolean;
  readonly inSync: boolean;
  readonly waitingFor: string | undefined;
  /** `lost`: it was set aside, and nobody has refilled it (rule R22). */
  readonly database: "open" | "lost";
  readonly running: number;
  readonly ended: number;
  readonly bytes: number;
  readonly problem: string | undefined;
  readonly unconfirmed: number;
  readonly transfer: Transfer | undefined;
  readonly vector: string;
  readonly digest: string;
  /** Acknowledgements wait for the other node. */
  readonly waits: boolean;
}

export function waitingFor(now: {
  readonly verified: boolean;
  readonly inSync: boolean;
  readonly open: boolean;
  readonly acting: boolean;
  readonly transfer: Transfer | undefined;
  readonly repairing: boolean;
  readonly full: boolean;
  readonly peerRefuses: boolean;
  readonly peerForgotten: boolean;
}): string | undefined {
  if (now.full) return "room on this node's disk";
  if (now.transfer?.direction === "receiving") return "the copy of the other node's database to arrive";
  if (now.transfer?.direction === "sending")
    return "the copy of this node's database to reach the other node";
  if (now.peerForgotten && !now.open) return undefined;
  if (!now.open) return "the other node to connect";
  if (now.repairing) return "two databases that differ to be compared and mended";
  if (now.peerRefuses) return "room on the other node's disk";
  if (!now.verified) return "the other node's changes, before this node can know every session";
  if (!now.inSync) return now.acting ? "the other node to have every session" : "the active node's changes";
  return undefined;
}
