/**
 * Ends the guards that killed processes left behind and that are still at it. All that such a guard can do the next start
 * does anyway (rule R6); late, it would take from the run that has come after.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { signalGroup } from "./run-command.js";

const mark = "understudy-guard";
const goneWithinMs = 1000;

/** The words before a guard's script: its name, in so few letters that every system shows them, and whom it guards. */
export function guardWords(name: string): readonly [string, string] {
  return [mark, `${keyOf(name)}/${process.pid}`];
}

const keyOf = (name: string) => createHash("sha256").update(name).digest("hex").slice(0, 16);

/** Settles when none of them runs any more. Never rejects: where processes cannot be listed, none is found. */
export async function endLateGuards(name: string): Promise<void> {
  const endMs = performance.now() + goneWithinMs;
  for (let late = await lateGroups(name); late.size > 0; late = await lateGroups(name)) {
    for (const group of late) signalGroup(group, "SIGKILL");
    if (performance.now() > endMs) return;
    await pause(2);
  }
}

interface Running {
  readonly pid: number;
  readonly group: number;
  readonly parent: number;
  readonly words: string;
}

/** Process groups: a shell, what it forked and the program that waits for its word are one. */
async function lateGroups(name: string): Promise<ReadonlySet<number>> {
  const begins = `/bin/sh -c eval "$2" ${mark} ${keyOf(name)}/`;
  const guards = process.platform === "linux" ? listProc(begins) : await listByPs(begins);
  const late = guards.filter(({ group, words }) => {
    const owner = Number.parseInt(words.slice(begins.length), 10);
    // One whose owner has ended has another parent, even where the number is another process' by now.
    return group > 1 && !guards.some(({ pid, parent }) => pid === group && parent === owner);
  });
  // Of another network on the same machine: what is taken there is not ours.
  const ours = late.filter(({ pid }) => networkOf(pid) === networkOf("self"));
  return new Set(ours.map(({ group }) => group));
}

function listProc(begins: string): readonly Running[] {
  return entries().flatMap((pid) => {
    const words = read(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ");
    if (words === undefined || !words.startsWith(begins)) return [];
    // From the state on (proc_pid_stat(5)), behind the name, which may hold anything.
    const [, parent, group] =
      read(`/proc/${pid}/stat`)
        ?.replace(/^.*\) /s, "")
        .split(" ") ?? [];
    return [{ pid, parent: Number(parent), group: Number(group), words }];
  });
}

function entries(): readonly number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** As POSIX has it. Of the words some systems show 80 characters. */
function listByPs(begins: string): Promise<readonly Running[]> {
  const columns = ["pid=", "pgid=", "ppid=", "args="].flatMap((column) => ["-o", column]);
  const options = {
    timeout: goneWithinMs,
    maxBuffer: 16 * 1024 * 1024,
    env: { ...process.env, LC_ALL: "C" },
  };
  return new Promise((resolve) => {
    execFile("ps", ["-e", ...columns], options, (_, output) =>
      resolve(output.split("\n").flatMap((line) => parseRow(line, begins))),
    );
  });
}

function parseRow(line: string, begins: string): readonly Running[] {
  const [, pid, group, parent, words] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
  if (words === undefined || !words.startsWith(begins)) return [];
  return [{ pid: Number(pid), group: Number(group), parent: Number(parent), words }];
}

function networkOf(process: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/net`);
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
