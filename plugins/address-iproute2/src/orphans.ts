/**
 * Ends the guards that killed runs left behind and that are still at it. All that such a guard can do is done by the start
 * anyway (rule R6); late, it would take the addresses and the lease from the run that has come after.
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const mark = "understudy-guard";
const goneWithinMs = 1000;

/** The words behind a guard's script, by which it is known: whose addresses, and which process it guards. */
export function guardWords(cluster: string): readonly string[] {
  return [mark, cluster, ownerOf(process.pid) ?? ""];
}

/** Settles when none of them runs any more. Never throws: where there is no /proc, none is found. */
export async function endOrphanedGuards(cluster: string): Promise<void> {
  const endMs = performance.now() + goneWithinMs;
  for (let groups = orphans(cluster); groups.size > 0; groups = orphans(cluster)) {
    for (const group of groups) kill(group);
    if (performance.now() > endMs) return;
    await pause(2);
  }
}

/** Process groups. A shell, what it forked, and the `ip` that waits for their word are one. */
function orphans(cluster: string): ReadonlySet<number> {
  const groups = new Set<number>();
  for (const entry of entries()) {
    const words = read(`/proc/${entry}/cmdline`)?.split("\0") ?? [];
    const at = words.indexOf(mark);
    if (at < 0 || words[at + 1] !== cluster || lives(words[at + 2] ?? "")) continue;
    // Of another network on the same machine: its addresses are not ours to take off.
    if (networkOf(entry) !== networkOf("self")) continue;
    const group = Number(statOf(Number(entry))?.[2]);
    if (group > 1) groups.add(group);
  }
  return groups;
}

function entries(): readonly string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Process id and start time: a process id alone may be another's by now, above all in a container. */
function ownerOf(pid: number): string | undefined {
  const stat = statOf(pid);
  return stat === undefined || /^[ZX]/.test(stat[0] ?? "") ? undefined : `${pid}/${stat[19]}`;
}

const lives = (owner: string) => ownerOf(Number(owner.split("/")[0])) === owner;

/** From the state on (proc_pid_stat(5)), behind the name, which may hold anything. */
function statOf(pid: number): readonly string[] | undefined {
  return read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
}

function networkOf(entry: string): string | undefined {
  try {
    return readlinkSync(`/proc/${entry}/ns/net`);
  } catch {
    return undefined;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function kill(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It has just ended.
  }
}
