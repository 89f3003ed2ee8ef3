/**
 * Notices what others did to the HA addresses, says so and undoes it: puts back what was removed while held (rule R7),
 * removes what was added while absent (rule R1). Our own doings come back as the same events and are told apart here.
 */

import type { AddressReports, Clock, Log, NodeIdentity } from "@understudy/core/public";
import type { Wanted } from "./backend.js";
import type { FoundAddress, LinkState, PlacedAddress, Removable } from "./ip-commands.js";
import type { Parts } from "./parts.js";

export interface Repairs {
  appeared(found: FoundAddress): void;
  gone(found: FoundAddress): void;
  noteCarrier(state: Pick<LinkState, "name" | "carrier">): void;
  noteInitialCarrier(interfaceName: string, carrier: boolean): void;
  /** Once a second: what no event told, or what could not be mended at once. */
  check(): Promise<void>;
  /** Removes every HA address wherever it is; returns what is left, undefined when the kernel did not say. */
  removeAll(parts: Parts): Promise<readonly FoundAddress[] | undefined>;
}

export interface RepairsNeeds {
  readonly node: NodeIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly wanted: Readonly<Wanted>;
  readonly hasLapsed: () => boolean;
  readonly parts: () => Parts | undefined;
  readonly reports: () => AddressReports | undefined;
}

/** A program that keeps removing the address must not make us a busy loop; the check goes on once a second. */
const mostRepairsPerSecond = 10;

export function makeRepairs({ node, clock, log, wanted, hasLapsed, parts, reports }: RepairsNeeds): Repairs {
  const ours = new Set(node.haAddresses.map(({ address }) => address));
  const carriers = new Map<string, boolean>();
  /** Removals of our own whose event has not come yet, by address. */
  const expected = new Map<string, number>();
  let repairedMs: number[] = [];

  const expect = (address: string, by: number) =>
    expected.set(address, Math.max(0, (expected.get(address) ?? 0) + by));

  async function remove(current: Parts, found: Removable): Promise<void> {
    expect(found.address, 1);
    if (!(await current.table.remove(found))) expect(found.address, -1);
  }

  async function putBack(current: Parts, address: PlacedAddress): Promise<void> {
    const nowMs = clock.nowMs();
    repairedMs = repairedMs.filter((atMs) => nowMs - atMs < 1000);
    if (repairedMs.length >= mostRepairsPerSecond) return;
    repairedMs.push(nowMs);
    const added = await current.table.add(address);
    const complaint = added === undefined ? "ip did not answer" : added.complaint;
    if (complaint !== undefined)
      log.warn({ address: address.address, complaint }, "a removed HA address could not be put back");
  }

  function missing(current: Parts, address: PlacedAddress): void {
    if (hasLapsed()) return;
    log.warn({ address: address.address }, "somebody else removed an HA address");
    reports()?.addressRemoved(address.address);
    void putBack(current, address);
  }

  function stranger(current: Parts, found: FoundAddress): void {
    log.warn({ address: found.address, interface: found.interfaceName }, "somebody else added an HA address");
    reports()?.addressAdded(found.address);
    void remove(current, found);
  }

  /** On an interface where it does not belong, or on any while it is not wanted. */
  const wrong = (current: Parts, found: FoundAddress): boolean => {
    if (wanted.mode === "absent") return true;
    const at = current.placed.find(({ address }) => address === found.address)?.interfaceName;
    return wanted.mode === "held" && at !== found.interfaceName;
  };

  async function inspect(current: Parts): Promise<readonly FoundAddress[] | undefined> {
    const { generation } = wanted;
    const found = await current.table.find();
    if (parts() !== current || wanted.generation !== generation) return undefined;
    for (const one of found ?? []) if (wrong(current, one)) stranger(current, one);
    return found;
  }

  return {
    appeared(found) {
      const current = parts();
      // Events of an acquire that was undone since come late, so the kernel is asked what is there now.
      if (current !== undefined && ours.has(found.address) && wrong(current, found)) void inspect(current);
    },
    gone(found) {
      const current = parts();
      if (current === undefined || !ours.has(found.address)) return;
      if ((expected.get(found.address) ?? 0) > 0) {
        expect(found.address, -1);
        return;
      }
      const placed = current.placed.find(
        ({ address, interfaceName }) => address === found.address && interfaceName === found.interfaceName,
      );
      if (wanted.mode === "held" && placed !== undefined) missing(current, placed);
    },
    noteCarrier({ name, carrier }) {
      if (!carriers.has(name) || carriers.get(name) === carrier) return;
      carriers.set(name, carrier);
      reports()?.carrierChanged(name, carrier);
    },
    noteInitialCarrier(interfaceName, carrier) {
      carriers.set(interfaceName, carrier);
      if (!carrier) reports()?.carrierChanged(interfaceName, false);
    },
    async check() {
      const current = parts();
      if (current === undefined) return;
      await current.lease.check();
      const found = await inspect(current);
      if (found === undefined || wanted.mode !== "held") return;
      // By now every event of our own removals has come, or never will.
      expected.clear();
      for (const address of current.placed) {
        const there = found.some(
          (one) => one.address === address.address && one.interfaceName === address.interfaceName,
        );
        if (!there) missing(current, address);
      }
    },
    async removeAll(current) {
      await Promise.all(current.placed.map((address) => remove(current, address)));
      const left = await current.table.find();
      if (left === undefined || left.length === 0) return left;
      await Promise.all(left.map((found) => remove(current, found)));
      return current.table.find();
    },
  };
}
