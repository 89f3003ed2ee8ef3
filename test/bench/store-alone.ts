/**
 * How fast the SQLite store is by itself: for each session what a create does, a look for its id, a look for the user's
 * running session and a row of some 230 bytes, and a commit for each group. Empty, and with a million rows.
 *
 *     node test/dist/bench/store-alone.js [--rows 1000000]
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { idOf } from "@understudy/core/conformance/session-rows";
import type { SessionRow, SessionStore } from "@understudy/core/public";
import sqlite from "@understudy/store-sqlite";
import { disk } from "./disk-speed.js";
import { attributesOf, quantile, table } from "./figures.js";

const groups = [1, 16, 64, 256];
const millisecondsEach = 1500;

const { values } = parseArgs({ options: { rows: { type: "string", default: "1000000" } } });
const folder = mkdtempSync(join(tmpdir(), "understudy-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

function open(): SessionStore {
  const config = sqlite.config.parse({ path: join(folder, "sessions.db") });
  const store = sqlite.make(config, { folders: { state: folder, run: folder } });
  store.open();
  return store;
}

let sequence = 0;

function rowOf(number: number): SessionRow {
  const user = `user-${number}`;
  return {
    id: idOf(number),
    user,
    agent: `agent-${number % 50}`,
    createdAt: "2026-11-24T05:40:08.123Z",
    attributes: attributesOf(number),
    ended: false,
    overLimit: false,
    epoch: 1,
    origin: "p0123456789ab",
    sequence: number,
  };
}

/** Rows are made beforehand: what is measured is the store. */
function nextRows(count: number): SessionRow[] {
  return Array.from({ length: count }, () => {
    sequence += 1;
    return rowOf(sequence);
  });
}

function createAll(store: SessionStore, rows: readonly SessionRow[]): void {
  store.begin();
  for (const row of rows) {
    if (store.get(row.id) !== undefined || store.runningOf(row.user).length > 0) throw new Error("not new");
    store.put(row);
  }
  store.commit();
}

async function measure(store: SessionStore, label: string, group: number): Promise<string[]> {
  const commits: number[] = [];
  let busyMs = 0;
  let busyMicroseconds = 0;
  const endMs = performance.now() + millisecondsEach;
  while (performance.now() < endMs) {
    const rows = nextRows(group);
    const before = process.cpuUsage();
    const startMs = performance.now();
    createAll(store, rows);
    // Checkpoints run here: they are part of the price.
    await setImmediate();
    busyMs += performance.now() - startMs;
    commits.push(performance.now() - startMs);
    const { user, system } = process.cpuUsage(before);
    busyMicroseconds += user + system;
  }
  const sessions = commits.length * group;
  commits.sort((a, b) => a - b);
  return [
    label,
    String(group),
    Math.round((sessions / busyMs) * 1000).toLocaleString("en"),
    (busyMicroseconds / sessions).toFixed(1),
    quantile(commits, 0.5).toFixed(2),
    quantile(commits, 0.99).toFixed(2),
    quantile(commits, 1).toFixed(1),
  ];
}

async function fill(store: SessionStore, rows: number): Promise<void> {
  while (sequence < rows) {
    createAll(store, nextRows(2000));
    await setImmediate();
  }
}

function timed(work: () => void): string {
  const startMs = performance.now();
  work();
  return `${((performance.now() - startMs) / 1000).toFixed(2)} s`;
}

const lines: string[][] = [];
const diskLine = disk(folder);
let store = open();
for (const group of groups) lines.push(await measure(store, "empty", group));
const wanted = Number(values.rows);
await fill(store, wanted);
for (const group of groups) lines.push(await measure(store, wanted.toLocaleString("en"), group));
const { running, bytes } = store.size();
let copySeconds = 0;
const copyStartMs = performance.now();
const copy = join(folder, "copy");
await store.snapshot(copy, () => {});
copySeconds = (performance.now() - copyStartMs) / 1000;
const replacing = timed(() => store.replaceWith(copy));
const page = timed(() => store.list({ includeEnded: true, limit: 1000 }));
const scan = timed(() => store.list({ agent: "agent-7", includeEnded: false, limit: 1000 }));
store.close();
const opening = timed(() => {
  store = open();
});
store.close();

console.log(`Disk: ${diskLine}\n`);
console.log(
  table(
    ["rows at first", "group", "sessions/s", "CPU µs a session", "median ms", "p99 ms", "worst ms"],
    lines,
  ),
);
console.log(
  `\n${running.toLocaleString("en")} rows, ${(bytes / 1e6).toFixed(0)} MB: open and verify ${opening}, copy ${copySeconds.toFixed(2)} s, ` +
    `verify and replace ${replacing}, a page of 1000 by id ${page}, by agent ${scan}.`,
);
