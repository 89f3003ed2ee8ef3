/**
 * Takes and gives up the HA addresses. What is there is asked of the table each time, never remembered; an answer is
 * `confirmed` only when the table was looked at afterwards, and what went wrong on the way is `unknown`.
 */

import type { AddressBackend, Outcome } from "@understudy/core/public";
import { readTable, writeTable } from "./table.ts";

export function tableBackend(path: string, haAddresses: readonly string[]): AddressBackend {
  let turn: Promise<unknown> = Promise.resolve();
  let trouble: string | undefined = "not started";

  /** One after the other: an acquire and a release may be under way at once. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work, work);
    turn = mine;
    return mine;
  }

  async function set(held: boolean): Promise<Outcome> {
    try {
      const others = (await readTable(path)).filter((address) => !haAddresses.includes(address));
      await writeTable(path, held ? [...others, ...haAddresses] : others);
      trouble = undefined;
      return (await look()) === (held ? "held" : "absent") ? "confirmed" : "unknown";
    } catch (error) {
      trouble = (error as Error).message;
      return "unknown";
    }
  }

  async function look(): Promise<"held" | "absent" | "unknown"> {
    try {
      const there = await readTable(path);
      return haAddresses.every((address) => there.includes(address)) ? "held" : "absent";
    } catch {
      return "unknown";
    }
  }

  return {
    // Rule R6: whatever a former run left behind is gone before anything else happens.
    async start() {
      if ((await inTurn(() => set(false))) !== "confirmed")
        throw new Error(trouble ?? `${path} did not change`);
    },
    acquire: () => inTurn(() => set(true)),
    release: () => inTurn(() => set(false)),
    holds: () => inTurn(look),
    // Rule R12: on an instance that was never started, in the process that survives.
    withdraw: () => inTurn(() => set(false)),
    async stop() {
      await inTurn(() => set(false));
      trouble = "stopped";
    },
    protections: () => [
      { name: "kernel-lease", inForce: false, detail: "a text file keeps its lines when this process dies" },
    ],
    describe: () =>
      `${haAddresses.join(", ")} in ${path}${trouble === undefined ? "" : `: ${trouble}`}`.slice(0, 200),
  };
}
