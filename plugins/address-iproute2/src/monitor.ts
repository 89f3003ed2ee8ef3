/**
 * Hears from the kernel what happens to addresses and links, through one `ip monitor` that was started once. Says what
 * happened; whether it was wanted is for others to judge.
 */

import { spawn } from "node:child_process";
import { type FoundAddress, type LinkState, parseAddressLine, parseLinkLine } from "./ip-commands.js";
import { splitLines } from "./line-splitter.js";

export interface MonitorReports {
  addressAppeared(found: FoundAddress): void;
  addressGone(found: FoundAddress): void;
  link(state: LinkState): void;
  died(why: string): void;
}

export interface Monitor {
  readonly alive: boolean;
  stop(): void;
}

/**
 * `ip monitor` would never notice that nobody reads it, so the shell ends the whole group when our end of the pipe closes.
 * Should the shell itself be killed, the loop sees that when `ip` ends with the next event it cannot write.
 */
const script = `trap '' TERM INT HUP
while kill -0 $$ 2>/dev/null; do ip -o monitor address link 2>&1; [ $? -gt 128 ] || exit; done &
cat >/dev/null
kill -9 -$$`;

export function startMonitor(reports: MonitorReports): Monitor {
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"], detached: true });
  let alive = true;
  const die = (why: string) => {
    if (!alive) return;
    alive = false;
    reports.died(why);
  };
  child.once("error", (error) => die(error.message));
  child.once("close", (code, signal) => die(`it ended with ${signal ?? code}`));
  child.stdin?.on("error", () => {});
  child.stdout?.on(
    "data",
    splitLines((line) => hear(line, reports)),
  );
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as { unref?: () => void } | null)?.unref?.();
  return {
    get alive() {
      return alive;
    },
    stop() {
      alive = false;
      child.stdin?.end();
    },
  };
}

function hear(line: string, reports: MonitorReports): void {
  const found = parseAddressLine(line);
  if (found !== undefined) {
    if (line.startsWith("Deleted ")) reports.addressGone(found);
    else reports.addressAppeared(found);
    return;
  }
  const state = parseLinkLine(line);
  if (state !== undefined) reports.link(state);
}
