/**
 * The whole pair as its users have it: sessions created through HTTP at the HA address, and a takeover with many
 * sessions in the database beside one with none. Prints tables; asserts nothing.
 *
 *     node test/dist/bench/broker.js [--seconds 4] [--sessions 1000000]
 */

import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brokerServices } from "../cluster/broker.js";
import { outage } from "../lab/outage.js";
import { monotonicMs } from "../lab/packet-socket.js";
import { type Pair, pairHaAddress, startPair } from "../lab/pair.js";
import { startProbe } from "../lab/probe.js";
import { attributesOf, table } from "./figures.js";
import { loadNow } from "./load.js";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "4" }, sessions: { type: "string", default: "1000000" } },
});

interface LoadFigures {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

function load(pair: Pair, writers: number): LoadFigures {
  const { namespace } = pair.segment.machine("client");
  const script = fileURLToPath(new URL("./http-load.js", import.meta.url));
  const args = [script, `http://${pairHaAddress}:8080`, String(writers), values.seconds, `w${writers}`];
  const { stdout } = spawnSync("ip", ["netns", "exec", namespace, process.execPath, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(stdout) as LoadFigures;
}

function throughHttp(pair: Pair): void {
  const lines = [1, 16, 64, 256].map((writers) => {
    const { perSecond, medianMs, p99Ms, outcomes } = load(pair, writers);
    const what = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
    return [String(writers), perSecond.toFixed(0), medianMs.toFixed(2), p99Ms.toFixed(2), what.join(", ")];
  });
  const head = ["writers", "acknowledged/s", "median ms", "p99 ms", "answers"];
  console.log(`**Created through HTTP at the HA address**\n\n${table(head, lines)}\n`);
}

/** Rows as `understudy sessions export` writes them, then the command that reads them in. */
async function fill(pair: Pair, count: number): Promise<void> {
  const file = join(pair.folder, "sessions.jsonl");
  const descriptor = openSync(file, "w");
  for (let from = 0; from < count; from += 10_000) {
    let text = "";
    for (let number = from; number < Math.min(count, from + 10_000); number += 1) {
      const id = String(number).padStart(26, "0");
      text += `${JSON.stringify({
        id,
        user: `filled${number}`,
        agent: "agent1",
        createdAt: "2026-01-01T00:00:00.000Z",
        attributes: JSON.parse(attributesOf(number)) as object,
        state: "running",
      })}\n`;
    }
    writeSync(descriptor, text);
  }
  closeSync(descriptor);
  const { code, out, err } = await pair.node("primary").cli("sessions", "import", file);
  if (code !== 0) throw new Error(`the import failed: ${out}${err}`);
}

async function takeover(): Promise<number | undefined> {
  const probe = await startProbe(pair.segment, pairHaAddress, { httpPort: 8080, httpPath: "/v1/status" });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const fromMs = monotonicMs();
  // Not the pair's: that one stops the processes a moment before the wire is cut, which would flatter the figure.
  pair.segment.losePower("primary");
  await pair.node("primary").gone();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const result = await probe.stop();
  return outage(result, "http", fromMs)?.gapMs;
}

const pair = await startPair({ config: { services: brokerServices } });
try {
  console.log(`load at the start ${loadNow()}\n`);
  throughHttp(pair);
  const without = await takeover();
  await pair.returnPower("primary");
  await pair.settled("primary", 60_000);
  await fill(pair, Number(values.sessions));
  await pair.settled("primary", 120_000);
  const running = (await pair.node("secondary").status())?.sessions?.running;
  const withMany = await takeover();
  console.log(
    `Power loss, until the broker answers at the HA address again: ${without?.toFixed(0)} ms with few sessions, ` +
      `${withMany?.toFixed(0)} ms with ${running?.toLocaleString("en")}.`,
  );
} finally {
  await pair.close();
}
process.exit();
