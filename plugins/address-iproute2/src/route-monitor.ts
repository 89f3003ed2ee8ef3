/**
 * Hears from the kernel that a route or rule of ours was deleted or a default route changed. Sorted out by a `grep`
 * before it reaches this process: a router's table may change a thousand times a second.
 */

import { spawn } from "node:child_process";
import { ourProtocol } from "./route-commands.js";

/** Where `grep` or `ip` does not know its options nothing is heard, and the check once a second must do. */
const script = `trap '' TERM INT HUP
while kill -0 $$ 2>/dev/null; do
  ip -o monitor route rule 2>/dev/null | grep --line-buffered -E '^Deleted .*proto ${ourProtocol}( |$)|^(Deleted )?default '
  sleep 1
done &
cat >/dev/null
kill -9 -$$`;

export function startRouteMonitor(changed: () => void): { stop(): void } {
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"], detached: true });
  child.once("error", () => {});
  child.stdin?.on("error", () => {});
  child.stdout?.on("data", changed);
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as { unref?: () => void } | null)?.unref?.();
  return { stop: () => void child.stdin?.end() };
}
