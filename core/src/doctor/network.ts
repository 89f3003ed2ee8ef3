/** Whether this machine has the addresses and networks that the config speaks of, and where the HA address would go. */

import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { Address4, Address6 } from "ip-address";
import type { LocalConfig } from "../config/config.js";
import { parseHostAddress } from "../config/ip-text.js";
import type { HaAddress } from "../plugin/tokens.js";
import { type Finding, finding } from "./finding.js";

export interface LocalAddress {
  readonly interfaceName: string;
  /** Canonical. */
  readonly address: string;
  readonly prefixLength: number;
}

export function localAddresses(): readonly LocalAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, list]) =>
    (list ?? []).flatMap(({ cidr }) => {
      const parsed = cidr === null ? undefined : parseHostAddress(cidr);
      if (parsed === undefined || !("address" in parsed)) return [];
      return [{ interfaceName, address: parsed.address, prefixLength: parsed.prefixLength ?? 128 }];
    }),
  );
}

export function checkNetwork(local: LocalConfig, own = localAddresses()): readonly Finding[] {
  return [
    ...local.self.addresses.map((address) => checkNodeAddress(address, own)),
    ...local.config.haAddresses.flatMap((ha) => checkHaAddress(ha, own)),
  ];
}

function checkNodeAddress(address: string, own: readonly LocalAddress[]): Finding {
  const at = own.find((one) => one.address === address);
  if (at !== undefined) return finding("network", "ok", `${address} is on ${at.interfaceName}`);
  const todo = "Give the machine this address, or correct `nodes` in the config.";
  return finding(
    "network",
    "fail",
    `${address}, an address of this node, is on none of its interfaces`,
    todo,
  );
}

function checkHaAddress(ha: HaAddress, own: readonly LocalAddress[]): readonly Finding[] {
  const found: Finding[] = [];
  const named = ha.interfaceName;
  const place =
    named === undefined
      ? own.find((one) => one.address !== ha.address && sameNetwork(one, ha))?.interfaceName
      : [named].find((name) => existsSync(`/sys/class/net/${name}`));
  if (place === undefined) {
    const what =
      named === undefined
        ? `no interface is in the network of the HA address ${ha.address}/${ha.prefixLength}`
        : `there is no interface ${named}, on which the HA address ${ha.address} belongs`;
    return [
      finding(
        "network",
        "fail",
        what,
        "Correct haAddress, or name the interface: { address: …, interface: … }.",
      ),
    ];
  }
  found.push(finding("network", "ok", `the HA address ${ha.address} goes on ${place}`));
  if (ha.family === 4 && process.platform === "linux") found.push(checkArpIgnore(place));
  return found;
}

/** Whether an address of this machine is in the network of the HA address. */
function sameNetwork({ address }: LocalAddress, ha: HaAddress): boolean {
  if (address.includes(":") !== (ha.family === 6)) return false;
  return ha.family === 6
    ? new Address6(address).isInSubnet(new Address6(`${ha.address}/${ha.prefixLength}`))
    : new Address4(address).isInSubnet(new Address4(`${ha.address}/${ha.prefixLength}`));
}

/** R1: Linux answers ARP for any of its addresses on every interface unless told not to. */
function checkArpIgnore(interfaceName: string): Finding {
  const values = ["all", interfaceName].map((name) => {
    try {
      return Number(readFileSync(`/proc/sys/net/ipv4/conf/${name}/arp_ignore`, "utf8"));
    } catch {
      return 0;
    }
  });
  // The kernel goes by the larger of the two.
  const value = Math.max(...values);
  return value >= 1
    ? finding("network", "ok", `arp_ignore is ${value} on ${interfaceName}`)
    : finding("network", "note", `arp_ignore is 0 on ${interfaceName}; understudy sets it while it runs`);
}
