/**
 * The text of the nftables table that is the kernel lease (rules R1, R2, R5). Pure: what the rules are, not who loads
 * them. Every statement is one line, because the co-process takes one line as one transaction.
 *
 * One lease a node, and not one a source address: a claim frame must end it whatever interface it comes in on, and no
 * address of ours may matter. nft wants a key that comes from the packet, so the key is `meta protocol & 0`, which is 0
 * in every packet. Refreshes count only on the way out of an interface with an HA address.
 */

import { createHash } from "node:crypto";
import type { PlacedAddress } from "./ip-commands.js";

export interface TablePlan {
  readonly name: string;
  readonly addresses: readonly PlacedAddress[];
  readonly leaseMs: number;
  readonly heartbeatPort: number;
  /** 16 bytes in every refresh frame of this start, so that no other program can prolong the lease. */
  readonly secret: Uint8Array;
  /** Whether the kernel can tell an address of this machine from one that it only forwards for. */
  readonly fib: boolean;
}

/** The 8 bytes of the UDP header and 16 of the beat come before the token: see heartbeat/beat.ts. */
const tokenOffsetBits = (8 + 16) * 8;
const payloadOffsetBits = 8 * 8;
const targetOffsetBits = 8 * 8;

const key = "meta protocol & 0";
const alive = `${key} @lease`;

/** nft names are letters, digits and underscores; the digest keeps two clusters apart that differ in other letters. */
export function tableName(cluster: string): string {
  const readable = cluster.replace(/[^A-Za-z0-9]/g, "_").slice(0, 32);
  return `understudy_${readable}_${createHash("sha256").update(cluster).digest("hex").slice(0, 6)}`;
}

export function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString("hex")}`;
}

/** An IPv6 address as the 16 bytes that stand in a neighbour solicitation. */
export function ipv6Bytes(address: string): Uint8Array {
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const all = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/**
 * What leaves: a refresh prolongs a lease that is alive and goes no further than this; that the kernel swallowed it
 * tells the sender that the lease is in force. An expired lease is not made alive again: the latch of rule R1.
 */
function outward({ addresses, heartbeatPort, secret, leaseMs, fib }: TablePlan): readonly string[] {
  const interfaces = [...new Set(addresses.map(({ interfaceName }) => interfaceName))];
  const ours = fib ? " fib saddr type local" : "";
  return [
    ...interfaces.map(
      (name) =>
        `oifname "${name}" udp dport ${heartbeatPort} @th,${payloadOffsetBits},128 ${hex(secret)} ${alive} update @lease { ${key} timeout ${leaseMs}ms } drop`,
    ),
    `${alive} return`,
    ...addresses.flatMap(({ address, family }) =>
      family === 4
        ? [`ip saddr ${address}${ours} drop`, `arp saddr ip ${address} drop`]
        : [
            `icmpv6 type nd-neighbor-advert @th,${targetOffsetBits},128 ${hex(ipv6Bytes(address))} drop`,
            `ip6 saddr ${address}${ours} drop`,
          ],
    ),
  ];
}

/**
 * What comes in: a beat with an armed token ends the lease. ARP announcements of the other node (sender and target are
 * both the HA address) pass, or our own neighbour table would keep pointing at us.
 */
function inward({ addresses, heartbeatPort, fib }: TablePlan): readonly string[] {
  const ours = fib ? " fib daddr type local" : "";
  return [
    `udp dport ${heartbeatPort} @th,${tokenOffsetBits},128 @claims delete @lease { ${key} }`,
    `${alive} return`,
    ...addresses.flatMap(({ address, family }) =>
      family === 4
        ? [`ip daddr ${address}${ours} drop`, `arp daddr ip ${address} arp saddr ip != ${address} drop`]
        : [
            `icmpv6 type nd-neighbor-solicit @th,${targetOffsetBits},128 ${hex(ipv6Bytes(address))} drop`,
            `ip6 daddr ${address}${ours} drop`,
          ],
    ),
  ];
}

/** Replaces whatever table of this name there was, in one transaction. `armed`: with a lease that is alive. */
export function createTable(plan: TablePlan, tokens: readonly Uint8Array[], armed: boolean): string {
  const { name, leaseMs } = plan;
  return [
    `add table netdev ${name}`,
    `delete table netdev ${name}`,
    `add table netdev ${name}`,
    `add set netdev ${name} lease { type ether_type; size 8; flags dynamic,timeout; timeout ${leaseMs}ms; }`,
    `add set netdev ${name} claims { typeof @th,${tokenOffsetBits},128; }`,
    `add chain netdev ${name} outward`,
    `add chain netdev ${name} inward`,
    ...outward(plan).map((rule) => `add rule netdev ${name} outward ${rule}`),
    ...inward(plan).map((rule) => `add rule netdev ${name} inward ${rule}`),
    ...addClaims(name, tokens),
    ...(armed ? [addLease(name, leaseMs)] : []),
  ].join("; ");
}

/** The hooks of one interface, in a transaction of their own: one odd device must not cost all the others theirs. */
export function hookInterface(table: string, { index, name }: { index: number; name: string }): string {
  const chain = (prefix: string, hook: string) =>
    `add chain netdev ${table} ${prefix}_${index} { type filter hook ${hook} device "${name}" priority 0; policy accept; }`;
  return [
    chain("in", "ingress"),
    chain("out", "egress"),
    `flush chain netdev ${table} in_${index}`,
    `flush chain netdev ${table} out_${index}`,
    `add rule netdev ${table} in_${index} jump inward`,
    `add rule netdev ${table} out_${index} jump outward`,
  ].join("; ");
}

function addLease(name: string, leaseMs: number): string {
  return `add element netdev ${name} lease { 0 timeout ${leaseMs}ms }`;
}

function addClaims(name: string, tokens: readonly Uint8Array[]): readonly string[] {
  return tokens.length === 0 ? [] : [`add element netdev ${name} claims { ${tokens.map(hex).join(", ")} }`];
}

/** Adding an entry that exists would not prolong it, so the old one goes in the same transaction. */
export function armLease({ name, leaseMs }: TablePlan): string {
  return `flush set netdev ${name} lease; ${addLease(name, leaseMs)}`;
}

export function endLease({ name }: Pick<TablePlan, "name">): string {
  return `flush set netdev ${name} lease`;
}

export function replaceClaims({ name }: TablePlan, tokens: readonly Uint8Array[]): string {
  return [`flush set netdev ${name} claims`, ...addClaims(name, tokens)].join("; ");
}

/** What must not change while the table stands: everything but the lease's own entry and the tokens. */
export function structureOf(listing: readonly string[]): ReadonlyMap<string, string> {
  const chains = new Map<string, string>();
  let current: { readonly name: string; readonly lines: string[] } | undefined;
  for (const line of listing.map((text) => text.trim())) {
    const opened = /^(?:chain|set) (\S+) \{$/.exec(line);
    if (opened?.[1] !== undefined) current = { name: opened[1], lines: [] };
    else if (line === "}" && current !== undefined) {
      chains.set(current.name, current.lines.join("\n"));
      current = undefined;
    } else if (!/^(elements|expires)\b|^0x/.test(line)) current?.lines.push(line);
  }
  return chains;
}
