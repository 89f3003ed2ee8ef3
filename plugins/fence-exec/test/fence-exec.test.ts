/** The suite of all fences, for a command, a stand-in agent and a real one; and what is this plugin's own (rule R32). */

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makePlugin, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import { fenceConformance } from "@understudy/core/conformance/fence";
import { until } from "@understudy/core/conformance/until";
import type { Fence } from "@understudy/core/public";
import exec from "../src/plugin.js";
import { type StandIn, standIn } from "./stand-in-agent.js";

function make(options: Readonly<Record<string, unknown>>): Fence {
  return makePlugin(exec, options, { node: testNode(), log: recordingLog() });
}

const targets = { one: { plug: 1 }, two: { plug: 2 } };
const signal = () => new AbortController().signal;

function fixtureOf(device: StandIn, fence: Fence, switchedOff: () => boolean) {
  return {
    fence,
    switchedOff,
    refuse: () => device.mode("refuses"),
    hang: () => device.mode("hangs"),
    heal: () => device.mode("well"),
    dispose: device.remove,
  };
}

fenceConformance({
  name: "exec with a stand-in agent",
  checks: true,
  async make() {
    const device = standIn();
    return fixtureOf(device, make({ agent: device.agent, targets }), () => device.power("2") === "off");
  },
});

fenceConformance({
  name: "exec with a command",
  checks: true,
  async make() {
    const device = standIn();
    const run = (action: string) => ({ shell: `printf 'action=${action}\\nplug=2\\n' | ${device.agent}` });
    const fence = make({ command: run("off"), checkCommand: run("monitor") });
    return fixtureOf(device, fence, () => device.power("2") === "off");
  },
});

const dummy = "/usr/sbin/fence_dummy";
if (existsSync(dummy))
  fenceConformance({
    name: "exec with fence_dummy of fence-agents",
    checks: true,
    async make() {
      const device = standIn();
      const status = join(device.folder, "status");
      const wrapper = join(device.folder, "fence_wrapped");
      writeFileSync(status, "on");
      // The real agent answers well; what it cannot do, fail on demand, the stand-in does in its place.
      writeFileSync(
        wrapper,
        `#!/bin/sh\ncase $(cat ${device.folder}/mode) in well) exec ${dummy} ;; *) exec ${device.agent} ;; esac\n`,
        { mode: 0o755 },
      );
      const fence = make({ agent: wrapper, options: { status_file: status }, targets });
      return fixtureOf(device, fence, () => readFileSync(status, "utf8").trim() === "off");
    },
  });

async function withDevice(work: (device: StandIn) => Promise<void>): Promise<void> {
  const device = standIn();
  try {
    await work(device);
  } finally {
    device.remove();
  }
}

test("an agent is told which machine, as lines of its standard input, and is asked again after off", () =>
  withDevice(async (device) => {
    const options = { plug: 9, lanplus: true, passwd: "a b=c#d" };
    const fence = make({ agent: device.agent, options, targets });
    const { outcome, detail } = await fence.fence(signal());
    assert.equal(outcome, "confirmed", detail);
    const lines = "nodename=two plug=2 lanplus=true passwd=a b=c#d";
    assert.deepEqual(device.calls(), [`${lines} action=off`, `${lines} action=status`]);
    assert.equal(device.power("1"), "on", "never this node's own plug");
  }));

test("R32: an agent that says off while the machine is on does not confirm, nor one that cannot say", () =>
  withDevice(async (device) => {
    const fence = make({ agent: device.agent, targets });
    for (const [mode, said] of [
      ["lies", /says that it is on/],
      ["mute", /could not say/],
    ] as const) {
      device.mode(mode);
      const { outcome, detail } = await fence.fence(signal());
      assert.equal(outcome, "unknown");
      assert.match(detail, said);
    }
    device.mode("mute");
    const trusting = make({ agent: device.agent, targets, verify: false });
    assert.equal((await trusting.fence(signal())).outcome, "confirmed");
  }));

test("a reboot is done when the agent says so", () =>
  withDevice(async (device) => {
    const fence = make({ agent: device.agent, targets, action: "reboot" });
    assert.equal((await fence.fence(signal())).outcome, "confirmed");
    assert.equal(device.power("2"), "rebooted");
    assert.equal(device.calls().length, 1);
  }));

/** One that has ended and that nobody has fetched runs no more (proc_pid_stat(5)). */
function runs(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, "utf8"));
}

test("R32: a timeout is a failure, and nothing that was started is left", () =>
  withDevice(async (device) => {
    device.mode("hangs");
    const file = join(device.folder, "sleepers");
    let timeoutMs = 150;
    // A busy machine may not have come to the point where it hangs: then there was little to be left.
    do {
      timeoutMs *= 2;
      const fence = make({ agent: device.agent, targets, timeoutMs });
      const { outcome, detail } = await fence.fence(signal());
      assert.equal(outcome, "unknown");
      assert.match(detail, new RegExp(`no end within ${timeoutMs} ms`));
    } while (!existsSync(file) && timeoutMs < 10_000);
    const sleepers = readFileSync(file, "utf8").trim().split("\n").map(Number);
    assert.ok(sleepers.length > 0 && sleepers.every((pid) => pid > 1));
    for (const pid of sleepers) await until(`the end of process ${pid}`, () => !runs(pid));
  }));

test("what cannot be run is refused, and named", async () => {
  const fence = make({ agent: "/nonexistent/fence_none" });
  const { outcome, detail } = await fence.fence(signal());
  assert.equal(outcome, "refused");
  assert.match(detail, /fence_none/);
});

test("a check says that the file does not name the other machine", () =>
  withDevice(async (device) => {
    const fence = make({ agent: device.agent, targets: { one: { plug: 1 } } });
    assert.match((await fence.check?.(signal())) ?? "", /which machine two is/);
  }));

test("an option that would be two lines, or sets the action, is refused", () => {
  for (const options of [{ plug: "1\naction=on" }, { action: "on" }, { "a=b": "c" }])
    assert.throws(() => make({ agent: "fence_x", options }));
});
