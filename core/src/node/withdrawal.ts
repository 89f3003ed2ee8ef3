/**
 * What the surviving node process does for a pulse that died holding the HA address (rule R12): it has every address
 * backend withdraw on a fresh instance, and only when the kernel confirmed that does it say goodbye to the other node.
 */

import type { AddressBackend, Outcome } from "../plugin/contract.js";
import type { Log } from "../plugin/tokens.js";
import { bounded } from "./bounded.js";
import type { LastWords } from "./pulse-client.js";

export interface Withdrawal {
  begin(last: LastWords): void;
  /** Settles when nothing is being withdrawn: a new pulse must not take the address while the old one's is removed. */
  settled(): Promise<void>;
}

export interface WithdrawalOptions {
  /** Instances that were never started, in the order of the config. */
  freshBackends(): readonly AddressBackend[];
  /** The kernel has confirmed: an exclusive arbiter need not wait for the end of the grant (rule R30). */
  releaseGrants(epoch: number): void;
  /** False when the other node could not be told. */
  sayGoodbye(epoch: number): boolean;
  record(what: string, details: Readonly<Record<string, unknown>>): void;
  readonly log: Log;
}

const withdrawLimitMs = 2000;

export function createWithdrawal(options: WithdrawalOptions): Withdrawal {
  let running: Promise<void> = Promise.resolve();

  async function withdraw(last: LastWords): Promise<void> {
    const outcome = await withdrawAll(options);
    if (outcome !== "confirmed") {
      options.record(`pulse ended with the HA address, and its removal is ${outcome}: no goodbye is said`, {
        epoch: last.epoch,
        outcome,
      });
      return;
    }
    options.releaseGrants(last.epoch);
    const told = last.epoch > 0 && options.sayGoodbye(last.epoch);
    const what = told
      ? "pulse ended with the HA address: removed it and said goodbye for it"
      : "pulse ended with the HA address: removed it; the other node could not be told";
    options.record(what, { epoch: last.epoch, told });
  }

  return {
    begin(last) {
      if (!last.held) return;
      running = running.then(() =>
        withdraw(last).catch((error: unknown) => options.log.error({ error }, "withdrawing failed")),
      );
    },
    settled: () => running,
  };
}

/** `confirmed` only if every backend that can withdraw says so, and at least one can. */
async function withdrawAll({ freshBackends, log }: WithdrawalOptions): Promise<Outcome> {
  const able = freshBackends().flatMap((backend) => backend.withdraw?.bind(backend) ?? []);
  const outcomes: Outcome[] = [];
  // Reverse order, as every release; none is left out because another failed.
  for (const withdraw of able.reverse()) {
    const result = await bounded(withdraw, withdrawLimitMs);
    if (result.kind !== "done") log.error({ reason: result.reason }, "an address backend did not withdraw");
    outcomes.push(result.kind === "done" ? result.value : "unknown");
  }
  if (outcomes.length === 0) return "unknown";
  return outcomes.find((outcome) => outcome !== "confirmed") ?? "confirmed";
}
