/**
 * Linux answers ARP for any of its addresses on every interface; `arp_ignore=1` makes an interface answer only for its
 * own (rule R1). Set while this plugin runs, and put back at an orderly stop.
 */

import { readFileSync, writeFileSync } from "node:fs";

export interface ArpIgnore {
  /** Empty when all is as wanted, else why not. */
  readonly complaint: string;
  restore(): void;
}

/** `scope`: an interface's name, or "all". Never throws: in a container /proc/sys may be read-only. */
export function setArpIgnore(scope: string): ArpIgnore {
  const path = `/proc/sys/net/ipv4/conf/${scope}/arp_ignore`;
  try {
    const before = readFileSync(path, "utf8").trim();
    // 2 and 8 are stricter than what is needed.
    if (before !== "0") return { complaint: "", restore: () => {} };
    writeFileSync(path, "1");
    return { complaint: "", restore: () => putBack(path, before) };
  } catch (error) {
    return {
      complaint: `arp_ignore could not be set: ${error instanceof Error ? error.message : String(error)}`,
      restore: () => {},
    };
  }
}

function putBack(path: string, before: string): void {
  try {
    if (readFileSync(path, "utf8").trim() === "1") writeFileSync(path, before);
  } catch {
    // The interface is gone, and its setting with it.
  }
}
