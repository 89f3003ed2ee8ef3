/**
 * Shows that the lab's own faults are real: what is cut does not answer, what lost power is dead and silent,
 * and nothing is left on the host afterwards. Without this a cluster test could pass because a fault did nothing.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, test } from "node:test";
import { makeSegment, processState, type Segment } from "./segment.js";

let segment: Segment;

beforeEach(() => {
  segment = makeSegment({ primary: "10.77.0.2", secondary: "10.77.0.3", client: "10.77.0.9" });
});
afterEach(() => segment.close());

/** Asks by ARP, from the client. Only arping's own "no answer" counts as silence: a missing tool must not. */
function answers(machine: string): boolean {
  const { namespace } = segment.machine("client");
  const { address } = segment.machine(machine);
  const args = ["netns", "exec", namespace, "arping", "-c", "1", "-w", "1", "-I", "eth0", address];
  const asked = spawnSync("ip", args, { encoding: "utf8" });
  assert.match(asked.stdout, /^Received \d+ response/m, `arping did not run: ${asked.stderr}`);
  return !/^Received 0 response/m.test(asked.stdout);
}

test("a cut machine does not answer, its neighbour does, and mending brings it back", () => {
  assert.equal(answers("primary"), true);
  segment.cut("primary");
  assert.equal(answers("primary"), false);
  assert.equal(answers("secondary"), true);
  segment.mend("primary");
  assert.equal(answers("primary"), true);
});

test("power loss kills every process of the machine and only of that one", async () => {
  const lost = segment.start("primary", "sleep", ["60"], { stdio: "ignore" });
  const kept = segment.start("secondary", "sleep", ["60"], { stdio: "ignore" });
  await Promise.all([once(lost, "spawn"), once(kept, "spawn")]);
  await until(() => inNamespace("primary") === 1 && inNamespace("secondary") === 1);
  assert.equal(answers("primary"), true);
  const ended = once(lost, "exit");
  segment.losePower("primary");
  assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.equal(answers("primary"), false);
  assert.equal(inNamespace("secondary"), 1);
});

test("a pause stops every process and a resume lets it go on", async () => {
  const child = segment.start("primary", "sleep", ["60"], { stdio: "ignore" });
  await once(child, "spawn");
  await until(() => inNamespace("primary") === 1);
  const [pid] = segment.signal("primary", "SIGSTOP");
  assert.ok(pid !== undefined);
  await until(() => processState(pid) === "T");
  segment.signal("primary", "SIGCONT");
  await until(() => processState(pid) !== "T");
});

test("closing leaves neither namespace nor process", () => {
  const names = [...segment.machines.values()].map(({ namespace }) => namespace);
  segment.close();
  const left = execFileSync("ip", ["netns", "list"], { encoding: "utf8" });
  for (const name of names) assert.equal(left.includes(name), false);
});

test("an interrupted lab leaves nothing behind either", async () => {
  const module = new URL("./segment.js", import.meta.url).href;
  const script = `import { makeSegment } from "${module}";
    makeSegment({ a: "10.77.1.2" }); console.log("made"); setInterval(() => {}, 1000);`;
  const lab = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(lab.stdout, "data");
  const own = () => execFileSync("ip", ["netns", "list"], { encoding: "utf8" }).includes(`us${lab.pid}x`);
  assert.equal(own(), true);
  const ended = once(lab, "exit");
  lab.kill("SIGINT");
  await ended;
  assert.equal(own(), false);
});

function inNamespace(machine: string): number {
  const pids = execFileSync("ip", ["netns", "pids", segment.machine(machine).namespace], {
    encoding: "utf8",
  });
  return pids.split("\n").filter(Boolean).length;
}

/** Asks again until it holds; the deadline only ends a test that would otherwise hang. */
async function until(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error("did not come true within 5 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
