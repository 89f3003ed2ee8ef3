/**
 * Runs the groups of tests in order and adds up what they say. A group that holds no file is named as such,
 * and counts as a failure under CI, because a suite that vanished must not look like one that passed.
 */
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

interface Group {
  readonly name: string;
  readonly globs: readonly string[];
  readonly concurrency: number;
}

const groups: readonly Group[] = [
  {
    name: "unit",
    globs: ["{core,plugins/*,appliance}/dist/test/**/*.test.js", "test/dist/tidy/**/*.test.js"],
    concurrency: 2,
  },
  { name: "scenario", globs: ["test/dist/scenarios/**/*.test.js"], concurrency: 2 },
  { name: "package", globs: ["test/dist/package/**/*.test.js"], concurrency: 1 },
  // The sweep over seeds uses all cores by itself.
  { name: "simulation", globs: ["test/dist/simulation/**/*.test.js"], concurrency: 1 },
  // Each cluster test owns both cores' timing, so two at once would judge each other's load.
  {
    name: "cluster",
    globs: ["test/dist/lab/**/*.test.js", "test/dist/cluster/**/*.test.js"],
    concurrency: 1,
  },
];

const testLimitMs = 420_000;

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
}

function filesOf(group: Group): string[] {
  const found = group.globs.flatMap((glob) => globSync(glob, { cwd: root }));
  return found.sort();
}

function countOf(output: string, word: string): number {
  return Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(output)?.[1] ?? 0);
}

function runFiles(files: readonly string[], concurrency: number): Promise<Outcome> {
  const args = [
    "--enable-source-maps",
    `--import=${new URL("./leftovers.js", import.meta.url).href}`,
    "--test",
    "--test-reporter=tap",
    // Only a test that hangs takes so long: it fails, and names itself.
    `--test-timeout=${testLimitMs}`,
    `--test-concurrency=${concurrency}`,
    ...files,
  ];
  // A runner started inside another test would report to that one and print no totals.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    // A file that is stuck in one call cannot be timed from inside. Ended, the runner names the files under way.
    const stuck = setTimeout(() => child.kill("SIGTERM"), testLimitMs * 1.5);
    const keep = (chunk: Buffer) => {
      chunks.push(chunk);
      stuck.refresh();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(stuck);
      resolve(judge(Buffer.concat(chunks).toString(), code));
    });
  });
}

function judge(output: string, code: number | null): Outcome {
  const skipped = countOf(output, "skipped") + countOf(output, "todo");
  const failed =
    countOf(output, "fail") + countOf(output, "cancelled") + (process.env.CI === "true" ? skipped : 0);
  // A runner that died before its totals has proven nothing, whatever it counted.
  return { passed: countOf(output, "pass"), failed: code === 0 ? failed : Math.max(1, failed), output };
}

async function runGroup(group: Group): Promise<Outcome> {
  const files = filesOf(group);
  if (files.length === 0) {
    const failed = process.env.CI === "true" ? 1 : 0;
    console.log(`${group.name}: no test files`);
    return { passed: 0, failed, output: `${group.name}: no test files` };
  }
  const startedMs = performance.now();
  const outcome = await runFiles(files, group.concurrency);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(
    `${group.name}: ${outcome.passed} passed, ${outcome.failed} failed in ${seconds} s (${files.length} files)`,
  );
  return outcome;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !groups.some((group) => group.name === name));
if (unknown.length > 0) {
  console.error(
    `no such group: ${unknown.join(", ")}; there are ${groups.map((group) => group.name).join(", ")}`,
  );
  process.exit(2);
}
const outcomes: Outcome[] = [];
for (const group of groups.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  outcomes.push(await runGroup(group));
}
for (const { output } of outcomes.filter(({ failed }) => failed > 0)) console.log(`\n${output}`);
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
// A run in which nothing passed is no success: it means that nothing was tested.
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
