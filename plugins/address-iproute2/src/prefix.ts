/** Networks as text: "10.5.0.0/16", one spelling for each, so that what was written and what the kernel says can be compared. */

import { isIP, SocketAddress } from "node:net";
import { ipv6Bytes } from "./nft-table.js";

export interface Prefix {
  readonly family: 4 | 6;
  /** With its length, also for a single address. */
  readonly text: string;
  /** Bits beyond the length are set: not a network but an address in it. */
  readonly hasHostBits: boolean;
}

/** Undefined when it is no address and no network. A single address has all its bits. */
export function parsePrefix(written: string): Prefix | undefined {
  const [address = "", length, ...more] = written.split("/");
  const family = isIP(address);
  if (family === 0 || address.includes("%") || more.length > 0) return undefined;
  const most = family === 4 ? 32 : 128;
  const bits = length === undefined ? most : Number(length);
  if (!/^\d{1,3}$/.test(length ?? "0") || bits > most) return undefined;
  const bytes =
    family === 4 ? Uint8Array.from(address.split(".").map(Number)) : ipv6Bytes(canonical(address));
  const masked = bytes.map((byte, at) => byte & (0xff << Math.max(0, 8 - Math.max(0, bits - at * 8))));
  return {
    family: family === 4 ? 4 : 6,
    text: `${family === 4 ? masked.join(".") : textOf(masked)}/${bits}`,
    hasHostBits: masked.some((byte, at) => byte !== bytes[at]),
  };
}

export function everything(family: 4 | 6): string {
  return family === 4 ? "0.0.0.0/0" : "::/0";
}

/** The one spelling of an address, which the kernel's tools print too. */
export function canonical(address: string): string {
  return isIP(address) === 6 ? new SocketAddress({ address, family: "ipv6" }).address : address;
}

function textOf(bytes: Uint8Array): string {
  return canonical((Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? []).join(":"));
}
