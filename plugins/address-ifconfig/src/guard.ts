/**
 * What the guard of rule R4 does where the kernel knows no lease: it takes the HA addresses off when this process has gone,
 * and also when this process, hung or stopped, gives no sign of life.
 */

import { type Guard, startGuard } from "@understudy/core/public";
import { type PlacedAddress, withdrawScript } from "./commands.js";

/** The guard looks once a second and acts when two looks in a row found no sign: 2 s after the last one at the earliest. */
export const guardPatienceMs = 2000;

/**
 * A shell cannot read a pipe with a time limit (POSIX `read` has none), and runs a trap only between commands, so the
 * work is divided: one process waits for the end of the pipe, the other counts signals between sleeps of a second.
 */
function script(command: string, addresses: readonly PlacedAddress[]): string {
  return `${withdrawScript(command, addresses)}
exec 3<&0
( exec >/dev/null; cat <&3; withdraw; kill -KILL $$ ) &
exec 3<&- </dev/null
heard=1 silent=0
trap 'heard=1' USR1
echo ready
exec >/dev/null
while :; do
  sleep 1
  if [ "$heard" = 1 ]; then silent=0; else silent=$((silent + 1)); fi
  heard=0
  [ "$silent" != 2 ] || withdraw
done`;
}

export interface GuardOrders {
  readonly command: string;
  readonly addresses: readonly PlacedAddress[];
  /** Those of the node that it guards: zones of one machine may see each other's processes. */
  readonly cluster: string;
  readonly node: string;
}

export function guardAddresses(orders: GuardOrders, onDeath: (why: string) => void): Guard {
  return startGuard({
    name: `ifconfig ${orders.cluster} ${orders.node}`,
    script: script(orders.command, orders.addresses),
    environment: { LC_ALL: "C" },
    onDeath,
  });
}

/** A sign of life. */
export const feedGuard = (guard: Guard): void => guard.signal("SIGUSR1");
