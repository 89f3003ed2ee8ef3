/** Hooks: the suite of all observers, and what is this one's own: filter, order, environment, failures and timeouts. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  makePlugin,
  type RecordingLog,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { observerConformance, timelineEntry } from "@understudy/core/conformance/observer";
import { until } from "@understudy/core/conformance/until";
import type { Observer } from "@understudy/core/public";
import exec from "../src/plugin.js";

function make(hooks: readonly object[], log: RecordingLog = recordingLog()): Observer {
  return makePlugin(exec, { hooks }, { node: testNode(), log });
}

interface Scratch {
  readonly file: string;
  text(): string;
  lines(): readonly string[];
  remove(): void;
}

function scratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "understudy-hooks-"));
  const file = join(folder, "out");
  const text = () => (existsSync(file) ? readFileSync(file, "utf8") : "");
  return {
    file,
    text,
    lines: () => text().split("\n").filter(Boolean),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

observerConformance({
  name: "exec",
  async make() {
    const out = scratch();
    const observer = make([{ command: { shell: `cat >> ${out.file}` }, kinds: "all" }]);
    const seen = () => out.lines().map((line) => String(JSON.parse(line).what));
    return { observer, seen, dispose: out.remove };
  },
  async makeBroken() {
    const observer = make([
      { command: ["/nonexistent/hook"] },
      { command: ["false"] },
      { command: ["sleep", "600"], timeoutMs: 100 },
    ]);
    return { observer, seen: () => [], dispose() {} };
  },
});

test("only role changes and alarms by default, and what is asked for otherwise", async () => {
  const out = scratch();
  const observer = make([
    { command: { shell: `echo default $UNDERSTUDY_KIND >> ${out.file}` } },
    { command: { shell: `echo peers $UNDERSTUDY_KIND >> ${out.file}` }, kinds: ["peer"] },
  ]);
  for (const kind of ["role", "peer", "alarm", "epoch"]) await observer.observe(timelineEntry({ kind }));
  assert.deepEqual(out.lines(), ["default role", "peers peer", "default alarm"]);
  out.remove();
});

test("hooks run in their order and never two at a time, also when calls overlap", async () => {
  const out = scratch();
  const observer = make([
    { command: { shell: `echo first-begins >> ${out.file}; sleep 0.05; echo first-ends >> ${out.file}` } },
    { command: { shell: `echo second >> ${out.file}` } },
  ]);
  await Promise.all([observer.observe(timelineEntry()), observer.observe(timelineEntry())]);
  const once = ["first-begins", "first-ends", "second"];
  assert.deepEqual(out.lines(), [...once, ...once]);
  out.remove();
});

test("a hook that fails is logged with code and output, and the next one runs", async () => {
  const out = scratch();
  const log = recordingLog();
  const observer = make(
    [{ command: { shell: "echo oh dear >&2; exit 7" } }, { command: { shell: `echo next >> ${out.file}` } }],
    log,
  );
  await observer.observe(timelineEntry());
  assert.deepEqual(out.lines(), ["next"]);
  const failed = log.lines.find(({ message }) => message === "a hook failed");
  assert.equal(failed?.fields.result, "exit code 7");
  assert.equal(failed?.fields.output, "oh dear");
  assert.match(observer.describe(), /2 hooks: .*1 failed, last .*exit code 7/);
  out.remove();
});

test("a hook that hangs is ended with all it started, and the next one runs", async () => {
  const out = scratch();
  let timeoutMs = 200;
  // A busy machine may not have come to the point where it hangs.
  do {
    timeoutMs *= 2;
    const log = recordingLog();
    const hang = { command: { shell: `sleep 600 & echo $! > ${out.file}; wait` }, timeoutMs };
    const observer = make([hang, { command: { shell: "exit 0" } }], log);
    await observer.observe(timelineEntry());
    const results = log.lines.map(({ fields }) => fields.result);
    assert.deepEqual(results, [`no end within ${timeoutMs} ms`, "exit code 0"]);
  } while (out.text() === "" && timeoutMs < 10_000);
  const pid = Number(out.text());
  assert.ok(pid > 1);
  await until("its child to be gone", () => !isAlive(pid));
  out.remove();
});

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("the environment says who, what and when, and the hook's own variables are there", async () => {
  const out = scratch();
  const observer = make([
    {
      command: { shell: `env | grep -E '^(UNDERSTUDY_|MAIL)' | sort > ${out.file}` },
      environment: { MAIL: "ops@x" },
    },
  ]);
  await observer.observe(timelineEntry());
  // Whoever runs the tests may have set some, such as UNDERSTUDY_LONG.
  const inherited = Object.keys(process.env);
  const added = out.lines().filter((line) => !inherited.includes(line.split("=")[0] ?? ""));
  assert.deepEqual(added, [
    "MAIL=ops@x",
    "UNDERSTUDY_AT=2026-01-02T03:04:05.678Z",
    "UNDERSTUDY_CLUSTER=test",
    "UNDERSTUDY_EPOCH=7",
    "UNDERSTUDY_FROM=standby",
    "UNDERSTUDY_HA_ADDRESSES=127.0.0.3",
    "UNDERSTUDY_KIND=role",
    "UNDERSTUDY_NODE=one",
    "UNDERSTUDY_PEER=two",
    "UNDERSTUDY_SIDE=primary",
    "UNDERSTUDY_TO=claiming",
    "UNDERSTUDY_WHAT=standby -> claiming: the other node is gone",
  ]);
  out.remove();
});

test("an alarm says its code, and whether it is raised or over", async () => {
  const out = scratch();
  const observer = make([{ command: { shell: `echo $UNDERSTUDY_ALARM $UNDERSTUDY_RAISED >> ${out.file}` } }]);
  for (const raised of [true, false]) {
    await observer.observe(timelineEntry({ kind: "alarm", details: { code: "PEER_DEAD", raised } }));
  }
  assert.deepEqual(out.lines(), ["PEER_DEAD true", "PEER_DEAD false"]);
  out.remove();
});

for (const [what, options, message] of [
  ["no hook", { hooks: [] }, /hooks/],
  ["an empty command", { hooks: [{ command: [] }] }, /command/],
  ["a command that is a bare string", { hooks: [{ command: "rm -rf" }] }, /command/],
  [
    "timeouts that add up to too much",
    { hooks: [30_000, 30_000].map((timeoutMs) => ({ command: ["x"], timeoutMs })) },
    /55000/,
  ],
  ["a misspelt option", { hooks: [{ command: ["x"], kind: "role" }] }, /kind/],
] as const) {
  test(`${what} is refused by the schema`, () => {
    assert.throws(() => makePlugin(exec, options, { node: testNode(), log: recordingLog() }), message);
  });
}
