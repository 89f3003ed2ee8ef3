/** A target as it is written: an address to ping, or an address and a TCP port; and its bytes for the kernel. Pure. */

import { isIPv4, isIPv6 } from "node:net";

export interface Target {
  /** As written. */
  readonly text: string;
  readonly family: 4 | 6;
  /** Without scope. */
  readonly address: string;
  /** Of a link-local address: the interface. */
  readonly scope: string | undefined;
  /** Absent: an ICMP echo. */
  readonly port: number | undefined;
}

/** The mistake, as a phrase, where it is none. */
export function parseTarget(text: string): Target | string {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  const dotted = /^([0-9.]+)(?::(\d+))?$/.exec(text);
  const [host, portText] = bracketed?.slice(1) ?? dotted?.slice(1) ?? [text];
  const [address = "", scope] = (host ?? "").split("%");
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65_535)) return `${port} is no port`;
  if (isIPv4(address) && scope === undefined) return { text, family: 4, address, scope, port };
  if (!isIPv6(address)) return "must be an IPv4 or IPv6 address, or address:port ([address]:port for IPv6)";
  if (/^fe[89ab]/i.test(address) && scope === undefined)
    return "is link-local, and needs the interface: fe80::1%eth0";
  return { text, family: 6, address, scope, port };
}

/** 4 or 16 bytes. */
export function addressBytes({ family, address }: Target): Uint8Array {
  if (family === 4) return Uint8Array.from(address.split("."), Number);
  // An IPv4 tail, as in ::ffff:10.0.0.1, is two groups.
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [before = "", after] = text.split("::");
  const groups = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const head = groups(before);
  const tail = groups(after ?? "");
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length;
  const bytes = new Uint8Array(16);
  for (const [at, group] of [...head, ...Array<number>(zeros).fill(0), ...tail].entries()) {
    bytes[at * 2] = group >> 8;
    bytes[at * 2 + 1] = group & 0xff;
  }
  return bytes;
}
