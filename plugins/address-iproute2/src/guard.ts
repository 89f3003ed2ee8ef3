/**
 * What the guard of rule R4 does when this process has gone: it takes the HA addresses off. Its `ip` is already running, so
 * nothing has to be loaded when it matters.
 */

import { type Guard, startGuard } from "@understudy/core/public";
import { deleteCommand, type PlacedAddress } from "./ip-commands.js";

export interface GuardOrders {
  readonly addresses: readonly PlacedAddress[];
  /** What else goes, in the words of `ip`: routes and IPv4 rules, and IPv6 rules. */
  readonly any: readonly string[];
  readonly v6: readonly string[];
  readonly cluster: string;
  /** Of the kernel lease, where there is one. */
  readonly tableName: string | undefined;
}

/**
 * The lease ends by itself a little later; deleting its entry only closes that gap when the address cannot be removed.
 */
function script({ addresses, any, v6, tableName }: GuardOrders): string {
  const print = (commands: readonly string[]) =>
    `printf '%s\\n' ${commands.map((one) => `'${one}'`).join(" ")}`;
  const first = print([...addresses.map(deleteCommand), ...any]);
  const plain = "ip -force -batch - >/dev/null 2>&1";
  const withdraw =
    v6.length === 0
      ? `{ cat >/dev/null; ${first}; } | ${plain}`
      : // A second `ip` waits for the IPv6 rules, whose family the first one would not see.
        `{ { cat >/dev/null; ${first}; ${print(v6)} >&3; } | ${plain} 3>&-; } 3>&1 | ip -6 -force -batch - >/dev/null 2>&1`;
  const dropLease = tableName === undefined ? ":" : `nft flush set netdev ${tableName} lease >/dev/null 2>&1`;
  return `echo ready; exec >/dev/null; ${withdraw}; ${dropLease}`;
}

export function guardAddresses(orders: GuardOrders, onDeath: (why: string) => void): Guard {
  return startGuard({
    name: `iproute2 ${orders.cluster}`,
    script: script(orders),
    // nft keeps a history of what it was told there.
    environment: { HOME: "/nonexistent" },
    onDeath,
  });
}
