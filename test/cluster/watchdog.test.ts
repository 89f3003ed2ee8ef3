/**
 * The hardware watchdog of a real pulse (R4): fed while it lives, no more when it hangs, and told goodbye when it ends in
 * order. A named pipe stands in for the device: it records, and resets nothing.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isStopped } from "../lab/pair.js";
import { waitForRole, withPair } from "./fixture.js";

const folder = mkdtempSync(join(tmpdir(), "us-watchdog-"));
const device = join(folder, "watchdog");
execFileSync("mkfifo", [device]);
const file = openSync(device, constants.O_RDONLY | constants.O_NONBLOCK);
after(() => {
  closeSync(file);
  rmSync(folder, { recursive: true });
});

const buffer = Buffer.alloc(4096);

/** What was written since the last call. */
function written(): string {
  try {
    return buffer.toString("latin1", 0, readSync(file, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return "";
    throw error;
  }
}

test("R4: the watchdog is fed by a pulse that lives, not by one that hangs, and disarmed at an orderly end", async () => {
  // With failback by hand a secondary that served alone, because the other was slow to start, would serve for ever.
  const both = { failback: "manual", aloneAfter: "30s" };
  const config = { ...both, watchdog: { device, timeout: "2s" } };
  await withPair({ cold: true, configOf: { primary: config, secondary: both } }, async (pair) => {
    const primary = pair.node("primary");
    await primary.start();
    await pair.node("secondary").start();
    await pair.settled("primary");
    await pair.waitFor(() => written() !== "", "it is fed");
    const shown = (await primary.status())?.pulse?.protections.find(
      ({ name }) => name === "hardware-watchdog",
    );
    assert.equal(shown?.inForce, true, shown?.detail);

    const pid = primary.pid("pulse") ?? Number.NaN;
    primary.signal("SIGSTOP", "pulse");
    await pair.waitFor(() => isStopped(pid), "pulse is stopped");
    written();
    await waitForRole(pair, "secondary", "active");
    // By the clock of the other node: longer than the device would wait.
    await pair.waitFor(async () => {
      const pulse = (await pair.node("secondary").status())?.pulse;
      return pulse !== undefined && pulse.atMs - pulse.roleSinceMs > 2500;
    }, "the secondary has served for longer than the timeout");
    assert.equal(written(), "", "a hung pulse feeds nothing");
    primary.signal("SIGCONT", "pulse");
    await pair.waitFor(() => written() !== "", "it is fed again");

    await primary.end("pulse");
    assert.match(written(), /^\0*V$/);
  });
});
