/** R4: what a guard does for a process that was killed, and that a late one takes nothing from the next process. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, test } from "node:test";
import { startGuard } from "../src/command/guard.js";
import { signalGroup } from "../src/command/run-command.js";
import { until } from "../src/conformance/until.js";

interface Guarded {
  readonly process: ChildProcess;
  /** Process group of the guard. */
  readonly group: number;
  readonly said: readonly string[];
}

let folder = "";
let started: Guarded[] = [];
const held = () => existsSync(join(folder, "held"));
const releases = () =>
  `: >'${folder}'/ready.$$; echo ready; exec >/dev/null; cat; rm -f '${join(folder, "held")}'`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-guard-"));
  writeFileSync(join(folder, "held"), "");
});
afterEach(async () => {
  for (const { process: child, group } of started) {
    child.kill("SIGKILL");
    signalGroup(group, "SIGCONT");
    await until("no guard is left", () => !runs(group));
  }
  started = [];
  rmSync(folder, { recursive: true });
});

async function guarded(platform: string = process.platform, name = folder): Promise<Guarded> {
  const program = join(import.meta.dirname, "guarded-program.js");
  const child = spawn(process.execPath, [program, name, releases(), platform], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const said: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => said.push(line));
  await until("there is a guard", () => said.length > 0);
  const made = { process: child, group: Number(said[0]), said };
  started.push(made);
  assert.ok(made.group > 1, said.join());
  // A guard that is long in coming is not waited for, and here it is.
  await until("it has come as far as its script", () => existsSync(join(folder, `ready.${made.group}`)));
  return made;
}

async function kill({ process: child }: Guarded): Promise<void> {
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

const runs = (group: number) => signalGroup(group, 0);

test("R4: it does its work when its process is killed, whatever the unit was sent before", async () => {
  const one = await guarded();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) signalGroup(one.group, signal);
  await kill(one);
  await until("the work is done", () => !held());
  await until("it has ended", () => !runs(one.group));
});

for (const platform of ["linux", "sunos"]) {
  test(`R6: one that is late takes nothing from the next process, as ${platform} lists processes`, async () => {
    const killed = await guarded(platform);
    const other = await guarded(platform, `${folder} of another node`);
    const living = await guarded(platform);
    for (const { group } of [killed, other]) signalGroup(group, "SIGSTOP");
    for (const one of [killed, other]) await kill(one);
    const next = await guarded(platform);
    await until("nothing is left of it", () => !runs(killed.group));
    assert.ok(held(), "it did nothing any more");
    assert.deepEqual(
      [living, next, other].map(({ group }) => runs(group)),
      [true, true, true],
    );
    signalGroup(other.group, "SIGCONT");
    await until("another's does its work", () => !held());
    await kill(living);
    await until("one of a process that lived then is at it as ever", () => !runs(living.group));
  });
}

test("one that ends by itself is told, and readiness does not wait for its word", async () => {
  const deaths: string[] = [];
  const guard = startGuard({ name: folder, script: "exit 3", onDeath: (why) => deaths.push(why) });
  await guard.ready;
  await until("its end", () => !guard.alive);
  assert.deepEqual(deaths, ["it ended with 3"]);
  await guard.stop();
});

test("stopped, it does its work, ends, and nobody is told", async () => {
  const guard = startGuard({ name: folder, script: releases(), onDeath: assert.fail });
  await guard.ready;
  await guard.stop();
  assert.deepEqual([held(), guard.alive], [false, false]);
});

test("a signal that it cannot know yet does not end it", async () => {
  const script = `trap : USR1; ${releases()}`;
  // Many at once, so that some have not come far.
  const guards = Array.from({ length: 20 }, () => {
    const guard = startGuard({ name: folder, script, onDeath: assert.fail });
    guard.signal("SIGUSR1");
    return guard;
  });
  for (const { ready } of guards) await ready;
  assert.ok(guards.every(({ alive }) => alive));
  for (const guard of guards) await guard.stop();
});
