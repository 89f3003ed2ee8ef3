/** Which of the kernel's rights this user has, of those that pulse needs or is better with. */

import { readFileSync } from "node:fs";
import { type Finding, finding } from "./finding.js";

interface Right {
  readonly bit: number;
  readonly name: string;
  readonly why: string;
  readonly level: "fail" | "warn";
}

/** Bits of linux/capability.h. */
const rights: readonly Right[] = [
  { bit: 12, name: "CAP_NET_ADMIN", why: "take and give up the HA address", level: "fail" },
  { bit: 13, name: "CAP_NET_RAW", why: "announce the address and ask who has it", level: "fail" },
  { bit: 23, name: "CAP_SYS_NICE", why: "run in real time", level: "warn" },
  { bit: 14, name: "CAP_IPC_LOCK", why: "keep its memory from being paged out", level: "warn" },
  {
    bit: 24,
    name: "CAP_SYS_RESOURCE",
    why: "be the last that the kernel kills for want of memory",
    level: "warn",
  },
];

export function checkPrivileges(): readonly Finding[] {
  let effective: bigint;
  try {
    effective = effectiveRights(readFileSync("/proc/self/status", "utf8"));
  } catch {
    return [finding("privileges", "note", "this system does not say which rights a process has")];
  }
  const missing = rights.filter(({ bit }) => (effective & (1n << BigInt(bit))) === 0n);
  if (missing.length === 0) return [finding("privileges", "ok", "this user may do all that pulse needs")];
  return missing.map(({ name, why, level }) =>
    finding(
      "privileges",
      level,
      `${name} is missing: pulse could not ${why}`,
      "Run it as root or by the systemd units.",
    ),
  );
}

/** Exported for its test. */
export function effectiveRights(status: string): bigint {
  const hex = /^CapEff:\s*([0-9a-f]+)$/im.exec(status)?.[1];
  if (hex === undefined) throw new Error("no CapEff in /proc/self/status");
  return BigInt(`0x${hex}`);
}
