/**
 * Which interfaces the HA addresses belong on: the named one, or the one whose network contains the address. The kernel
 * hides the addresses of an interface without carrier from this list, so what was found once is remembered.
 */

import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import type { HaAddress } from "../plugin/tokens.js";

export interface HaInterfaces {
  /** True also while the interface of some HA address is not known: better one report too many. */
  has(interfaceName: string): boolean;
}

type Interfaces = ReturnType<typeof networkInterfaces>;

/** Listing the interfaces costs the kernel some work, and reports come in hundreds. */
const lookEveryMs = 1000;

export function createHaInterfaces(
  addresses: readonly HaAddress[],
  read: () => Interfaces = networkInterfaces,
): HaInterfaces {
  const found = new Map<string, string>();
  let lookedMs = -Infinity;
  function look(): void {
    if (found.size === addresses.length || performance.now() - lookedMs < lookEveryMs) return;
    lookedMs = performance.now();
    const unknown = addresses.filter(({ address }) => !found.has(address));
    const interfaces = read();
    const own = new Set(addresses.map(({ address }) => address));
    for (const { address, interfaceName } of unknown) {
      const name = interfaceName ?? interfaceOf(address, own, interfaces);
      if (name !== undefined) found.set(address, name);
    }
  }
  look();
  return {
    has(interfaceName) {
      look();
      if (found.size < addresses.length) return interfaceName !== "lo";
      for (const name of found.values()) if (name === interfaceName) return true;
      return false;
    },
  };
}

function interfaceOf(
  address: string,
  haAddresses: ReadonlySet<string>,
  interfaces: Interfaces,
): string | undefined {
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  for (const [name, entries] of Object.entries(interfaces)) {
    for (const entry of entries ?? []) {
      const prefix = Number(entry.cidr?.split("/")[1]);
      if (entry.family.toLowerCase() !== family || haAddresses.has(entry.address) || Number.isNaN(prefix))
        continue;
      const network = new BlockList();
      network.addSubnet(entry.address, prefix, family);
      if (network.check(address, family)) return name;
    }
  }
  return undefined;
}
