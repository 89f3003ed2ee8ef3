/**
 * `understudy run`, both processes in the foreground: one that dies is started again and it says so; Ctrl-C ends both and
 * leaves no address behind (R12).
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Pair } from "../lab/pair.js";
import { processState } from "../lab/segment.js";
import { assertAnsweredLast, assertNeverTwo, hasAddress, waitForRole, watched, withPair } from "./fixture.js";

const program = fileURLToPath(new URL("../../../core/bin/understudy.js", import.meta.url));

function runInForeground(pair: Pair) {
  const { configFile } = pair.node("primary");
  const args = [program, "run", "--config", configFile, "--node", "primary"];
  const child = pair.segment.start("primary", process.execPath, args, {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  return {
    child,
    said: () => said,
    /** The last one it started. */
    pidOf: (which: "pulse" | "node") =>
      Number(
        said
          .match(new RegExp(`${which} runs \\(pid (\\d+)\\)`, "g"))
          ?.at(-1)
          ?.match(/\d+/)?.[0],
      ),
  };
}

test("R12: run starts pulse again when it is killed, and Ctrl-C hands over and leaves nothing", async () => {
  await withPair({ cold: true }, async (pair) => {
    const run = runInForeground(pair);
    await pair.node("secondary").start();
    await pair.settled("primary");
    const bothPids = () => [run.pidOf("pulse"), run.pidOf("node")];
    await pair.waitFor(() => !bothPids().some(Number.isNaN), "run has said which processes it started");
    const killed = await watched(pair, async () => {
      const pid = run.pidOf("pulse");
      process.kill(pid, "SIGKILL");
      await waitForRole(pair, "secondary", "active");
      await pair.waitFor(() => run.pidOf("pulse") !== pid, "pulse runs again");
      assert.match(run.said(), /pulse ended unasked \(SIGKILL\); it starts again in \d+ ms/);
      await pair.settled("primary");
    });
    assertNeverTwo(killed);

    const pids = bothPids();
    assert.deepEqual(
      pids.map((pid) => processState(pid) !== undefined),
      [true, true],
    );
    const ended = await watched(pair, async () => {
      run.child.kill("SIGINT");
      const [code] = (await once(run.child, "exit")) as [number | null];
      assert.equal(code, 0, run.said());
      await waitForRole(pair, "secondary", "active");
    });
    assertNeverTwo(ended);
    assertAnsweredLast(ended, pair, "secondary");
    assert.deepEqual(
      pids.map((pid) => processState(pid)),
      [undefined, undefined],
      "neither process is left",
    );
    assert.equal(hasAddress(pair, "primary"), false);
    assert.doesNotMatch(pair.segment.run("primary", "nft", ["list", "tables"]), /understudy/);
  });
});
