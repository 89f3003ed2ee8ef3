/** `understudy run` keeps its two processes: restarts are said, stops are ordered, a wrong input ends it all. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { supervise } from "../src/cli/supervise.js";

const script = (name: string, text: string) => ({ name, command: process.execPath, args: ["-e", text] });

/** Lines as they are said, and a way to wait for one that matches. */
function lines() {
  const said: string[] = [];
  const waiting: { pattern: RegExp; times: number; resolve: () => void }[] = [];
  const count = (pattern: RegExp) => said.filter((line) => pattern.test(line)).length;
  return {
    said,
    say(line: string) {
      said.push(line);
      for (const { pattern, times, resolve } of waiting) if (count(pattern) >= times) resolve();
    },
    until(pattern: RegExp, times = 1): Promise<void> {
      return new Promise((resolve) => {
        if (count(pattern) >= times) resolve();
        else waiting.push({ pattern, times, resolve });
      });
    },
  };
}

const idle = "setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(0));";

test("a process that ends is started again, later each time, and all of it is said", {
  timeout: 20_000,
}, async () => {
  const { said, say, until } = lines();
  const processes = [script("one", idle), script("two", "process.exit(7)")];
  const supervisor = supervise({ processes, say, pauseMs: 5, mostPauseMs: 40 });
  await until(/two ended unasked/, 3);
  supervisor.stop();
  assert.equal(await supervisor.done, 0);
  const ends = said.filter((line) => line.startsWith("two ended unasked"));
  assert.deepEqual(ends.slice(0, 3), [
    "two ended unasked (code 7); it starts again in 5 ms",
    "two ended unasked (code 7); it starts again in 10 ms",
    "two ended unasked (code 7); it starts again in 20 ms",
  ]);
  assert.deepEqual(supervisor.pids(), []);
});

test("a stop ends the last started first; a second one kills", { timeout: 20_000 }, async () => {
  const first = lines();
  const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";
  const ordered = supervise({ processes: [script("one", idle), script("two", idle)], say: first.say });
  await first.until(/runs \(pid/, 2);
  ordered.stop();
  await ordered.done;
  assert.deepEqual(
    first.said.filter((line) => line.includes("has ended")).map((line) => line.split(" ")[0]),
    ["two", "one"],
  );

  const second = lines();
  const killed = supervise({
    processes: [script("one", idle), script("two", stubborn)],
    say: second.say,
  });
  await second.until(/runs \(pid/, 2);
  killed.stop();
  killed.stop();
  assert.equal(await killed.done, 0);
  assert.ok(second.said.includes("killing what is left"));
});

test("a process that ends with a wrong input ends the other too, with its code", {
  timeout: 20_000,
}, async () => {
  const { said, say } = lines();
  const supervisor = supervise({ processes: [script("one", idle), script("two", "process.exit(2)")], say });
  assert.equal(await supervisor.done, 2);
  assert.ok(said.some((line) => line.startsWith("two ended with code 2: not started again")));
});
