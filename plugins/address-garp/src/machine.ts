/**
 * What this machine says of itself without spawning anything: its interfaces and addresses, its default gateways and
 * whom its kernel knows already. Each is one or two reads from the kernel.
 */

import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

export interface OwnAddress {
  readonly interfaceName: string;
  readonly address: string;
  /** "10.0.0.2/24" */
  readonly cidr: string;
  readonly mac: string;
  readonly internal: boolean;
}

export function ownAddresses(): readonly OwnAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, infos]) =>
    (infos ?? []).map(({ address, cidr, netmask, mac, internal }) => ({
      interfaceName,
      address,
      cidr: cidr ?? `${address}/${netmask}`,
      mac,
      internal,
    })),
  );
}

/** Default gateways reached through an interface. */
export function gateways(interfaceName: string): readonly string[] {
  return [...ipv4Gateways(interfaceName), ...ipv6Gateways(interfaceName)];
}

function ipv4Gateways(wanted: string): readonly string[] {
  return rows("/proc/net/route").flatMap(([name, destination, gateway = ""]) => {
    if (name !== wanted || destination !== "00000000" || gateway === "00000000") return [];
    // The kernel prints a number in the byte order of the machine; on all we run on the last byte comes first.
    const bytes = Buffer.from(gateway, "hex").reverse();
    return bytes.length === 4 ? [bytes.join(".")] : [];
  });
}

function ipv6Gateways(wanted: string): readonly string[] {
  return rows("/proc/net/ipv6_route").flatMap((row) => {
    const [destination, length, , , gateway = ""] = row;
    const isDefault = destination === "0".repeat(32) && length === "00" && row.at(-1) === wanted;
    return isDefault && /[^0]/.test(gateway) ? [gateway.replace(/(.{4})(?=.)/g, "$1:")] : [];
  });
}

/** Address and MAC of every machine that the kernel has resolved by ARP on an interface. */
export function knownNeighbours(
  wanted: string,
): readonly { readonly address: string; readonly mac: string }[] {
  return rows("/proc/net/arp").flatMap(([address = "", , flags, mac = "", , name]) =>
    name === wanted && flags !== "0x0" && mac !== "00:00:00:00:00:00" ? [{ address, mac }] : [],
  );
}

function rows(path: string): readonly (readonly string[])[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/));
  } catch {
    // A kernel without IPv6, or without /proc: there is nothing to learn from it.
    return [];
  }
}
