/**
 * The takeover benchmark as one command: our pair in both profiles, keepalived at its fastest and by its defaults, and
 * an address moved by hand, in the same lab and the same run.
 *
 *     node test/dist/bench/main.js [--repetitions 10] [--soak-minutes 0] [--only "power loss"]
 */

import { readFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { byHand } from "./by-hand.js";
import type { Contender } from "./contender.js";
import { cpuMsOf } from "./cpu-time.js";
import { table as markdown } from "./figures.js";
import { keepalived } from "./keepalived.js";
import { loadNow } from "./load.js";
import { soak } from "./soak.js";
import {
  type Fault,
  faults,
  type Measured,
  makeBenchSegment,
  measure,
  servingFaults,
  table,
} from "./takeover.js";
import { shortened, understudy } from "./understudy.js";

const { values } = parseArgs({
  options: {
    repetitions: { type: "string", default: "10" },
    "soak-minutes": { type: "string", default: "0" },
    only: { type: "string" },
  },
});
const repetitions = Number(values.repetitions);
const soakMinutes = Number(values["soak-minutes"]);

const ours = [
  understudy("understudy, standard", {}),
  understudy("understudy, fast", { heartbeat: { profile: "fast" } }),
];
const theirs = [keepalived("keepalived, 10 ms adverts", 0.01), keepalived("keepalived, defaults", 1)];

const progress = (line: string) => process.stderr.write(`${line} (load ${loadNow()})\n`);

function wanted(all: readonly Fault[]): readonly Fault[] {
  return all.filter(({ name }) => values.only === undefined || name === values.only);
}

/** keepalived by its defaults needs some four seconds. */
function slower(all: readonly Fault[]): readonly Fault[] {
  return all.map((fault) => ({ ...fault, watchMs: Math.max(fault.watchMs, 6000) }));
}

async function takeovers(): Promise<void> {
  const rows = new Map<string, { name: string; measured: Measured }[]>();
  const add = async (contender: Contender, which: readonly Fault[], count: number) => {
    if (which.length === 0) return;
    for (const measured of await measure(contender, which, count, progress)) {
      rows.set(measured.fault, [...(rows.get(measured.fault) ?? []), { name: contender.name, measured }]);
    }
  };
  for (const contender of ours) await add(contender, wanted([...faults, ...servingFaults]), repetitions);
  await add(theirs[0] as Contender, wanted(faults), repetitions);
  await add(theirs[1] as Contender, slower(wanted(faults)), Math.min(repetitions, 3));
  await add(byHand, wanted(faults.filter(({ name }) => name.startsWith("planned"))), repetitions);
  for (const [fault, lines] of rows) console.log(`${table(fault, lines)}\n`);
}

function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;
}

/** Memory and time of an idle pair, its standby: ten seconds. */
async function cost(): Promise<void> {
  const lines: string[][] = [];
  for (const contender of [...ours, ...theirs]) {
    const segment = await makeBenchSegment();
    const pair = await contender.start(segment);
    const pids = pair.processes("secondary");
    const before = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuMsOf([pid])]));
    const seconds = 10;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    for (const [name, pid] of Object.entries(pids)) {
      const share = (cpuMsOf([pid]) - (before[name] ?? 0)) / (10 * seconds);
      lines.push([contender.name, name, residentMb(pid).toFixed(0), share.toFixed(1)]);
    }
    await pair.stop();
    segment.close();
  }
  console.log(
    `**An idle standby**\n\n${markdown(["pair", "process", "resident MB", "% of a core"], lines)}\n`,
  );
}

async function soaks(): Promise<void> {
  const lines: string[][] = [];
  for (const contender of [...ours, theirs[0] as Contender]) {
    const { moves, worstGapMs, bothMs, load } = await soak(contender, soakMinutes, 7);
    progress(`${contender.name}: ${soakMinutes} minutes of overload`);
    const figures = [soakMinutes, moves, worstGapMs.toFixed(0), bothMs, load];
    lines.push([contender.name, ...figures.map(String)]);
  }
  const head = ["pair", "minutes", "moves of the address", "worst ARP gap, ms", "both answering, ms", "load"];
  console.log(`**Both cores overloaded, nothing failing**\n\n${markdown(head, lines)}\n`);
}

console.log(
  `Milliseconds without an answer for a client that asks every millisecond: min / median / max.\n` +
    `${cpus().length} cores (${cpus()[0]?.model}), Linux ${release()}, Node ${process.version}, load at the start ${loadNow()}.\n` +
    `Between faults: ${shortened}.\n`,
);
await takeovers();
if (values.only === undefined) await cost();
if (soakMinutes > 0) await soaks();
process.exit();
