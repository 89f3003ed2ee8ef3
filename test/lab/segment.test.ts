/**
 * Shows that the lab's own faults are real: what is cut does not answer, what lost power is dead and silent,
 * and nothing is left on the host afterwards. Without this a cluster test could pass because a fault did nothing.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, test } from "node:test";
import { until, within } from "@understudy/core/conformance/until";
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

/** On a busy machine arping may not get to read its answer in its second. */
const answered = (machine: string) => until(`the ${machine} to answer`, () => answers(machine));

test("a cut machine does not answer, its neighbour does, and mending brings it back", async () => {
  await answered("primary");
  segment.cut("primary");
  assert.equal(answers("primary"), false);
  await answered("secondary");
  segment.mend("primary");
  await answered("primary");
});

test("power loss kills every process of the machine and only of that one", async () => {
  const lost = segment.start("primary", "sleep", ["60"], { stdio: "ignore" });
  const kept = segment.start("secondary", "sleep", ["60"], { stdio: "ignore" });
  await Promise.all([once(lost, "spawn"), once(kept, "spawn")]);
  await until("both run", () => inNamespace("primary") === 1 && inNamespace("secondary") === 1);
  await answered("primary");
  const ended = once(lost, "exit");
  segment.losePower("primary");
  assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.equal(answers("primary"), false);
  assert.equal(inNamespace("secondary"), 1);
});

test("a pause stops every process and a resume lets it go on", async () => {
  const child = segment.start("primary", "sleep", ["60"], { stdio: "ignore" });
  await once(child, "spawn");
  await until("it runs", () => inNamespace("primary") === 1);
  const [pid] = segment.signal("primary", "SIGSTOP");
  assert.ok(pid !== undefined);
  await until("it is stopped", () => processState(pid) === "T");
  segment.signal("primary", "SIGCONT");
  await until("it goes on", () => processState(pid) !== "T");
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
  try {
    await within("the lab is made", once(lab.stdout, "data"));
    const own = () => execFileSync("ip", ["netns", "list"], { encoding: "utf8" }).includes(`us${lab.pid}x`);
    assert.equal(own(), true);
    const ended = once(lab, "exit");
    lab.kill("SIGINT");
    await within("the end of the lab", ended);
    assert.equal(own(), false);
  } finally {
    lab.kill("SIGTERM");
  }
});

function inNamespace(machine: string): number {
  const pids = execFileSync("ip", ["netns", "pids", segment.machine(machine).namespace], {
    encoding: "utf8",
  });
  return pids.split("\n").filter(Boolean).length;
}
