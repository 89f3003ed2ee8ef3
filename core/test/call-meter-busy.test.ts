/**
 * On a machine so busy that a process is kept from its processor, whoever blocks is named each time and nobody else is.
 * All of it happens on one processor, so that the others of this machine stay free.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { BusyMachineReport } from "./busy-machine-program.js";

const program = fileURLToPath(new URL("./busy-machine-program.js", import.meta.url));

/** The first processor that this process may use. */
function processor(): string {
  const allowed = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return allowed ?? assert.fail("no processor is allowed");
}

function onBusyProcessor(): BusyMachineReport {
  const pin = ["-c", processor()];
  const burner = spawn("taskset", [...pin, "sh", "-c", "while :; do :; done"], { stdio: "ignore" });
  try {
    // A few steps behind the other one, which has the processor for most of the time then.
    const args = [...pin, "nice", "-n", "3", process.execPath, "--expose-gc", program];
    const out = execFileSync("taskset", args, { encoding: "utf8", timeout: 120_000 });
    return JSON.parse(out) as BusyMachineReport;
  } finally {
    burner.kill("SIGKILL");
  }
}

describe("on a busy processor", { skip: process.platform !== "linux" }, () => {
  const { delayKnown, calls, overMs } = onBusyProcessor();
  const of = (plugin: string) => calls.filter((call) => call.plugin === plugin);

  for (const [plugin, cause] of [
    ["computing", "computed"],
    ["waiting", "waited"],
    ["spawning", "waited"],
  ] as const)
    test(`a plugin that blocks by ${plugin} is named each time from the second on`, () => {
      assert.deepEqual(
        of(plugin).map((call) => [call.cause, call.overdrawn]),
        [
          ["unproven", false],
          [cause, true],
          [cause, true],
        ],
      );
    });

  test("one that was kept from the processor is not", { skip: !delayKnown }, () => {
    assert.ok((overMs.innocent ?? 0) > 0);
    // A processor may stop together with its machine and count that as work: single calls, never many.
    assert.deepEqual(
      of("innocent").filter(({ overdrawn }) => overdrawn),
      [],
    );
  });

  test("one in whose calls garbage was collected is not", { skip: !delayKnown }, () => {
    assert.ok((overMs.littered ?? 0) > 0);
    assert.deepEqual(
      of("littered").filter(({ overdrawn }) => overdrawn),
      [],
    );
  });
});
