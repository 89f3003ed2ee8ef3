/**
 * The HA addresses in the kernel's table, through one shell that was started once: which are there, add one, remove one.
 * The kernel is asked every time; nothing here remembers.
 */

import type { HaAddress } from "@understudy/core/public";
import { addCommand, listCommand, type PlacedAddress, type Removable, removeCommand } from "./commands.js";
import { type LogicalInterface, parseListing } from "./listing.js";
import { type Answer, type Shell, startShell } from "./shell.js";

export interface AddressTable {
  readonly alive: boolean;
  /** `undefined`: the kernel did not say. */
  list(): Promise<readonly LogicalInterface[] | undefined>;
  /** `complaint`: what ifconfig said when it refused. `undefined`: it did not answer in time. */
  add(placed: PlacedAddress): Promise<{ readonly complaint: string | undefined } | undefined>;
  /** As `add`; a complaint also when it was not there. */
  remove(found: Removable): Promise<{ readonly complaint: string | undefined } | undefined>;
  stop(): void;
}

export function openAddressTable(
  command: string,
  addresses: readonly HaAddress[],
  onDeath: (why: string) => void,
): AddressTable {
  const shell: Shell = startShell(onDeath);
  const listing = listCommand(command, familiesOf(addresses));
  const change = async (line: string) => {
    const reply = await shell.run(line);
    return reply && { complaint: complaintOf(reply) };
  };
  return {
    get alive() {
      return shell.alive;
    },
    async list() {
      const reply = await shell.run(listing);
      return reply === undefined || reply.status !== 0 ? undefined : parseListing(reply.output);
    },
    add: (placed) => change(addCommand(command, placed)),
    remove: (found) => change(removeCommand(command, found)),
    stop: () => shell.stop(),
  };
}

export function familiesOf(addresses: readonly HaAddress[]): readonly (4 | 6)[] {
  return ([4, 6] as const).filter((family) => addresses.some((one) => one.family === family));
}

/** ifconfig exits with 1 for everything it refuses, and says why in one line. */
function complaintOf({ status, errors }: Answer): string | undefined {
  if (status === 0) return undefined;
  const said = errors.map((line) => line.trim()).filter((line) => line !== "");
  return said.join("; ") || `ifconfig ended with ${status}`;
}

/** Those of the listing that are HA addresses. */
export function haAddressesIn(
  listing: readonly LogicalInterface[],
  addresses: readonly HaAddress[],
): readonly LogicalInterface[] {
  const wanted = new Set(addresses.map(({ address }) => address));
  return listing.filter(({ address }) => wanted.has(address));
}
