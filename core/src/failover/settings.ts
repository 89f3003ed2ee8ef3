/**
 * The numbers the decision core goes by, all from the config. Every default is argued in DESIGN's rules.
 */

import type { PathClass, Side } from "../plugin/contract.js";

/** One way to the other node, as the config and its plugin say. */
export interface PathSettings {
  readonly name: string;
  readonly class: PathClass;
  /** Between two routine beats on it: that of the profile, or longer where the medium carries no more. */
  readonly intervalMs: number;
}

export interface Settings {
  readonly self: Side;
  /** In the order of the config, which is the same on both nodes. */
  readonly paths: readonly PathSettings[];
  readonly intervalMs: number;
  readonly deadFloorMs: number;
  readonly deadCeilingMs: number;
  readonly leaseMs: number;
  readonly hangLimitMs: number;
  readonly aloneAfterMs: number | null;
  readonly failback: {
    readonly mode: "auto" | "manual";
    readonly holdMs: number;
    readonly maxHoldMs: number;
    readonly manualAfterLosses: number;
    readonly freezeMs: number;
  };
  readonly reclaimHoldMs: number;
  readonly foreignHoldMs: number;
  /** R9: a peer whose kernel and address answer but whose beats do not is asked after this, 2500. */
  readonly askAfterMs: number;
  /** R9: one round of probes, 4. */
  readonly probeEveryMs: number;
  readonly configDigest: string;
  /** In the order of the config (rules R30, R31). */
  readonly arbiters: readonly { readonly name: string; readonly exclusive: boolean }[];
  readonly onArbiterLost: "keep" | "stepDown";
  /** Names, in the order in which they are tried (rule R32). */
  readonly fences: readonly string[];
  /** R32: how much later the side that is not preferred fires when nobody is known to serve. */
  readonly fenceDelayMs: number;
  /** An address backend can ask who answers for the HA address. */
  readonly canProbeAddress: boolean;
}
