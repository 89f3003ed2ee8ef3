/**
 * The write freeze of a handover (rule R25): nothing new is taken, what was taken is confirmed by the other node, and
 * both compare what they have. It ends by itself, so that a handover that fails costs at most that pause.
 */

import type { Outcome } from "../plugin/contract.js";
import { type Sum64, same } from "./digest.js";
import type { Ledger } from "./ledger.js";
import type { Outbox } from "./messages.js";

export interface Freeze {
  readonly frozen: boolean;
  begin(id: number, freezeMs: number, nowMs: number, ready: boolean): void;
  end(): void;
  /** `drained`: all that was taken is confirmed. */
  advance(nowMs: number, drained: boolean): void;
  asked(id: number, vector: Sum64, digest: Sum64): void;
  answered(id: number, equal: boolean): void;
}

export function createFreeze(options: {
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly position: () => Sum64;
  readonly result: (id: number, outcome: Outcome, detail: string) => void;
}): Freeze {
  const { ledger, outbox, position, result } = options;
  let current:
    | { readonly id: number; readonly untilMs: number; step: "draining" | "asking" | "held" }
    | undefined;

  function fail(outcome: Outcome, detail: string): void {
    const id = current?.id;
    current = undefined;
    if (id !== undefined) result(id, outcome, detail);
  }

  return {
    get frozen() {
      return current !== undefined;
    },
    begin(id, freezeMs, nowMs, ready) {
      if (current !== undefined && current.step !== "held") fail("refused", "another freeze took its place");
      current = { id, untilMs: nowMs + freezeMs, step: "draining" };
      if (!ready) fail("refused", "the two databases are not in sync");
    },
    end() {
      if (current?.step === "held") current = undefined;
      else fail("refused", "unfrozen before the databases were compared");
    },
    advance(nowMs, drained) {
      if (current === undefined) return;
      if (nowMs >= current.untilMs) {
        if (current.step === "held") current = undefined;
        else
          fail(
            "unknown",
            `the other node did not ${current.step === "draining" ? "confirm" : "answer"} in time`,
          );
      } else if (current.step === "draining" && drained) {
        current.step = "asking";
        const digest = { ...ledger.digest };
        outbox.put({ type: "freezeAsked", id: current.id, vector: position(), digest });
      }
    },
    asked(id, vector, digest) {
      const equal = same(vector, position()) && same(digest, ledger.digest);
      outbox.put({ type: "freezeAnswered", id, equal });
    },
    answered(id, equal) {
      if (current?.id !== id || current.step !== "asking") return;
      if (!equal) {
        fail("refused", "the two databases differ");
        return;
      }
      current.step = "held";
      result(id, "confirmed", "both databases are equal");
    },
  };
}
