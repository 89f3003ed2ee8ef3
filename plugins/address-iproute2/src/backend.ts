/**
 * The address backend itself: what is wanted (held or absent), and what to do when the kernel says otherwise. All
 * talking to the kernel is in the parts; all deciding about the pair is in the core.
 */

import type {
  AddressBackend,
  AddressReports,
  ClaimToken,
  Clock,
  Log,
  NodeIdentity,
  Outcome,
} from "@understudy/core/public";
import { addressError } from "./errors.js";
import { type FoundAddress, type LinkState, lifetimeRefreshMs, validLifetimeSeconds } from "./ip-commands.js";
import { makeLinkWatch } from "./link-watch.js";
import type { Iproute2Options } from "./options.js";
import { leavingUnplaced, type Parts, startParts, stopParts } from "./parts.js";
import { protectionsOf } from "./protections.js";
import { makeRepairs } from "./repairs.js";
import { removeEverywhere, withdrawAll } from "./withdraw.js";

export type Mode = "absent" | "acquiring" | "held" | "releasing";

/** What acquire and release want now; shared with those who mend what strangers did. */
export interface Wanted {
  mode: Mode;
  /** Grows with every acquire and release, so that an answer to an older question is known to be old. */
  generation: number;
  /** The right to answer has ended and is not prolonged any more, not even the lifetime of the address. */
  lapsed: string | undefined;
}

const checkIntervalMs = 1000;
/** Renewed later than this, the lifetime has run out or may run out under our hands: the latch of the backstop. */
const lifetimeLapseMs = validLifetimeSeconds * 1000 - 100;

export function makeBackend(
  options: Iproute2Options,
  { node, clock, log }: { readonly node: NodeIdentity; readonly clock: Clock; readonly log: Log },
): AddressBackend {
  const wanted: Wanted = { mode: "absent", generation: 0, lapsed: undefined };
  let parts: Parts | undefined;
  let reports: AddressReports | undefined;
  let checkTimer: NodeJS.Timeout | undefined;
  let lifetimeMs = Number.NEGATIVE_INFINITY;
  let tokens: readonly ClaimToken[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  let underWay = 0;

  const changed = (detail: string) => reports?.protectionsChanged(detail);
  /** One after the other: an acquire that is being undone must not meet a release. What need not wait begins at once. */
  const inTurn = <T>(work: (parts: Parts) => Promise<T>, otherwise: T): Promise<T> => {
    const run = async () => (parts === undefined ? otherwise : work(parts));
    const result = underWay === 0 ? run() : queue.then(run, run);
    underWay += 1;
    const done = () => {
      underWay -= 1;
    };
    queue = result.then(done, done);
    return result;
  };
  const lapse = (why: string) => {
    if (wanted.lapsed !== undefined || wanted.mode !== "held") return;
    wanted.lapsed = why;
    log.warn({ why }, "the right to answer has ended");
    reports?.leaseLapsed?.(why);
    changed(`the right to answer has ended: ${why}`);
  };

  /**
   * Whether the right to answer has ended. After a stall the kernel's news that the addresses ran out may come before
   * the first beat: they are then not taken for removed by somebody else, and never put back.
   */
  const hasLapsed = (): boolean => {
    const sinceMs = clock.nowMs() - lifetimeMs;
    if (wanted.mode === "held" && sinceMs > lifetimeLapseMs)
      lapse(`the lifetime of the addresses was not prolonged for ${Math.round(sinceMs)} ms`);
    return wanted.lapsed !== undefined;
  };
  const repairs = makeRepairs({
    node,
    clock,
    log,
    wanted,
    hasLapsed,
    parts: () => parts,
    reports: () => reports,
  });
  const links = makeLinkWatch({ parts: () => parts, noteCarrier: repairs.noteCarrier });

  async function acquireAll(current: Parts): Promise<Outcome> {
    wanted.mode = "acquiring";
    wanted.generation += 1;
    wanted.lapsed = undefined;
    const answers = Promise.all([
      current.lease.arm(),
      ...current.placed.map((address) => current.table.add(address)),
    ]);
    // Behind the addresses, which some of them need, and in one go with them.
    const routed = current.routing?.take();
    const [armed, ...added] = await answers;
    const complaint = added
      .map((one) => (one === undefined ? "ip did not answer" : one.complaint))
      .find(Boolean);
    if (armed !== "blocked" && complaint === undefined) {
      lifetimeMs = clock.nowMs();
      wanted.mode = "held";
      await repairs.taken(current);
      await routed;
      return "confirmed";
    }
    log.error(
      { complaint, lease: armed },
      "the HA addresses could not be taken; those that were are given up",
    );
    return (await removeAll(current)) === "confirmed" ? "refused" : "unknown";
  }

  async function removeAll(current: Parts): Promise<Outcome> {
    wanted.mode = "releasing";
    wanted.generation += 1;
    current.lease.end();
    const leaving = repairs.removeAll(current);
    const unrouted = current.routing?.giveUp();
    const left = await leaving;
    await unrouted;
    wanted.mode = "absent";
    return left === undefined || left.length > 0 ? "unknown" : "confirmed";
  }

  function renewLease(current: Parts): void {
    const { lease, refresher } = current;
    if (!lease.mayDrop || typeof refresher === "string") return;
    const fate = refresher.refresh();
    if (fate === "alive") lease.seenAlive();
    if (fate !== "lapsed" || wanted.mode !== "held") return;
    // No table, or no lease? The kernel is asked; a table that somebody flushed comes back with a lease that lives.
    const { generation } = wanted;
    void lease.check().then((found) => {
      if (found === "restored" || found === "unknown" || wanted.generation !== generation) return;
      if (lease.mayDrop && refresher.refresh() === "lapsed")
        lapse("the kernel lease has lapsed or a claim of the other node has ended it");
    });
  }

  function renewLifetime(current: Parts): void {
    if (hasLapsed() || clock.nowMs() - lifetimeMs < lifetimeRefreshMs) return;
    lifetimeMs = clock.nowMs();
    for (const address of current.placed) void current.table.add(address);
  }

  return {
    async start(given) {
      reports = given;
      const left = await removeEverywhere(node.haAddresses);
      if (left.length > 0) {
        const where = left.map(({ address, interfaceName }) => `${address} on ${interfaceName}`).join(", ");
        throw addressError("ADDRESS_NOT_REMOVED", `the HA address could not be removed: ${where}`);
      }
      const monitorReports = {
        addressAppeared: (found: FoundAddress) => repairs.appeared(found),
        addressGone: (found: FoundAddress) => {
          repairs.gone(found);
          parts?.routing?.hint();
        },
        link: (state: LinkState) => {
          links.changed(state);
          // The kernel takes IPv4 routes away with the carrier of their interface, and says nothing.
          parts?.routing?.hint();
        },
        died: (why: string) => changed(`the kernel's address events are not heard any more: ${why}`),
      };
      parts = await startParts({
        options,
        node,
        clock,
        log,
        monitorReports,
        onChange: changed,
        mayRepair: () => !hasLapsed(),
      });
      if (tokens.length > 0) parts.lease.setClaims(tokens.map(({ token }) => token));
      for (const { name, carrier } of parts.interfaces) repairs.noteInitialCarrier(name, carrier);
      // What changed before the monitor listened.
      await links.check();
      checkTimer = setInterval(() => {
        void links.check();
        void repairs.check();
        void parts?.routing?.check();
      }, checkIntervalMs);
      checkTimer.unref();
    },
    acquire: () => inTurn(acquireAll, "refused"),
    release: () => inTurn(removeAll, "unknown"),
    async holds() {
      const found = await parts?.table.find();
      if (found === undefined || parts === undefined) return "unknown";
      const there = (address: string, interfaceName: string) =>
        found.some((one) => one.address === address && one.interfaceName === interfaceName);
      const all = parts.placed.every(({ address, interfaceName }) => there(address, interfaceName));
      return all ? "held" : "absent";
    },
    async stop() {
      clearInterval(checkTimer);
      await inTurn(removeAll, "unknown");
      const ending = parts;
      parts = undefined;
      if (ending !== undefined) await stopParts(ending);
    },
    describe() {
      const addresses = (parts?.placed ?? node.haAddresses).map(
        ({ address, prefixLength, interfaceName }) =>
          `${address}/${prefixLength}${interfaceName === undefined ? "" : ` on ${interfaceName}`}`,
      );
      const lapsed = wanted.lapsed === undefined ? "" : `, silent: ${wanted.lapsed}`;
      const routing = parts?.routing?.describe() ?? "";
      return `${addresses.join(", ")}: ${parts === undefined ? "not started" : wanted.mode}${lapsed}${routing === "" ? "" : `; ${routing}`}`;
    },
    withdraw: () => withdrawAll(node.haAddresses, leavingUnplaced(options, node)),
    renew() {
      if (parts === undefined || wanted.lapsed !== undefined) return;
      if (wanted.mode !== "held" && wanted.mode !== "acquiring") return;
      renewLease(parts);
      if (wanted.mode === "held") renewLifetime(parts);
    },
    dropLease() {
      if (parts === undefined) return;
      lapse("it was dropped");
      if (parts.lease.inForce) parts.lease.end();
      // Without a lease the addresses themselves are the right to answer.
      else if (wanted.mode === "held") {
        void repairs.removeAll(parts);
        void parts.routing?.giveUp();
      }
    },
    armClaims(given) {
      tokens = given;
      parts?.lease.setClaims(given.map(({ token }) => token));
    },
    protections: () => (parts === undefined ? [] : protectionsOf(parts, wanted, tokens.length)),
  };
}
