/**
 * What a service wants of the session database and what it is told, as the replica sees it: plain data with a ticket by
 * which the asker knows its answer.
 */

import type { NewSession } from "./ledger.js";
import type { SessionRow } from "./store.js";

export type Request =
  | { readonly kind: "create"; readonly ticket: number; readonly session: NewSession }
  | { readonly kind: "end"; readonly ticket: number; readonly id: string };

export type RefusalKind =
  | "notActive"
  | "diskFull"
  | "frozen"
  | "notKnownYet"
  | "notFound"
  | "overloaded"
  | "invalid";

export type Answer =
  | {
      readonly ok: true;
      readonly row: SessionRow;
      readonly created: boolean;
      readonly acknowledgement: "replicated" | "solo";
      /** Under which it was decided: acknowledged only under a permit for the same (rule R21). */
      readonly epoch: number;
    }
  | { readonly ok: false; readonly refusal: RefusalKind };

/** Whether this node serves, under which epoch, and whether it must say "not known yet" (rule R24). */
export interface Serving {
  readonly epoch: number;
  readonly stale: boolean;
}
