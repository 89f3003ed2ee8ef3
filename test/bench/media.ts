/**
 * The benchmark of media as one command: whether the serial lines of the lab keep the pace of real ones, how long each
 * medium takes to detect a dead node, and what company does to the UDP beats and to pulse.
 *
 *     node test/dist/bench/media.js [--runs 3] [--only detection|beats]
 */

import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { median } from "../lab/outage.js";
import { type Beats, beatHead, beatRows, type Company, measureBeats, together } from "./beat-jitter.js";
import { type Detected, detect } from "./detection.js";
import { table } from "./figures.js";
import { hanging, hangingPaths } from "./hanging/plugins.js";
import { measureLine } from "./line-pace.js";
import { loadNow } from "./load.js";
import { lineRates, type Medium, type Stage, setStage } from "./media-stage.js";
import { shortened } from "./understudy.js";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "3" }, only: { type: "string" } },
});
const runs = Number(values.runs);
/** A takeover takes some 5 s with the return; beats are watched for long enough to see one in a thousand. */
const beatSeconds = 20;
const mostBeatRuns = 3;

const progress = (line: string) => process.stderr.write(`${line} (load ${loadNow()})\n`);

const detections: readonly (readonly Medium[])[] = [
  ["udp"],
  ["serial 115200"],
  ["serial 9600"],
  ["mqtt"],
  ["udp", "serial 115200"],
  ["udp", "serial 9600"],
  ["udp", "mqtt"],
  ["udp", "serial 115200", "mqtt"],
];

const allMedia: readonly Medium[] = ["udp", "serial 115200", "mqtt"];

const companies: readonly Company[] = [
  { name: "UDP alone", config: (stage) => ({ heartbeat: { paths: stage.paths(["udp"]) } }) },
  {
    name: "UDP, serial and MQTT",
    config: (stage) => ({ heartbeat: { paths: stage.paths(allMedia) } }),
  },
  {
    name: "the same, and all kinds hanging",
    config: (stage) => ({ ...hanging, heartbeat: { paths: [...stage.paths(allMedia), ...hangingPaths] } }),
  },
];

function spread(times: readonly (number | undefined)[]): string {
  const known = times.filter((ms) => ms !== undefined);
  if (known.length === 0) return "never";
  const most = known.length === times.length ? Math.max(...known).toFixed(0) : "never";
  return `${Math.min(...known).toFixed(0)} / ${median(known).toFixed(0)} / ${most}`;
}

/** On an overloaded machine a pair may not come up in time: then its line is missing, and the others are still wanted. */
async function orGoOn(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    progress(what);
  } catch (error) {
    progress(`${what}: not measured, ${(error as Error).message.split("\n", 1)[0]}`);
  }
}

async function lines(stage: Stage): Promise<void> {
  const rows: string[][] = [];
  for (const baud of lineRates) rows.push([String(baud), ...(await measureLine(stage.lines[baud], baud))]);
  const head = [
    "baud",
    "104 bytes by arithmetic",
    "measured, ms",
    "a delivery later than due, p50 / p99 / max",
  ];
  console.log(`**The lines of the lab**\n\n${table(head, rows)}\n`);
}

async function detection(stage: Stage): Promise<void> {
  const found: Detected[] = [];
  for (const media of detections) {
    const name = media.join(" + ");
    await orGoOn(`detection: ${name}`, async () => void found.push(await detect(stage, media, runs)));
  }
  const rows = found.map(({ media, claimMs, gapMs }) => [
    media.join(" + "),
    spread(claimMs),
    spread(gapMs),
    String(claimMs.length),
  ]);
  const head = ["media", "until the claim", "without an answer at ARP", "n"];
  console.log(`**Power loss of the active node, by the media of the pair**\n\n${table(head, rows)}\n`);
}

async function beats(stage: Stage): Promise<void> {
  const all = new Map<Company, Beats[]>(companies.map((company) => [company, []]));
  // In turns, so that a busy minute of the machine meets each of them.
  for (let run = 0; run < Math.min(runs, mostBeatRuns); run += 1) {
    for (const [company, measured] of all) {
      await orGoOn(`beats: ${company.name}`, async () => {
        measured.push(await measureBeats(stage, company, beatSeconds));
      });
    }
  }
  const rows = [...all].flatMap(([{ name }, measured]) => beatRows(name, together(measured)));
  const lines = table(["company", ...beatHead], rows);
  console.log(`**How much later than 20 ms after the one before a UDP beat comes, ms**\n\n${lines}\n`);
}

console.log(
  `Milliseconds: min / median / max. ${cpus().length} cores (${cpus()[0]?.model}), Linux ${release()}, ` +
    `Node ${process.version}, load at the start ${loadNow()}.\nBetween faults: ${shortened}.\n`,
);
const stage = await setStage();
try {
  await lines(stage);
  if (values.only !== "beats") await detection(stage);
  if (values.only !== "detection") await beats(stage);
} finally {
  await stage.close();
}
process.exit();
