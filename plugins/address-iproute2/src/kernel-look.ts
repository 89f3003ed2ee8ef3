/**
 * Asks the kernel without starting anything whether this machine answers for an address: what it routes to itself (IPv4)
 * and what its interfaces have (IPv6). An address on an interface that is down is not answered for, and not seen here.
 */

import { readFileSync } from "node:fs";
import type { HaAddress } from "@understudy/core/public";
import { ipv6Bytes } from "./nft-table.js";

/** Undefined where the kernel does not say. */
export function answersFor(addresses: readonly HaAddress[]): boolean | undefined {
  try {
    const trie = readFileSync("/proc/net/fib_trie", "utf8");
    const v6 = addresses.some(({ family }) => family === 6) ? ipv6Table() : "";
    return addresses.some(({ address, family }) =>
      family === 4 ? isLocal(trie, address) : v6.includes(Buffer.from(ipv6Bytes(address)).toString("hex")),
    );
  } catch {
    return undefined;
  }
}

function isLocal(trie: string, address: string): boolean {
  return new RegExp(`\\|-- ${address.replaceAll(".", "\\.")}\\n(?:\\s+/\\d+ .*\\n)*?\\s+/32 host LOCAL`).test(
    trie,
  );
}

/** One line an address, its 32 digits first; a kernel without IPv6 has no such file, and no such address. */
function ipv6Table(): string {
  try {
    return readFileSync("/proc/net/if_inet6", "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
