/**
 * What one heartbeat says (rule R8). The bytes of it are in `wire.ts`; which beats count, and as what, is decided in
 * `peer-session.ts`.
 */

import type { Side } from "../plugin/contract.js";

/** Order is the number on the wire. */
export const roles = [
  "joining",
  "standby",
  "claiming",
  "active",
  "releasing",
  "maintenance",
  "failed",
] as const;
export type Role = (typeof roles)[number];

/** What a node can do now. More true flags, weighted, is healthier: see failover/health.ts (rule R27). */
export interface Health {
  /** Carrier, and a neighbour or the peer heard on the client side. */
  readonly clientLink: boolean;
  /** The node process answers its pipe. */
  readonly node: boolean;
  readonly services: boolean;
  /** The store can make a new session durable. */
  readonly store: boolean;
}

/** Where the operator wants the service (rule R26): the higher version wins on both nodes. */
export interface Preference {
  readonly side: Side | undefined;
  readonly version: number;
}

export interface Beat {
  readonly sender: Side;
  /** 16 hex digits, new at every start of pulse. */
  readonly nonce: string;
  /** Counts every beat of this nonce from 1, over all paths together. */
  readonly sequence: number;
  /** The epoch this node holds or last saw; for `claiming`, `active` and `releasing` it is its own. */
  readonly epoch: number;
  readonly role: Role;
  readonly health: Health;
  /** R24: merged with the peer since its start, or waited `aloneAfter`. */
  readonly verified: boolean;
  /** R20: this node believes that both have every acknowledged session. */
  readonly inSync: boolean;
  /** R12: the kernel confirmed that the address is gone; the sender asks the peer to claim. */
  readonly goodbye: boolean;
  /** R25: with a goodbye: something fails here; nobody asked this node to go. The other node counts it as a loss. */
  readonly unwell: boolean;
  readonly preference: Preference;
  /** R28: see Config.digest. */
  readonly configDigest: string;
  /** R13: the sender wants an answer at once on the path this frame travels. */
  readonly asks: boolean;
  /** It is such an answer. */
  readonly answers: boolean;
  /** On which paths the sender hears us: bit 0 is the first path of the config. Undefined: it does not say. */
  readonly heardOn: number | undefined;
  /** Per path: what the sender last heard from us on the path this frame travels. Undefined: nothing yet. */
  readonly echo: { readonly nonce: string; readonly sequence: number } | undefined;
  /** Sixteen bytes in hex that end the lease of a lower epoch (R5); undefined unless claiming or active. */
  readonly claimToken: string | undefined;
}
