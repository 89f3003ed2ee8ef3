/** Units as services, with a stand-in for systemctl: the suite of all services, and what is systemd's own. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { makePlugin, type RecordingLog, recordingLog } from "@understudy/core/conformance/capabilities";
import { serviceConformance } from "@understudy/core/conformance/service";
import { until, within } from "@understudy/core/conformance/until";
import type { Service } from "@understudy/core/public";
import systemd from "../src/plugin.js";
import { type StandIn, standIn, type UnitRules } from "./systemctl-stand-in.js";

const made: { stop(): Promise<void>; remove(): void }[] = [];
afterEach(async () => {
  for (const { stop, remove } of made.splice(0)) {
    await stop().catch(() => undefined);
    remove();
  }
});

interface Unit {
  readonly service: Service;
  readonly world: StandIn;
  readonly log: RecordingLog;
}

function unit(rules: UnitRules = {}, options: object = {}): Unit {
  const world = standIn();
  world.addUnit("x.service", rules);
  const log = recordingLog();
  const service = makePlugin(systemd, { unit: "x", systemctl: world.program, ...options }, { log });
  made.push({ stop: () => service.stop(), remove: world.remove });
  return { service, world, log };
}

const verbs = (world: StandIn) => world.calls().filter((call) => !call.startsWith("show"));

serviceConformance({
  name: "systemd, cold",
  crashes: true,
  async make() {
    const { service, world } = unit();
    return {
      service,
      serves: async () => world.state("x.service") === "active",
      crash: () => world.setState("x.service", "failed"),
      dispose() {},
    };
  },
});

test("a warm unit runs on both nodes, and is reloaded where that is asked for", async () => {
  const { service, world } = unit({}, { mode: "warm", reloadOnPromote: true });
  await service.start();
  assert.equal(await service.health(), "healthy");
  await service.promote(1);
  await service.demote();
  assert.equal(world.state("x.service"), "active");
  await service.stop();
  assert.deepEqual(verbs(world), ["start x.service", "reload x.service", "stop x.service"]);
});

test("a reload that fails is a promote that failed", async () => {
  const { service } = unit({ reloadFails: true }, { mode: "warm", reloadOnPromote: true });
  await service.start();
  await assert.rejects(service.promote(1), { code: "SERVICE_COMMAND_FAILED" });
});

test("a unit that fails to start says what systemctl said", async () => {
  const { service, world } = unit({ startFails: true });
  await service.start();
  await assert.rejects(service.promote(1), {
    code: "SERVICE_NOT_STARTED",
    message: /exit code 1, Job for x\.service failed/,
  });
  assert.equal(await service.health(), "failing");
  assert.equal(world.state("x.service"), "failed");
});

test("a unit that is not there says so", async () => {
  const world = standIn();
  const service = makePlugin(systemd, { unit: "gone", systemctl: world.program }, { log: recordingLog() });
  await service.start();
  await assert.rejects(service.promote(1), {
    code: "SERVICE_NOT_STARTED",
    message: /Unit gone\.service not found/,
  });
  await service.demote();
  await service.stop();
  world.remove();
});

test("no systemctl at all says so", async () => {
  const service = makePlugin(
    systemd,
    { unit: "x", systemctl: "/nonexistent/systemctl" },
    { log: recordingLog() },
  );
  await assert.rejects(service.promote(1), { code: "SERVICE_NOT_STARTED", message: /ENOENT/ });
  assert.equal(await service.health(), "failing");
  await assert.rejects(service.stop(), { code: "SERVICE_NOT_STOPPED" });
});

test("a unit in activating is waited for, until the deadline", async () => {
  const { service, world } = unit({ staysActivating: true }, { startTimeoutMs: 20_000 });
  await service.start();
  const promoted = service.promote(1);
  await until(
    "the unit to be activating",
    () => world.calls().length > 4 && world.state("x.service") === "activating",
  );
  world.setState("x.service", "active");
  await within("promote", promoted);
  assert.equal(await service.health(), "healthy");
  const late = unit({ staysActivating: true }, { startTimeoutMs: 300 });
  // Beforehand, because on a busy machine systemctl may not have come that far when its time is over.
  late.world.setState("x.service", "activating");
  await assert.rejects(late.service.promote(1), {
    code: "SERVICE_NOT_STARTED",
    message: /not active within 300 ms: the unit is activating/,
  });
});

test("a demote does not wait for a slow start", async () => {
  const { service, world } = unit({ startSeconds: 60 });
  await service.start();
  const promoted = assert.rejects(service.promote(1));
  await until("the start to be under way", () => world.state("x.service") === "activating");
  await within("demote", service.demote(), 10_000);
  await promoted;
  assert.equal(world.state("x.service"), "inactive");
});

test("a stop that outlasts the demote is a failure, and systemd goes on with it", async () => {
  const { service, world } = unit({ stopSeconds: 60 }, { stopTimeoutMs: 1500 });
  await service.promote(1);
  await assert.rejects(service.demote(), {
    code: "SERVICE_NOT_STOPPED",
    message: /no end within 1500 ms; the unit is deactivating/,
  });
  world.setState("x.service", "inactive");
  await service.demote();
});

test("a unit that somebody stopped is started again where it should run", async () => {
  const { service, world } = unit();
  await service.start();
  await service.promote(1);
  world.setState("x.service", "inactive");
  await until("it to run again", async () => {
    await service.health();
    return world.state("x.service") === "active";
  });
});

test("a unit between two automatic restarts is failing, and left to systemd", async () => {
  const { service, world } = unit();
  await service.promote(1);
  world.setState("x.service", "activating");
  for (let asked = 0; asked < 5; asked += 1) assert.equal(await service.health(), "failing");
  assert.deepEqual(verbs(world), ["start x.service"]);
});

test("a unit that was enabled at boot is stopped on a node that stands by", async () => {
  const { service, world } = unit({}, { adoptMs: 100 });
  world.setState("x.service", "active");
  await service.start();
  await until("it to be stopped", () => world.state("x.service") === "inactive");
});

test("a unit that ran before is adopted where the node is active", async () => {
  const { service, world } = unit();
  world.setState("x.service", "active");
  await service.start();
  await service.promote(1);
  assert.deepEqual(verbs(world), []);
  assert.equal(await service.health(), "healthy");
});

for (const [what, options, message] of [
  ["no unit", {}, /unit/],
  ["a unit with spaces", { unit: "a b" }, /no name of a unit/],
  ["an option for a unit", { unit: "x y; rm" }, /no name of a unit/],
  ["a reload of a cold unit", { unit: "x", reloadOnPromote: true }, /warm/],
  ["a stop that outlasts a demote", { unit: "x", stopTimeoutMs: 90_000 }, /1700/],
] as const) {
  test(`${what} is refused by the schema`, () => {
    assert.throws(() => systemd.config.parse(options), message);
  });
}
