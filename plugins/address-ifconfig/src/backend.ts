/**
 * The address backend itself: what is wanted (held or absent), and how it is brought about. All talking to the kernel is
 * in the parts; all deciding about the pair is in the core.
 */

import type {
  AddressBackend,
  AddressReports,
  Clock,
  Guard,
  Log,
  NodeIdentity,
  Outcome,
} from "@understudy/core/public";
import { type AddressTable, haAddressesIn, openAddressTable } from "./address-table.js";
import type { PlacedAddress } from "./commands.js";
import { ifconfigError } from "./errors.js";
import { feedGuard, guardAddresses, guardPatienceMs } from "./guard.js";
import { answers, type LogicalInterface } from "./listing.js";
import type { IfconfigOptions } from "./options.js";
import { belongs, placeAddress } from "./placement.js";
import { protectionsOf } from "./protections.js";
import { makeWatch } from "./watch.js";
import { type Left, listInterfaces, removeEverywhere, withdrawAll } from "./withdraw.js";

/** What acquire and release want now; shared with the watch. */
export interface Wanted {
  mode: "absent" | "acquiring" | "held" | "releasing";
  /** Grows with every acquire and release, so that an answer to an older question is known to be old. */
  generation: number;
  /** The right to answer has ended until the next acquire. */
  lapsed: string | undefined;
}

export interface Parts {
  readonly placed: readonly PlacedAddress[];
  readonly table: AddressTable;
  readonly guard: Guard;
}

const checkIntervalMs = 1000;
const feedIntervalMs = 250;
/** Fed later than this the guard has withdrawn, or does so under our hands. */
const lapseMs = guardPatienceMs - 100;

export function makeBackend(
  options: IfconfigOptions,
  { node, clock, log }: { readonly node: NodeIdentity; readonly clock: Clock; readonly log: Log },
): AddressBackend {
  const { command } = options;
  const wanted: Wanted = { mode: "absent", generation: 0, lapsed: undefined };
  let parts: Parts | undefined;
  let reports: AddressReports | undefined;
  let timers: readonly NodeJS.Timeout[] = [];
  let fedMs = Number.NEGATIVE_INFINITY;
  let queue: Promise<unknown> = Promise.resolve();

  /** One after the other: an acquire that is being undone must not meet a release. */
  const inTurn = <T>(work: (parts: Parts) => Promise<T>, otherwise: T): Promise<T> => {
    const result = queue.then(() => (parts === undefined ? otherwise : work(parts)));
    queue = result.catch(() => {});
    return result;
  };
  const lapse = (why: string) => {
    if (wanted.lapsed !== undefined || wanted.mode !== "held") return;
    wanted.lapsed = why;
    log.warn({ why }, "the right to answer has ended");
    reports?.leaseLapsed?.(why);
    reports?.protectionsChanged(`the right to answer has ended: ${why}`);
    void inTurn(removeHere, undefined);
  };
  /**
   * Whether the right to answer has ended. After a stall the watch may look before the first beat: what the guard has
   * removed is then not taken for removed by somebody else, and never put back.
   */
  const hasLapsed = (): boolean => {
    const sinceMs = clock.nowMs() - fedMs;
    if (wanted.mode === "held" && sinceMs > lapseMs)
      lapse(`this process gave no sign of life for ${Math.round(sinceMs)} ms`);
    return wanted.lapsed !== undefined;
  };
  const feed = () => {
    if (hasLapsed() || clock.nowMs() - fedMs < feedIntervalMs) return;
    fedMs = clock.nowMs();
    if (parts !== undefined) feedGuard(parts.guard);
  };
  const watch = makeWatch({
    node,
    log,
    wanted,
    parts: () => parts,
    reports: () => reports,
    lapse,
    hasLapsed,
  });

  /** Removes every HA address wherever it is; what is left, `undefined` when the kernel did not say. */
  async function removeHere({ table }: Parts): Promise<readonly LogicalInterface[] | undefined> {
    const there = haAddressesIn((await table.list()) ?? [], node.haAddresses);
    for (const found of there) {
      const removed = await table.remove(found);
      if (removed?.complaint !== undefined)
        log.warn({ on: found.name, complaint: removed.complaint }, "an HA address could not be removed");
    }
    const left = await table.list();
    return left && haAddressesIn(left, node.haAddresses);
  }

  async function acquireAll(current: Parts): Promise<Outcome> {
    wanted.mode = "acquiring";
    wanted.generation += 1;
    wanted.lapsed = undefined;
    fedMs = Number.NEGATIVE_INFINITY;
    const complaint = await takeAll(current);
    if (complaint === undefined) {
      wanted.mode = "held";
      fedMs = clock.nowMs();
      feedGuard(current.guard);
      return "confirmed";
    }
    log.error({ complaint }, "the HA addresses could not be taken; those that were are given up");
    return (await releaseAll(current)) === "confirmed" ? "refused" : "unknown";
  }

  /** What went wrong, if anything. */
  async function takeAll({ table, placed }: Parts): Promise<string | undefined> {
    const listing = await table.list();
    if (listing === undefined) return "ifconfig did not answer";
    for (const address of placed) {
      const there = haAddressesIn(listing, [address]);
      if (there.length === 1 && there.every((one) => belongs(one, address) && answers(one))) continue;
      for (const wrong of there) await table.remove(wrong);
      const added = await table.add(address);
      if (added === undefined) return "ifconfig did not answer";
      if (added.complaint !== undefined) return added.complaint;
    }
    return undefined;
  }

  async function releaseAll(current: Parts): Promise<Outcome> {
    wanted.mode = "releasing";
    wanted.generation += 1;
    const left = await removeHere(current);
    wanted.mode = "absent";
    return left?.length === 0 ? "confirmed" : "unknown";
  }

  return {
    async start(given) {
      reports = given;
      const left = await removeEverywhere(command, node.haAddresses);
      if (left.length > 0) throw notRemoved(left);
      const listing = await listInterfaces(command, node.haAddresses);
      const placed = node.haAddresses.map((address) => placeAddress(address, options.interface, listing));
      const changed = (detail: string) => reports?.protectionsChanged(detail);
      const orders = { command, addresses: placed, cluster: node.cluster, node: node.name };
      parts = {
        placed,
        table: openAddressTable(command, node.haAddresses, (why) => changed(`the shell is gone: ${why}`)),
        guard: guardAddresses(orders, (why) => changed(`the guard is gone: ${why}`)),
      };
      await parts.guard.ready;
      watch.noteInitial(listing);
      const everyMs = (intervalMs: number, work: () => void) => setInterval(work, intervalMs).unref();
      timers = [
        everyMs(checkIntervalMs, () => void watch.check()),
        // While it is held the beats of an active node feed the guard (`renew`), and nothing else.
        everyMs(feedIntervalMs, () => {
          if (wanted.mode !== "held" && parts !== undefined) feedGuard(parts.guard);
        }),
      ];
    },
    acquire: () => inTurn(acquireAll, "refused"),
    release: () => inTurn(releaseAll, "unknown"),
    async holds() {
      const listing = await parts?.table.list();
      if (listing === undefined || parts === undefined) return "unknown";
      const held = parts.placed.every((address) =>
        listing.some((one) => one.address === address.address && belongs(one, address) && answers(one)),
      );
      return held ? "held" : "absent";
    },
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await inTurn(releaseAll, "unknown");
      const ending = parts;
      parts = undefined;
      await ending?.guard.stop();
      ending?.table.stop();
    },
    describe() {
      const addresses = (parts?.placed ?? node.haAddresses).map(
        ({ address, prefixLength, interfaceName }) =>
          `${address}/${prefixLength}${interfaceName === undefined ? "" : ` on ${interfaceName}`}`,
      );
      const lapsed = wanted.lapsed === undefined ? "" : `, silent: ${wanted.lapsed}`;
      return `${addresses.join(", ")}: ${parts === undefined ? "not started" : wanted.mode}${lapsed}`;
    },
    withdraw: () => withdrawAll(command, node.haAddresses),
    renew() {
      if (wanted.mode === "held") feed();
    },
    // Without a kernel lease the addresses themselves are the right to answer.
    dropLease: () => lapse("it was dropped"),
    protections: () => (parts === undefined ? [] : protectionsOf(parts.guard.alive, wanted.lapsed)),
  };
}

function notRemoved(left: readonly Left[]): Error {
  const where = left.map(({ address, name, zone, complaint }) => {
    const of = zone === undefined ? "" : ` of zone ${zone}`;
    return `${address} on ${name}${of} (${complaint})`;
  });
  return ifconfigError(
    "IFCONFIG_ADDRESS_NOT_REMOVED",
    `the HA address could not be removed: ${where.join(", ")}`,
  );
}
