/** Commands end: by themselves, by their timeout, with all they started; and their output stays within its limit. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../src/command/run-command.js";
import { until } from "../src/conformance/until.js";

const timeoutMs = 20_000;

test("a command gets its arguments, environment and input as they are", async () => {
  const result = await runCommand(["sh", "-c", 'echo "$1 $NAME"; cat', "sh", "a b; $HOME"], {
    timeoutMs,
    environment: { NAME: "ours" },
    input: "from stdin",
  });
  assert.equal(result.end, "exited");
  assert.equal(result.code, 0);
  assert.equal(result.output, "a b; $HOME ours\nfrom stdin");
});

test("a shell line is one only when asked for", async () => {
  assert.equal((await runCommand({ shell: "echo a | tr a b" }, { timeoutMs })).output, "b");
  assert.equal((await runCommand(["echo", "a | tr a b"], { timeoutMs })).output, "a | tr a b");
});

test("exit codes, signals and missing programs are told apart", async () => {
  const exited = await runCommand({ shell: "exit 3" }, { timeoutMs });
  assert.deepEqual([exited.end, exited.code, exited.detail], ["exited", 3, "exit code 3"]);
  const killed = await runCommand({ shell: "kill -9 $$" }, { timeoutMs });
  assert.deepEqual([killed.end, killed.detail], ["killed", "killed by SIGKILL"]);
  const missing = await runCommand(["/nonexistent/program"], { timeoutMs });
  assert.equal(missing.end, "notStarted");
  assert.match(missing.detail, /ENOENT/);
  const nowhere = await runCommand(["true"], { timeoutMs, workingDirectory: "/nonexistent" });
  assert.equal(nowhere.end, "notStarted");
});

test("the end of a long output is kept, the rest is not", async () => {
  const result = await runCommand(
    { shell: "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done" },
    { timeoutMs, keptOutputBytes: 100 },
  );
  assert.ok(result.output.length <= 100);
  assert.match(result.output, /line 2999$/);
});

test("a command that reads nothing is not in the way of a large input", async () => {
  const result = await runCommand(["true"], { timeoutMs, input: "x".repeat(1_000_000) });
  assert.equal(result.code, 0);
});

test("when its time is up, what it started goes with it, even what ignores SIGTERM", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "understudy-command-"));
  // Its time is ours to say: on a busy machine it would be up before the shell has begun.
  t.mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const file = join(folder, "pids");
    const running = runCommand(
      { shell: `trap '' TERM; sleep 600 & echo $$ $! > ${file}.new; mv ${file}.new ${file}; sleep 600` },
      { timeoutMs: 500, graceMs: 100 },
    );
    await until("it has started", () => existsSync(file));
    const pids = readFileSync(file, "utf8").trim().split(" ").map(Number);
    assert.equal(pids.length, 2);
    t.mock.timers.tick(499);
    assert.ok(pids.every(isAlive), "its time is not up");
    t.mock.timers.tick(1);
    t.mock.timers.tick(100);
    assert.equal((await running).end, "timedOut");
    await until("all of the group to be gone", () => pids.every((pid) => !isAlive(pid)));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** A zombie that nobody has waited for yet is dead. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("a command can be called off, also before its start", async () => {
  const controller = new AbortController();
  const running = runCommand(["sleep", "600"], { timeoutMs, signal: controller.signal });
  controller.abort();
  assert.equal((await running).end, "aborted");
  assert.equal((await runCommand(["true"], { timeoutMs, signal: controller.signal })).end, "aborted");
});

test("what it leaves running in the background is not waited for and not broken", async () => {
  const folder = mkdtempSync(join(tmpdir(), "understudy-command-"));
  try {
    const result = await runCommand(
      {
        shell: `(until [ -e ${folder}/go ]; do sleep 0.05; done; echo still here; echo wrote > ${folder}/done) & echo started`,
      },
      { timeoutMs },
    );
    assert.equal(result.output, "started");
    writeFileSync(join(folder, "go"), "");
    await until("the background part to have written", () => existsSync(join(folder, "done")));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
