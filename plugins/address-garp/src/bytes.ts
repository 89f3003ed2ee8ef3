/** Addresses as bytes and as text, as they stand in frames and in configs. */

import { BlockList } from "node:net";

export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":").map((byte) => Number.parseInt(byte, 16)));
}

export function macText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

export function ipBytes(address: string): Uint8Array {
  return address.includes(":") ? ipv6Bytes(address) : Uint8Array.from(address.split(".").map(Number));
}

function ipv6Bytes(address: string): Uint8Array {
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const all = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The bytes as a key for look-ups: one text for one address, however a person wrote it. */
export function addressKey(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** `cidr` as in "10.0.0.2/24". */
export function networkContains(cidr: string, address: string): boolean {
  const [network = "", length = ""] = cidr.split("/");
  const family = network.includes(":") ? "ipv6" : "ipv4";
  if (family !== (address.includes(":") ? "ipv6" : "ipv4")) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(length), family);
  return list.check(address, family);
}
