/**
 * IP addresses as people write them, turned into one canonical text of either family, and refused when no machine could
 * have them. What cannot be judged without the machine is judged by `understudy doctor`.
 */

import { Address4, Address6 } from "ip-address";

export interface IpText {
  /** Canonical, without prefix: the same address always has the same text. */
  readonly address: string;
  readonly family: 4 | 6;
  readonly prefixLength: number | undefined;
}

export interface IpProblem {
  /** "must be …" */
  readonly problem: string;
}

/** Parses and refuses what no host can have: loopback, multicast, broadcast, unspecified, mapped, scoped. */
export function parseHostAddress(text: string): IpText | IpProblem {
  const match = /^([0-9a-fA-F:.]+(?:%\S+)?)(?:\/(\d{1,3}))?$/.exec(text.trim());
  const bare = match?.[1];
  if (bare === undefined) return { problem: "must be an IPv4 or IPv6 address" };
  const prefixLength = match?.[2] === undefined ? undefined : Number(match[2]);
  return bare.includes(":") ? parse6(bare, prefixLength) : parse4(bare, prefixLength);
}

function parse4(bare: string, prefixLength: number | undefined): IpText | IpProblem {
  if (!Address4.isValid(bare)) return { problem: "must be an IPv4 address of four numbers from 0 to 255" };
  if (prefixLength !== undefined && (prefixLength < 1 || prefixLength > 32)) {
    return { problem: "must have a prefix length from 1 to 32" };
  }
  const ip = new Address4(`${bare}/${prefixLength ?? 32}`);
  if (ip.isLoopback()) return { problem: "must not be a loopback address" };
  if (ip.isMulticast()) return { problem: "must not be a multicast address" };
  if (bare === "255.255.255.255") return { problem: "must not be the broadcast address" };
  if (bare.startsWith("0.")) return { problem: "must be an address that a machine can have" };
  if (Number(bare.split(".")[0]) >= 240) return { problem: "must not be in the reserved range 240.0.0.0/4" };
  if (prefixLength !== undefined && prefixLength <= 30) {
    if (ip.startAddress().correctForm() === ip.correctForm()) {
      return { problem: `must be a host, and this is the address of the network /${prefixLength} itself` };
    }
    if (ip.endAddress().correctForm() === ip.correctForm()) {
      return { problem: `must be a host, and this is the broadcast address of its network /${prefixLength}` };
    }
  }
  return { address: ip.correctForm(), family: 4, prefixLength };
}

function parse6(bare: string, prefixLength: number | undefined): IpText | IpProblem {
  if (bare.includes("%")) {
    return {
      problem: "must have no scope: use an address such as fd00::1, a link-local one differs by machine",
    };
  }
  if (!Address6.isValid(bare)) return { problem: "must be an IPv6 address such as fd00::1" };
  if (prefixLength !== undefined && (prefixLength < 1 || prefixLength > 128)) {
    return { problem: "must have a prefix length from 1 to 128" };
  }
  const ip = new Address6(`${bare}/${prefixLength ?? 128}`);
  if (ip.isLoopback()) return { problem: "must not be a loopback address" };
  if (ip.isMulticast()) return { problem: "must not be a multicast address" };
  if (ip.isUnspecified()) return { problem: "must be an address that a machine can have" };
  if (ip.isMapped4() || ip.is4()) return { problem: "must be written as an IPv4 address" };
  if (ip.isLinkLocal()) return { problem: "must not be link-local: use an address such as fd00::1" };
  if (
    prefixLength !== undefined &&
    prefixLength < 127 &&
    ip.startAddress().correctForm() === ip.correctForm()
  ) {
    return { problem: `must be a host, and this is the address of the network /${prefixLength} itself` };
  }
  return { address: ip.correctForm(), family: 6, prefixLength };
}
