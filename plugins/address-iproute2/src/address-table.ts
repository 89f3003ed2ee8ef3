/**
 * The HA addresses in the kernel's table, through one `ip -batch -` that was started once: add all, remove all, which
 * are there. The kernel is asked every time; nothing here remembers.
 */

import type { HaAddress } from "@understudy/core/public";
import { type CoProcess, type Reply, startCoProcess } from "./co-process.js";
import {
  addCommand,
  complaints,
  deleteCommand,
  type FoundAddress,
  type LinkState,
  type PlacedAddress,
  parseAddressLine,
  parseLinkLine,
  type Removable,
  showCommand,
} from "./ip-commands.js";

export interface AddressTable {
  readonly alive: boolean;
  /** Adds or prolongs one address. `undefined`: the kernel did not say. */
  add(address: PlacedAddress): Promise<{ readonly complaint: string | undefined } | undefined>;
  /** Where the HA addresses are on this machine now, on whatever interface; `undefined`: the kernel did not say. */
  find(): Promise<readonly FoundAddress[] | undefined>;
  /** Whether this call removed it; false also when it was not there. */
  remove(found: Removable): Promise<boolean>;
  /** Anything else `ip` knows; answered behind what was asked before. */
  ask(command: string): Promise<Reply>;
  /** Every interface as it is now; `undefined`: the kernel did not say. */
  links(): Promise<readonly LinkState[] | undefined>;
  /** An interface was made anew under its old name: `ip` must not go on using the index it remembers. */
  forgetInterfaces(): void;
  stop(): void;
}

export function openAddressTable(
  addresses: readonly HaAddress[],
  onDeath: (why: string) => void,
): AddressTable {
  const ip: CoProcess = startCoProcess({ command: "ip -o -force -batch -", onDeath });
  return {
    get alive() {
      return ip.alive;
    },
    async add(address) {
      const reply = await ip.run(addCommand(address));
      return reply && { complaint: complaints(reply).join("; ") || undefined };
    },
    async find() {
      const replies = await Promise.all(addresses.map((address) => ip.run(showCommand(address))));
      const found: FoundAddress[] = [];
      for (const reply of replies) {
        // A complaint means that the question was not answered, so "not found" must not be concluded.
        if (reply === undefined || complaints(reply).length > 0) return undefined;
        found.push(...reply.flatMap((line) => parseAddressLine(line) ?? []));
      }
      return found;
    },
    async remove(found) {
      const reply = await ip.run(deleteCommand(found));
      return reply !== undefined && complaints(reply).length === 0;
    },
    ask: (command) => ip.run(command),
    async links() {
      const reply = await ip.run("link show");
      return reply?.flatMap((line) => parseLinkLine(line) ?? []);
    },
    forgetInterfaces() {
      ip.restart();
    },
    stop() {
      ip.stop();
    },
  };
}
