/** All that `start` makes: the processes and sockets of this plugin, made in order and ended in reverse. */

import { randomBytes } from "node:crypto";
import type { Clock, Guard, Log, NodeIdentity } from "@understudy/core/public";
import { type AddressTable, openAddressTable } from "./address-table.js";
import { type ArpIgnore, setArpIgnore } from "./arp-ignore.js";
import { addressError } from "./errors.js";
import { guardAddresses } from "./guard.js";
import { type Interface, listInterfaces, placeAddress } from "./interfaces.js";
import type { PlacedAddress } from "./ip-commands.js";
import { type KernelLease, startKernelLease } from "./kernel-lease.js";
import { labelComplaint, labelFor } from "./label.js";
import { type LeaseRefresher, makeLeaseRefresher } from "./lease-refresher.js";
import { removeLeftovers } from "./leftovers.js";
import { type Monitor, type MonitorReports, startMonitor } from "./monitor.js";
import { tableName } from "./nft-table.js";
import type { Iproute2Options } from "./options.js";
import { deletions } from "./route-commands.js";
import { startRouteMonitor } from "./route-monitor.js";
import { planRoutes, type RoutePlan, sourceRoutes } from "./route-plan.js";
import { type Routing, startRouting } from "./routing.js";

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
  /** Undefined where nothing but addresses moves. */
  readonly routing: Routing | undefined;
  readonly routeMonitor: { stop(): void } | undefined;
}

export interface PartsOptions {
  readonly options: Iproute2Options;
  readonly node: NodeIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly monitorReports: MonitorReports;
  readonly onChange: (detail: string) => void;
  readonly mayRepair: () => boolean;
}

export async function startParts(given: PartsOptions): Promise<Parts> {
  const { options, node, log, onChange } = given;
  const all = await listInterfaces();
  const placed = node.haAddresses.map((address) =>
    withLabel(placeAddress(address, options.interface, all), options.label),
  );
  const plan = planRoutes(options, placed);
  const leaving = leavingWith(plan);
  await removeLeftovers(node.haAddresses, leaving);
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
  const table = openAddressTable(node.haAddresses, (why) => onChange(`the ip co-process is gone: ${why}`));
  const routing = await openRouting(plan, table, given);
  const guard = guardAddresses(
    {
      addresses: placed,
      cluster: node.cluster,
      ...deletions(leaving.routes, leaving.rules),
      tableName: lease.inForce ? tableName(node.cluster) : undefined,
    },
    (why) => onChange(`the guard is gone: ${why}`),
  );
  await guard.ready;
  return {
    placed,
    interfaces: own,
    refresher,
    lease,
    table,
    guard,
    monitor: startMonitor(given.monitorReports),
    arpIgnore: arpIgnoreFor(options, own),
    routing,
    routeMonitor: routing && startRouteMonitor(routing.hint),
  };
}

function withLabel(address: PlacedAddress, label: string | undefined): PlacedAddress {
  if (label === undefined || address.family === 6) return address;
  const complaint = labelComplaint(label, address.interfaceName);
  if (complaint !== undefined) throw addressError("ADDRESS_LABEL_IMPOSSIBLE", `\`label\` ${complaint}`);
  return { ...address, label: labelFor(label, address.interfaceName) };
}

/** What has to go when the addresses go, whatever the default gateway was. */
export function leavingWith({ routes, rules, sources }: RoutePlan) {
  return { routes: [...routes, ...sources.flatMap((source) => sourceRoutes(source, undefined))], rules };
}

/** For `withdraw`, which knows no interfaces: none is needed to delete. */
export function leavingUnplaced(options: Iproute2Options, node: NodeIdentity) {
  try {
    const placed = node.haAddresses.map((one) => ({
      ...one,
      interfaceName: one.interfaceName ?? "",
      routeExists: false,
    }));
    return leavingWith(planRoutes(options, placed));
  } catch {
    // Options with which no instance starts either.
    return { routes: [], rules: [] };
  }
}

async function openRouting(
  plan: RoutePlan,
  table: AddressTable,
  { log, mayRepair, onChange }: PartsOptions,
): Promise<Routing | undefined> {
  if (plan.routes.length + plan.rules.length + plan.sources.length === 0) return undefined;
  const routing = startRouting({
    plan,
    ask: table.ask,
    log,
    mayRepair,
    onDeath: (why) => onChange(`the ip co-process for IPv6 rules is gone: ${why}`),
  });
  await routing.start();
  return routing;
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
  const { guard, lease, monitor, table, refresher, arpIgnore, routing, routeMonitor } = parts;
  await guard.stop();
  await lease.stop();
  monitor.stop();
  routeMonitor?.stop();
  routing?.stop();
  table.stop();
  if (typeof refresher !== "string") refresher.close();
  arpIgnore.restore();
}
