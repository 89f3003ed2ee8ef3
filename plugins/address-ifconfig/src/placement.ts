/** Which IP interface each HA address belongs on. Pure. */

import { BlockList } from "node:net";
import type { HaAddress } from "@understudy/core/public";
import type { PlacedAddress } from "./commands.js";
import { ifconfigError } from "./errors.js";
import type { LogicalInterface } from "./listing.js";

/** Named by the address, else by the plugin's option, else the interface whose network contains it. */
export function placeAddress(
  address: HaAddress,
  option: string | undefined,
  listing: readonly LogicalInterface[],
): PlacedAddress {
  const ours = listing.filter(({ family, flags }) => family === address.family && !flags.has("LOOPBACK"));
  const named = address.interfaceName ?? option;
  const chosen =
    named === undefined
      ? ours.find((one) => mayHost(one) && contains(one, address))
      : ours.find(({ physical }) => physical === named);
  if (chosen === undefined) throw noInterface(address, named, ours);
  return { ...address, interfaceName: groupInterface(chosen.physical, ours) };
}

/** The test addresses of IPMP, those in another zone, and an HA address itself say nothing about where one belongs. */
function mayHost({ flags, zone }: LogicalInterface): boolean {
  return !flags.has("NOFAILOVER") && !flags.has("VIRTUAL") && zone === undefined;
}

function contains(own: LogicalInterface, address: HaAddress): boolean {
  if (own.address === address.address || own.prefixLength === 0) return false;
  const network = new BlockList();
  const family = own.family === 4 ? "ipv4" : "ipv6";
  network.addSubnet(own.address, own.prefixLength, family);
  return network.check(address.address, family);
}

/**
 * An address that is brought up on a member of an IPMP group migrates to the group's own interface (ifconfig(8), "IP
 * MULTIPATHING GROUPS"), so that is where it is put at once.
 */
function groupInterface(physical: string, listing: readonly LogicalInterface[]): string {
  const group = listing.find(({ name }) => name === physical)?.group;
  const shared = listing.find((one) => group !== undefined && one.group === group && one.flags.has("IPMP"));
  return shared?.physical ?? physical;
}

/** On its interface, or on the IPMP interface that took it over from there. */
export function belongs(found: LogicalInterface, placed: PlacedAddress): boolean {
  return found.zone === undefined && (found.physical === placed.interfaceName || found.flags.has("IPMP"));
}

function noInterface(address: HaAddress, named: string | undefined, ours: readonly LogicalInterface[]) {
  const there = ours.map(({ name, address: own, prefixLength }) => `${name} (${own}/${prefixLength})`);
  const list = there.join("; ") || `none for IPv${address.family}`;
  const what =
    named === undefined
      ? `no interface has a network that contains ${address.address}; there are: ${list}`
      : `there is no interface ${named} for ${address.address}; there are: ${list}`;
  return ifconfigError("IFCONFIG_NO_INTERFACE", what, { details: { address: address.address } });
}
