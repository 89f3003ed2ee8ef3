/**
 * The machine's interfaces and addresses as `ip -json` tells them once, at start, and which interface each HA address
 * belongs on. Finding is spawned; choosing is pure.
 */

import { execFile } from "node:child_process";
import { BlockList } from "node:net";
import type { HaAddress } from "@understudy/core/public";
import { addressError } from "./errors.js";
import type { PlacedAddress } from "./ip-commands.js";

export interface InterfaceAddress {
  readonly family: 4 | 6;
  readonly address: string;
  readonly prefixLength: number;
}

export interface Interface {
  readonly name: string;
  readonly index: number;
  /** Six bytes with colons; undefined where the link has no such address. */
  readonly mac: string | undefined;
  readonly loopback: boolean;
  readonly carrier: boolean;
  /** Port of a bridge, bond or team: its frames are seen again on the master, which owns the addresses. */
  readonly port: boolean;
  readonly addresses: readonly InterfaceAddress[];
}

interface IpJson {
  readonly ifname?: string;
  readonly ifindex?: number;
  readonly address?: string;
  readonly link_type?: string;
  readonly flags?: readonly string[];
  readonly linkinfo?: { readonly info_slave_kind?: string };
  readonly addr_info?: readonly {
    readonly family: string;
    readonly local?: string;
    readonly prefixlen: number;
  }[];
}

const commandDeadlineMs = 5000;

/** Runs `ip` once. Only at start and in `withdraw`; never while the pair decides. */
export function runIp(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("ip", args, { timeout: commandDeadlineMs, maxBuffer: 16 * 1024 * 1024 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (error.code === "ENOENT")
        reject(addressError("ADDRESS_NO_IP_COMMAND", "the command `ip` was not found", { cause: error }));
      else reject(error);
    });
  });
}

export async function listInterfaces(): Promise<readonly Interface[]> {
  const found = JSON.parse(await runIp(["-details", "-json", "addr", "show"])) as readonly IpJson[];
  return found.flatMap(({ ifname, ifindex, address, link_type, flags, linkinfo, addr_info }) => {
    if (ifname === undefined || ifindex === undefined) return [];
    const slave = linkinfo?.info_slave_kind;
    return [
      {
        name: ifname,
        index: ifindex,
        mac: link_type === "ether" ? address : undefined,
        loopback: flags?.includes("LOOPBACK") ?? false,
        carrier: (flags?.includes("UP") && flags.includes("LOWER_UP")) ?? false,
        // The ports of a VRF are interfaces of their own right.
        port: slave !== undefined && slave !== "vrf",
        addresses: (addr_info ?? []).flatMap((info) =>
          info.local === undefined
            ? []
            : [
                {
                  family: info.family === "inet6" ? (6 as const) : (4 as const),
                  address: info.local,
                  prefixLength: info.prefixlen,
                },
              ],
        ),
      },
    ];
  });
}

function sameNetwork(own: InterfaceAddress, address: HaAddress): boolean {
  if (own.family !== address.family) return false;
  const network = new BlockList();
  const family = own.family === 4 ? "ipv4" : "ipv6";
  network.addSubnet(own.address, own.prefixLength, family);
  return network.check(address.address, family);
}

/**
 * An IPv4 address with the length of its network belongs to the first address of that network on the interface, and is
 * removed with it; taken before the node's own, for instance after the network was restarted, it would be that first one
 * and take the node's address along when it goes. With 32 bits it stands alone, wherever the route exists without it.
 */
function lengthToTake({ family, prefixLength }: HaAddress, routeExists: boolean): number {
  return family === 4 && routeExists ? 32 : prefixLength;
}

/** Named by the address, else by the plugin's option, else the interface whose network contains it. */
export function placeAddress(
  address: HaAddress,
  option: string | undefined,
  interfaces: readonly Interface[],
): PlacedAddress {
  const candidates = interfaces.filter(({ loopback, port }) => !loopback && !port);
  const contains = (candidate: Interface) =>
    candidate.addresses.some((own) => own.address !== address.address && sameNetwork(own, address));
  const named = address.interfaceName ?? option;
  const chosen =
    named === undefined ? candidates.find(contains) : interfaces.find(({ name }) => name === named);
  if (chosen === undefined) {
    const there = candidates.map(
      ({ name, addresses }) =>
        `${name} (${addresses.map((own) => `${own.address}/${own.prefixLength}`).join(", ") || "no address"})`,
    );
    const what =
      named === undefined
        ? `no interface has a network that contains ${address.address}; there are: ${there.join("; ")}`
        : `there is no interface ${named} for ${address.address}; there are: ${there.join("; ")}`;
    throw addressError("ADDRESS_NO_INTERFACE", what, { details: { address: address.address } });
  }
  const routeExists = contains(chosen);
  const prefixLength = lengthToTake(address, routeExists);
  return { ...address, prefixLength, interfaceName: chosen.name, routeExists };
}
