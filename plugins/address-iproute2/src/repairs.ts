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
  /**
   * At the end of an acquire: what somebody removed meanwhile is put back before the addresses count as taken. Asks the
   * kernel only when it has told of a removal since the acquire began.
   */
  taken(parts: Parts): Promise<void>;
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
/** Events come through another process than answers do, so they may be late; what came before it listened never comes. */
const eventWithinMs = 5000;

export function makeRepairs({ node, clock, log, wanted, hasLapsed, parts, reports }: RepairsNeeds): Repairs {
  const ours = new Set(node.haAddresses.map(({ address }) => address));
  const carriers = new Map<string, boolean>();
  /** When removals of our own were asked for whose event has not come yet, by address. */
  const expected = new Map<string, readonly number[]>();
  /** The acquire during which something was removed. */
  let doubtedGeneration = -1;
  let repairedMs: number[] = [];

  const awaited = (address: string) =>
    (expected.get(address) ?? []).filter((atMs) => clock.nowMs() - atMs < eventWithinMs);

  async function remove(current: Parts, found: Removable): Promise<void> {
    expected.set(found.address, [...awaited(found.address), clock.nowMs()]);
    if (!(await current.table.remove(found)))
      expected.set(found.address, awaited(found.address).slice(0, -1));
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

  async function missing(current: Parts, address: PlacedAddress): Promise<void> {
    if (hasLapsed()) return;
    log.warn({ address: address.address }, "somebody else removed an HA address");
    reports()?.addressRemoved(address.address);
    await putBack(current, address);
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

  /** Asks the kernel which of them are not where they should be. */
  async function restore(current: Parts): Promise<void> {
    const found = await inspect(current);
    if (found === undefined || wanted.mode !== "held") return;
    const gone = current.placed.filter(
      ({ address, interfaceName }) =>
        !found.some((one) => one.address === address && one.interfaceName === interfaceName),
    );
    await Promise.all(gone.map((address) => missing(current, address)));
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
      if (wanted.mode === "acquiring") doubtedGeneration = wanted.generation;
      const [own, ...later] = awaited(found.address);
      expected.set(found.address, later);
      const placed = current.placed.find(
        ({ address, interfaceName }) => address === found.address && interfaceName === found.interfaceName,
      );
      if (wanted.mode !== "held" || placed === undefined) return;
      // The late event of a removal before this acquire, or somebody's: the kernel knows.
      if (own !== undefined) void restore(current);
      else void missing(current, placed);
    },
    async taken(current) {
      if (doubtedGeneration === wanted.generation) await restore(current);
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
      await restore(current);
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
