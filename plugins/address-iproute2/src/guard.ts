/**
 * The guard of rule R4: a shell on a pipe, in a session of its own, that takes the HA addresses off as soon as this
 * process is gone, however it went. Its `ip` is already running, so nothing has to be loaded when it matters.
 */

import { spawn } from "node:child_process";
import { deleteCommand, type PlacedAddress } from "./ip-commands.js";
import { guardWords } from "./orphans.js";

export interface Guard {
  readonly alive: boolean;
  /** Settles when it is proof against what systemd sends, or has ended before, or is long in coming. */
  readonly ready: Promise<void>;
  /** Closes the pipe: the guard withdraws and ends. Settles when it has ended. */
  stop(): Promise<void>;
}

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
 * It ignores what systemd sends to the whole unit: it has work to do exactly then. The lease ends by itself a little
 * later; deleting its entry only closes that gap when the address cannot be removed.
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
  return `trap '' TERM INT HUP; echo ready; exec >/dev/null; ${withdraw}; ${dropLease}`;
}

const readyWithinMs = 2000;

export function startGuard(orders: GuardOrders, onDeath: (why: string) => void): Guard {
  const child = spawn("/bin/sh", ["-c", script(orders), ...guardWords(orders.cluster)], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
    env: { ...process.env, HOME: "/nonexistent" },
  });
  const ready = Promise.withResolvers<void>();
  const late = setTimeout(() => ready.resolve(), readyWithinMs);
  const ended = Promise.withResolvers<void>();
  let alive = true;
  let wanted = true;
  const die = (why: string) => {
    if (!alive) return;
    alive = false;
    clearTimeout(late);
    ready.resolve();
    ended.resolve();
    if (wanted) onDeath(why);
  };
  child.once("error", (error) => die(error.message));
  child.once("exit", (code, signal) => die(`it ended with ${signal ?? code}`));
  child.stdin?.on("error", () => {});
  child.stdout?.once("data", () => {
    clearTimeout(late);
    ready.resolve();
  });
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as { unref?: () => void } | null)?.unref?.();
  return {
    get alive() {
      return alive;
    },
    ready: ready.promise,
    stop() {
      wanted = false;
      child.ref();
      child.stdin?.end();
      return ended.promise;
    },
  };
}
