/** Programs and commands as services: the suite of all services in each way to use it, and what is this plugin's own. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  makePlugin,
  type RecordingLog,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { serviceConformance } from "@understudy/core/conformance/service";
import { until, within } from "@understudy/core/conformance/until";
import type { Service } from "@understudy/core/public";
import exec from "../src/plugin.js";
import { isAlive, type Scratch, scratch } from "./scratch.js";

function make(options: object, log: RecordingLog = recordingLog()): Service {
  const service = makePlugin(exec, { ...options }, { node: testNode(), log });
  made.push(service);
  return service;
}

const made: Service[] = [];
// A test that fails half-way must leave nothing running.
afterEach(async () => {
  await Promise.allSettled(made.splice(0).map((service) => service.stop()));
});

// An orphan may stay a zombie until init takes note: it is gone all the same.
const lives = (place: Scratch) => ({
  shell: `pid=$(cat ${place.pidFile}) && grep -q '^State:.[^Z]' /proc/$pid/status`,
});
const program = (place: Scratch) => ({ shell: `echo $$ > ${place.pidFile}; exec sleep 600` });
const startAndStop = (place: Scratch) => ({
  start: {
    shell: `${lives(place).shell} 2>/dev/null && exit 0; setsid sleep 600 >/dev/null 2>&1 & echo $! > ${place.pidFile}`,
  },
  stop: {
    shell: `pid=$(cat ${place.pidFile} 2>/dev/null) || exit 0; kill $pid 2>/dev/null; while ${lives(place).shell} 2>/dev/null; do sleep 0.02; done; rm -f ${place.pidFile}`,
  },
});

serviceConformance({
  name: "exec with a program under run",
  crashes: true,
  async make() {
    const place = scratch();
    const service = make({ run: program(place), health: lives(place) });
    return { service, serves: async () => place.alive(), crash: place.kill, dispose: place.remove };
  },
});

serviceConformance({
  name: "exec with start, stop and health",
  crashes: true,
  async make() {
    const place = scratch();
    const service = make({ ...startAndStop(place), health: lives(place) });
    return { service, serves: async () => place.alive(), crash: place.kill, dispose: place.remove };
  },
});

serviceConformance({
  name: "exec, warm, with promote and demote",
  crashes: true,
  async make() {
    const place = scratch();
    const service = make({
      mode: "warm",
      run: program(place),
      health: lives(place),
      promote: ["touch", place.mark],
      demote: ["rm", "-f", place.mark],
    });
    const crash = () => {
      rmSync(place.mark);
      place.kill();
    };
    return { service, serves: async () => place.alive() && place.active(), crash, dispose: place.remove };
  },
});

test("commands are told the epoch, the operation and the node", async () => {
  const place = scratch();
  const note = {
    shell: `echo $UNDERSTUDY_OPERATION $UNDERSTUDY_EPOCH $UNDERSTUDY_NODE $OWN >> ${place.diary}`,
  };
  const service = make({ start: note, stop: note, environment: { OWN: "mine" } });
  await service.promote(7);
  await service.demote();
  assert.deepEqual(place.lines(), ["start 7 one mine", "stop 7 one mine"]);
  await service.stop();
  place.remove();
});

test("a start that fails rejects and says with what", async () => {
  const service = make({ start: { shell: "echo no licence >&2; exit 4" }, stop: ["true"] });
  await service.start();
  await assert.rejects(service.promote(1), {
    code: "SERVICE_NOT_STARTED",
    message: /exit code 4: no licence/,
  });
  await service.demote();
  await service.stop();
});

test("a program that cannot be run, or ends at once, is a failure and not a service", async () => {
  const missing = make({ run: ["/nonexistent/program"] });
  await assert.rejects(missing.promote(1), { code: "SERVICE_NOT_STARTED", message: /ENOENT/ });
  const short = make({ run: ["true"], health: ["false"], restart: false });
  await assert.rejects(short.promote(1), { code: "SERVICE_NOT_STARTED" });
  await Promise.all([missing.stop(), short.stop()]);
});

test("a stop that takes too long is a failure, never a success", async () => {
  const service = make({ start: ["true"], stop: ["sleep", "600"], stopTimeoutMs: 100 });
  await service.promote(1);
  await assert.rejects(service.demote(), { code: "SERVICE_NOT_STOPPED", message: /no end within 100 ms/ });
  await assert.rejects(service.stop());
});

test("a program that ignores SIGTERM is killed with its children within the demote", async () => {
  const place = scratch();
  const run = { shell: `trap '' TERM; sleep 600 & echo $! > ${place.pidFile}; wait; sleep 600` };
  const service = make({ run, stopTimeoutMs: 200, health: lives(place) });
  await service.start();
  await service.promote(1);
  assert.ok(place.alive());
  await within("demote", service.demote(), 10_000);
  await until("its child to be gone", () => !place.alive());
  await service.stop();
  place.remove();
});

test("a program that dies while it serves is started again, ever more slowly", async () => {
  const place = scratch();
  const log = recordingLog();
  const service = make({ run: { shell: `echo up >> ${place.diary}; sleep 0.05; exit 9` } }, log);
  await service.start();
  await service.promote(1);
  await until("two more starts", () => place.lines().length >= 3);
  const delays = log.lines
    .filter(({ message }) => message === "a service will be started again")
    .map(({ fields }) => fields.inMs);
  assert.deepEqual(delays.slice(0, 2), [500, 1000]);
  await until("the reason to be said", () => /it ended by itself: exit code 9/.test(service.describe()));
  await service.demote();
  const after = place.lines().length;
  await service.stop();
  assert.equal(place.lines().length, after);
  place.remove();
});

test("without restart it stays down and says failing", async () => {
  const place = scratch();
  const service = make({ run: program(place), restart: false, health: lives(place) });
  await service.promote(1);
  place.kill();
  await until("health to notice", async () => (await service.health()) === "failing");
  await service.stop();
  place.remove();
});

test("a service that is not healthy in time is a failure, and a demote does not wait for it", async () => {
  const late = make({ run: ["sleep", "600"], health: ["false"], startTimeoutMs: 200 });
  await assert.rejects(late.promote(1), {
    code: "SERVICE_NOT_STARTED",
    message: /not healthy within 200 ms/,
  });
  await late.stop();
  const slow = make({ run: ["sleep", "600"], health: ["false"] });
  const promotion = assert.rejects(slow.promote(1), { code: "SERVICE_OVERTAKEN" });
  await within("demote", slow.demote(), 10_000);
  await promotion;
  await slow.stop();
});

test("what a killed node left running is adopted when this node is active still", async () => {
  const place = scratch();
  const before = make({ ...startAndStop(place), health: lives(place) });
  await before.promote(1);
  const pid = place.pid();
  const next = make({ ...startAndStop(place), health: lives(place) });
  await next.start();
  await next.promote(3);
  assert.equal(place.pid(), pid);
  assert.ok(place.alive());
  await next.demote();
  assert.ok(!isAlive(pid));
  await next.stop();
  place.remove();
});

test("what a killed node left running is stopped when this node is not told to serve", async () => {
  const place = scratch();
  const before = make({ ...startAndStop(place), health: lives(place) });
  await before.promote(1);
  const pid = place.pid();
  const next = make({ ...startAndStop(place), health: lives(place), adoptMs: 100 });
  await next.start();
  await until("it to be stopped", () => !isAlive(pid));
  await next.stop();
  place.remove();
});

test("a program under run ends when the node process is killed", async () => {
  const place = scratch();
  const script = fileURLToPath(new URL("./node-to-be-killed.js", import.meta.url));
  const node = spawn(process.execPath, [script, place.pidFile], { stdio: ["ignore", "pipe", "inherit"] });
  await within("the service to be up", once(node.stdout, "data"));
  const pid = place.pid();
  assert.ok(isAlive(pid));
  node.kill("SIGKILL");
  await until("the service to be gone", () => !isAlive(pid));
  place.remove();
});

test("output goes to the log line by line, within a limit", async () => {
  const log = recordingLog();
  const shell =
    "echo hello; echo bad >&2; i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done; exec sleep 600";
  const service = make({ run: { shell } }, log);
  await service.promote(1);
  const lines = () => log.lines.filter(({ message }) => message === "output of the service");
  await until("output", () => lines().some(({ fields }) => fields.line === "hello"));
  await service.stop();
  assert.ok(lines().length <= 150, `${lines().length} lines were logged`);
});

for (const [what, options, message] of [
  ["nothing to run", {}, /give run, or start and stop/],
  ["run and start", { run: ["a"], start: ["b"], stop: ["c"] }, /not both/],
  ["a start without a stop", { start: ["b"] }, /needs a stop/],
  ["a stop for run", { run: ["b"], stop: ["c"] }, /by a signal/],
  ["promote of a cold service", { run: ["b"], promote: ["c"] }, /only a warm service/],
  ["a stop that outlasts a demote", { run: ["b"], stopTimeoutMs: 5000 }, /1700/],
  ["a misspelt option", { run: ["b"], heatlh: ["c"] }, /heatlh/],
] as const) {
  test(`${what} is refused by the schema`, () => {
    assert.throws(() => make(options), message);
  });
}
