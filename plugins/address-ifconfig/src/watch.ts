/**
 * Looks once a second at what became of the HA addresses and their interfaces: puts back what somebody removed while it
 * is held (rule R7), removes what somebody added while it is not (rule R1), and notices duplicates and lost links.
 */

import type { AddressReports, Log, NodeIdentity } from "@understudy/core/public";
import { haAddressesIn } from "./address-table.js";
import type { Parts, Wanted } from "./backend.js";
import type { PlacedAddress } from "./commands.js";
import { answers, type LogicalInterface } from "./listing.js";
import { belongs } from "./placement.js";

export interface Watch {
  noteInitial(listing: readonly LogicalInterface[]): void;
  check(): Promise<void>;
}

export interface WatchNeeds {
  readonly node: NodeIdentity;
  readonly log: Log;
  readonly wanted: Readonly<Wanted>;
  readonly parts: () => Parts | undefined;
  readonly reports: () => AddressReports | undefined;
  readonly lapse: (why: string) => void;
  readonly hasLapsed: () => boolean;
}

export function makeWatch({ node, log, wanted, parts, reports, lapse, hasLapsed }: WatchNeeds): Watch {
  const carriers = new Map<string, boolean>();
  let checking = false;

  /** RUNNING: for most drivers also that the link is up (ifconfig(8), "INTERFACE FLAGS"). FAILED: IPMP says it is not. */
  const carrierOf = (name: string, listing: readonly LogicalInterface[]): boolean =>
    listing.some(({ name: one, flags }) => one === name && flags.has("RUNNING") && !flags.has("FAILED"));

  function noteCarriers(listing: readonly LogicalInterface[], placed: readonly PlacedAddress[]): void {
    for (const name of new Set(placed.map(({ interfaceName }) => interfaceName))) {
      const up = carrierOf(name, listing);
      if (carriers.get(name) === up) continue;
      const first = !carriers.has(name);
      carriers.set(name, up);
      if (!first || !up) reports()?.carrierChanged(name, up);
    }
  }

  async function stranger({ table }: Parts, found: LogicalInterface): Promise<void> {
    log.warn(
      { address: found.address, on: found.name, zone: found.zone },
      "somebody else added an HA address",
    );
    reports()?.addressAdded(found.address);
    await table.remove(found);
  }

  /** `down`: it is there, but somebody has set it down. The shell keeps the order, so a release that comes sees it. */
  async function missing(
    { table }: Parts,
    placed: PlacedAddress,
    down: LogicalInterface | undefined,
  ): Promise<void> {
    log.warn({ address: placed.address, down: down?.name }, "somebody else removed an HA address");
    reports()?.addressRemoved(placed.address);
    if (down !== undefined) void table.remove(down);
    const added = await table.add(placed);
    if (added?.complaint !== undefined)
      log.warn({ complaint: added.complaint }, "a removed HA address could not be put back");
  }

  async function inspect(current: Parts): Promise<void> {
    const { generation } = wanted;
    const listing = await current.table.list();
    const stale = () => parts() !== current || wanted.generation !== generation;
    if (listing === undefined || stale()) return;
    noteCarriers(listing, current.placed);
    const found = haAddressesIn(listing, node.haAddresses);
    const placeOf = (one: LogicalInterface) => current.placed.find(({ address }) => address === one.address);
    if (wanted.mode === "absent") {
      for (const one of found) if (!stale()) await stranger(current, one);
      return;
    }
    if (wanted.mode !== "held" || hasLapsed()) return;
    for (const one of found) {
      const place = placeOf(one);
      if (place !== undefined && !belongs(one, place) && !stale()) await stranger(current, one);
    }
    const duplicate = found.find(({ flags }) => flags.has("DUPLICATE"));
    if (duplicate !== undefined)
      return lapse(
        `another machine answers for ${duplicate.address}: the kernel has disabled ${duplicate.name} (DUPLICATE)`,
      );
    for (const place of current.placed) {
      const there = found.find((one) => one.address === place.address && belongs(one, place));
      if ((there === undefined || !answers(there)) && !stale()) await missing(current, place, there);
    }
  }

  return {
    noteInitial(listing) {
      const placed = parts()?.placed ?? [];
      noteCarriers(listing, placed);
    },
    async check() {
      const current = parts();
      if (current === undefined || checking) return;
      checking = true;
      await inspect(current).finally(() => {
        checking = false;
      });
    },
  };
}
