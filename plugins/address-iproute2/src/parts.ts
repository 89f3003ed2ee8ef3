/** All that `start` makes: the processes and sockets of this plugin, made in order and ended in reverse. */

import { randomBytes } from "node:crypto";
import type { Clock, Log, NodeIdentity } from "@understudy/core/public";
import { type AddressTable, openAddressTable } from "./address-table.js";
import { type ArpIgnore, setArpIgnore } from "./arp-ignore.js";
import { type Guard, startGuard } from "./guard.js";
import { type Interface, listInterfaces, placeAddress } from "./interfaces.js";
import type { PlacedAddress } from "./ip-commands.js";
import { type KernelLease, startKernelLease } from "./kernel-lease.js";
import { type LeaseRefresher, makeLeaseRefresher } from "./lease-refresher.js";
import { type Monitor, type MonitorReports, startMonitor } from "./monitor.js";
import { tableName } from "./nft-table.js";
import type { Iproute2Options } from "./options.js";

export interface Parts {
  readonly placed: readonly PlacedAddress[];
  /** Those with an HA address. */
  readonly interfaces: readonly Interface[];
  readonly table: AddressTable;
  readonly lease: KernelLease;
  /** Why there is none stands in its place. */
  readonly refresher: LeaseRefresher | string;
  readonly guard: Guard;
  readonly monitor: Monitor;
  readonly arpIgnore: ArpIgnore;
}

export interface PartsOptions {
  readonly options: Iproute2Options;
  readonly node: NodeIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly monitorReports: MonitorReports;
  readonly onChange: (detail: string) => void;
}

export async function startParts(given: PartsOptions): Promise<Parts> {
  const { options, node, log, onChange } = given;
  const all = await listInterfaces();
  const placed = node.haAddresses.map((address) => placeAddress(address, options.interface, all));
  const own = all.filter(({ name }) => placed.some(({ interfaceName }) => interfaceName === name));
  const secret = randomBytes(16);
  const refresher = openRefresher(own, node.heartbeatPort, secret);
  const lease = await startKernelLease({
    plan: {
      name: tableName(node.cluster),
      addresses: placed,
      leaseMs: node.leaseMs,
      heartbeatPort: node.heartbeatPort,
      secret,
    },
    // Nothing could keep alive a lease that cannot be refreshed.
    interfaces: typeof refresher === "string" ? [] : all.filter(({ loopback, port }) => !loopback && !port),
    disabled: disabledBecause(options, refresher),
    clock: given.clock,
    log,
    onChange,
  });
  return {
    placed,
    interfaces: own,
    refresher,
    lease,
    table: openAddressTable(node.haAddresses, (why) => onChange(`the ip co-process is gone: ${why}`)),
    guard: startGuard(placed, lease.inForce ? tableName(node.cluster) : undefined, (why) =>
      onChange(`the guard is gone: ${why}`),
    ),
    monitor: startMonitor(given.monitorReports),
    arpIgnore: arpIgnoreFor(options, own),
  };
}

function disabledBecause(options: Iproute2Options, refresher: LeaseRefresher | string): string | undefined {
  if (!options.kernelLease) return "turned off by `kernelLease: false`";
  return typeof refresher === "string" ? refresher : undefined;
}

function openRefresher(own: readonly Interface[], port: number, secret: Uint8Array): LeaseRefresher | string {
  const odd = own.find(({ mac }) => mac === undefined);
  if (odd !== undefined) return `${odd.name} is no Ethernet`;
  try {
    return makeLeaseRefresher(own, port, secret);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function arpIgnoreFor(options: Iproute2Options, own: readonly Interface[]): ArpIgnore {
  if (options.arpIgnore === "leave") return { complaint: "", restore: () => {} };
  const scopes = options.arpIgnore === "all" ? ["all"] : own.map(({ name }) => name);
  const all = scopes.map(setArpIgnore);
  return {
    complaint: all.map(({ complaint }) => complaint).find((complaint) => complaint !== "") ?? "",
    restore: () => {
      for (const { restore } of all) restore();
    },
  };
}

export async function stopParts(parts: Parts): Promise<void> {
  const { guard, lease, monitor, table, refresher, arpIgnore } = parts;
  await guard.stop();
  await lease.stop();
  monitor.stop();
  table.stop();
  if (typeof refresher !== "string") refresher.close();
  arpIgnore.restore();
}
