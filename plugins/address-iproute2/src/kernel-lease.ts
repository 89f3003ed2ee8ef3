/**
 * Keeps the kernel lease (rules R1 to R5) through one `nft -i` that was started once: arms it, ends it, tells it the
 * claim tokens, and sees that the table stands. Refreshing it is `lease-refresher.ts`.
 */

import { execFile } from "node:child_process";
import type { Clock, Log } from "@understudy/core/public";
import { type CoProcess, type Reply, startCoProcess } from "./co-process.js";
import {
  armLease,
  createTable,
  endLease,
  hookInterface,
  replaceClaims,
  structureOf,
  type TablePlan,
} from "./nft-table.js";

export interface KernelLease {
  readonly inForce: boolean;
  /** A table of ours may be in the kernel and drop, so refreshes must go on, whether or not we can still reach it. */
  readonly mayDrop: boolean;
  /** How it is in force, or why not. */
  readonly detail: string;
  /**
   * Makes the lease live for `leaseMs` from now. `absent`: there is no lease, so nothing keeps the address from
   * answering. `blocked`: the kernel may still drop all for the address, and nobody can make it stop.
   */
  arm(): Promise<"armed" | "absent" | "blocked">;
  /** Ends it now. Returns before the kernel has done so, 1 to 2 ms later. */
  end(): void;
  /** The kernel swallowed a refresh: the lease was alive then. */
  seenAlive(): void;
  setClaims(tokens: readonly Uint8Array[]): void;
  /** Asks the kernel whether the table stands, and restores it when not. */
  check(): Promise<Checked>;
  interfaceAppeared(link: { readonly index: number; readonly name: string }): void;
  interfaceGone(index: number): void;
  /** Removes the table. */
  stop(): Promise<void>;
}

/** `unknown`: nft did not answer in time, so nothing is concluded. `broken`: there is no lease and it cannot be made. */
export type Checked = "intact" | "restored" | "broken" | "unknown";

export interface KernelLeaseOptions {
  readonly plan: Omit<TablePlan, "fib">;
  readonly interfaces: readonly { readonly index: number; readonly name: string }[];
  /** Why there shall be none. */
  readonly disabled?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: (detail: string) => void;
}

interface Installed {
  readonly plan: TablePlan;
  readonly structure: ReadonlyMap<string, string>;
}

const succeeded = (reply: Reply): reply is readonly string[] =>
  reply !== undefined && !reply.some((line) => line.includes("Error:"));
const whyNot = (reply: Reply): string =>
  reply === undefined ? "nft did not answer in time" : (reply.find((line) => line.includes("Error:")) ?? "");

/** Never throws: without nftables it is simply not in force, and says why. */
export async function startKernelLease(options: KernelLeaseOptions): Promise<KernelLease> {
  const { clock, log, onChange } = options;
  if (options.disabled !== undefined) {
    await removeLeftover(options.plan.name);
    return noLease(options.disabled);
  }
  const devices = new Map(options.interfaces.map((device) => [device.index, device]));
  const needed = new Set(options.plan.addresses.map(({ interfaceName }) => interfaceName));
  let installed: Installed | undefined;
  let reason = "not started";
  let tokens: readonly Uint8Array[] = [];
  let armed = false;
  let aliveMs = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let tableMayBe = false;
  const nft: CoProcess = startCoProcess({ command: "nft -i", onDeath: (why) => fail(`nft is gone: ${why}`) });

  function fail(why: string): void {
    if (stopped) return;
    const changed = installed !== undefined || reason !== why;
    installed = undefined;
    reason = why;
    if (!changed) return;
    log.warn({ why }, "the kernel lease is not in force");
    onChange(`kernel lease not in force: ${why}`);
  }

  async function install(): Promise<boolean> {
    const live = armed && clock.nowMs() - aliveMs < options.plan.leaseMs;
    let reply: Reply;
    for (const fib of [true, false]) {
      const plan = { ...options.plan, fib };
      reply = await nft.run(createTable(plan, tokens, live));
      if (succeeded(reply)) {
        tableMayBe = true;
        return hookAll(plan);
      }
    }
    // What was not answered in time may be carried out yet.
    if (reply === undefined && nft.alive) tableMayBe = true;
    fail(whyNot(reply));
    return false;
  }

  async function hookAll(plan: TablePlan): Promise<boolean> {
    for (const device of devices.values()) {
      const reply = await nft.run(hookInterface(plan.name, device));
      if (succeeded(reply)) continue;
      log.warn({ interface: device.name, why: whyNot(reply) }, "no kernel lease on an interface");
      if (!needed.has(device.name)) continue;
      if (succeeded(await nft.run(`delete table netdev ${plan.name}`))) tableMayBe = false;
      fail(`${device.name}: ${whyNot(reply)} (the egress hook needs Linux 5.16)`);
      return false;
    }
    return remember(plan);
  }

  async function remember(plan: TablePlan): Promise<boolean> {
    const listing = await nft.run(`list table netdev ${plan.name}`);
    if (listing !== undefined && !succeeded(listing)) {
      fail(whyNot(listing));
      return false;
    }
    // Not answered in time: it was installed all the same, and what is known of it is compared from now on.
    const structure = listing === undefined ? (installed?.structure ?? new Map()) : structureOf(listing);
    installed = { plan, structure };
    return true;
  }

  async function hookLater(device: { readonly index: number; readonly name: string }): Promise<void> {
    if (installed === undefined) return;
    const reply = await nft.run(hookInterface(installed.plan.name, device));
    if (!succeeded(reply))
      log.warn({ interface: device.name, why: whyNot(reply) }, "no kernel lease on a new interface");
    if (installed !== undefined) await remember(installed.plan);
  }

  let checking: Promise<Checked> | undefined;
  async function checkNow(): Promise<Checked> {
    const expected = installed;
    const listing = await nft.run(`list table netdev ${options.plan.name}`);
    if (listing === undefined) return nft.alive ? "unknown" : "broken";
    if (expected !== undefined && expected === installed && same(expected.structure, structureOf(listing)))
      return "intact";
    // A new interface was hooked meanwhile: the next check compares with what is known then.
    if (expected !== installed && installed !== undefined) return "intact";
    const why = expected === undefined ? "it can be made again" : "somebody changed or flushed it";
    if (!(await install())) return "broken";
    log.warn({ why }, "the nftables table of the kernel lease was restored");
    onChange(`kernel lease restored: ${why}`);
    return "restored";
  }

  function check(): Promise<Checked> {
    if (stopped || !nft.alive) return Promise.resolve("broken");
    checking ??= checkNow().finally(() => {
      checking = undefined;
    });
    return checking;
  }

  await install();
  return {
    get inForce() {
      return installed !== undefined;
    },
    get mayDrop() {
      return tableMayBe;
    },
    get detail() {
      const { leaseMs, name } = options.plan;
      if (installed === undefined) return reason;
      return `${leaseMs} ms, table netdev ${name} on ${[...devices.values()].map((device) => device.name).join(", ")}`;
    },
    async arm() {
      armed = true;
      if (installed !== undefined && succeeded(await nft.run(armLease(installed.plan)))) {
        aliveMs = clock.nowMs();
        return "armed";
      }
      // Somebody flushed the table, or it could not be made before: a new one comes with a lease that is alive.
      aliveMs = clock.nowMs();
      if (nft.alive && (await install())) return "armed";
      return tableMayBe ? "blocked" : "absent";
    },
    end() {
      armed = false;
      if (tableMayBe) void nft.run(endLease(options.plan));
    },
    seenAlive() {
      aliveMs = clock.nowMs();
    },
    setClaims(wanted) {
      tokens = wanted;
      if (installed === undefined) return;
      void nft.run(replaceClaims(installed.plan, tokens)).then((reply) => {
        if (!succeeded(reply) && tokens === wanted && !stopped) void check();
      });
    },
    check,
    interfaceAppeared(device) {
      if (devices.get(device.index)?.name === device.name) return;
      devices.set(device.index, device);
      void hookLater(device);
    },
    interfaceGone(index) {
      if (!devices.delete(index) || installed === undefined) return;
      const { plan } = installed;
      void nft.run(`delete chain netdev ${plan.name} in_${index}`);
      void nft.run(`delete chain netdev ${plan.name} out_${index}`).then(() => remember(plan));
    },
    async stop() {
      stopped = true;
      tableMayBe = false;
      if (nft.alive) await nft.run(`delete table netdev ${options.plan.name}`);
      installed = undefined;
      reason = "stopped";
      nft.stop();
    },
  };
}

/** What was installed is there unchanged; what others added to it does not take anything away. */
function same(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): boolean {
  return [...expected].every(([name, text]) => found.get(name) === text);
}

/** A killed run with a lease leaves its table, which would silence a run without one. */
function removeLeftover(name: string): Promise<void> {
  return new Promise((resolve) => {
    // It fails where there is no such table, or no nft: both are as wanted.
    execFile("nft", ["delete", "table", "netdev", name], { timeout: 5000 }, () => resolve());
  });
}

function noLease(detail: string): KernelLease {
  return {
    inForce: false,
    mayDrop: false,
    detail,
    arm: () => Promise.resolve("absent"),
    end: () => {},
    seenAlive: () => {},
    setClaims: () => {},
    check: () => Promise.resolve("broken"),
    interfaceAppeared: () => {},
    interfaceGone: () => {},
    stop: () => Promise.resolve(),
  };
}
