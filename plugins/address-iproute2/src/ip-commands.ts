/** What is said to `ip` about HA addresses, and what its answers mean. Pure text in, pure text out. */

import type { HaAddress } from "@understudy/core/public";

/** An HA address and the interface it was decided to belong on. */
export interface PlacedAddress extends HaAddress {
  readonly interfaceName: string;
  /** Another address of the interface already brings the route of its network. */
  readonly routeExists: boolean;
  /** IPv4 only. */
  readonly label?: string;
}

/** The backstop of rule R4: whole seconds only, the kernel removes the address at most 2.4 s after the last refresh. */
export const validLifetimeSeconds = 2;
export const lifetimeRefreshMs = 500;

const hostLength = (family: 4 | 6) => (family === 4 ? 32 : 128);

/**
 * Adds or prolongs. A preferred lifetime of 0 keeps the kernel from choosing it as the source of our own traffic (rule
 * R1). For IPv6 the route of the network must not get the lifetime of this address, hence `noprefixroute`.
 */
export function addCommand(address: PlacedAddress): string {
  const { address: text, prefixLength, interfaceName, family, routeExists, label } = address;
  const v6 = family === 6 ? ` nodad${routeExists ? " noprefixroute" : ""}` : "";
  return `addr replace ${text}/${prefixLength} dev ${interfaceName} valid_lft ${validLifetimeSeconds} preferred_lft 0${family === 4 && label !== undefined ? ` label ${label}` : ""}${v6}`;
}

/** Enough to remove an address. */
export type Removable = Pick<FoundAddress, "address" | "prefixLength" | "interfaceName">;

export function deleteCommand(found: Removable): string {
  return `addr del ${found.address}/${found.prefixLength} dev ${found.interfaceName}`;
}

export function showCommand(address: HaAddress): string {
  return `addr show to ${address.address}/${hostLength(address.family)}`;
}

export interface FoundAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
}

const addressLine = /^(?:Deleted )?(\d+): (\S+)\s+inet6? ([0-9a-f.:]+)(?: peer [0-9a-f.:]+)?(?:\/(\d+))? /;

/** One line of `ip -o addr show` or `ip -o monitor address`; undefined when it is about something else. */
export function parseAddressLine(line: string): FoundAddress | undefined {
  const match = addressLine.exec(line);
  const [, index, interfaceName, address, prefixLength] = match ?? [];
  if (index === undefined || interfaceName === undefined || address === undefined) return undefined;
  return {
    address,
    prefixLength: Number(prefixLength ?? (address.includes(":") ? 128 : 32)),
    // A VLAN is shown as eth0.5@eth0 in some versions.
    interfaceName: interfaceName.split("@")[0] ?? interfaceName,
    interfaceIndex: Number(index),
  };
}

export interface LinkState {
  readonly index: number;
  readonly name: string;
  readonly carrier: boolean;
  readonly loopback: boolean;
  /** Port of a bridge or bond: its frames are seen again on the master. */
  readonly port: boolean;
  readonly gone: boolean;
}

const linkLine = /^(Deleted )?(\d+): ([^\s:@]+)(?:@\S+)?: <([^>]*)>/;

/** One line of `ip -o monitor link` or `ip -o link show`. */
export function parseLinkLine(line: string): LinkState | undefined {
  const match = linkLine.exec(line);
  const [, deleted, index, name, flagText] = match ?? [];
  if (index === undefined || name === undefined || flagText === undefined) return undefined;
  const flags = new Set(flagText.split(","));
  return {
    index: Number(index),
    name,
    carrier: deleted === undefined && flags.has("UP") && flags.has("LOWER_UP"),
    loopback: flags.has("LOOPBACK"),
    port: / master \S+/.test(line),
    gone: deleted !== undefined,
  };
}

/** Every line that is no listing is a complaint of `ip`. */
export function complaints(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => parseAddressLine(line) === undefined && !/^\d+: /.test(line));
}
