/** Runs on a small disk: fills it through the store, and reports as JSON what still worked. */

import { existsSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { rowOf } from "@understudy/core/conformance/session-rows";
import type { SessionStore } from "@understudy/core/public";
import { failureOf, putAll, storeAt } from "./stores.js";

const folder = process.argv[2] ?? "";
const path = join(folder, "sessions.db");

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Groups of 50 until one is refused. */
function fillUp(store: SessionStore): { committed: number; kind: string | undefined } {
  for (let committed = 0; ; committed += 50) {
    const rows = Array.from({ length: 50 }, (_, at) => rowOf(committed + at + 1));
    const failure = failureOf(() => putAll(store, rows));
    if (failure !== undefined) return { committed, kind: failure.kind };
  }
}

function endAll(store: SessionStore, count: number): number {
  for (let number = 1; number <= count; number += 1) {
    putAll(store, [rowOf(number, { ended: true, sequence: count + 1000 + number })]);
  }
  return store.size().ended;
}

async function untilRoom(store: SessionStore): Promise<boolean> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (failureOf(() => putAll(store, [rowOf(900_001)])) === undefined) return true;
    await pause(100);
  }
  return false;
}

let store = storeAt(path);
store.open();
const ballastBefore = statSync(`${path}.ballast`).blocks * 512;
const filler = join(folder, "filler");
writeFileSync(filler, Buffer.alloc(4 * 1024 * 1024, 1));
const filled = fillUp(store);
const afterFull = {
  ...filled,
  ballastBefore,
  ballastAfter: existsSync(`${path}.ballast`),
  running: store.size().running,
  readable: store.get(rowOf(filled.committed).id)?.sequence === filled.committed,
  lastGroupAbsent: store.get(rowOf(filled.committed + 1).id) === undefined,
  description: store.describe(),
  refusesNew: failureOf(() => putAll(store, [rowOf(900_000)]))?.kind,
};
const ended = endAll(store, filled.committed);
store.close();
const freeAtClose = freeBytes();
store = storeAt(path);
const opening = store.open();
const reopened = {
  opening,
  ended: store.size().ended,
  refusesNew: failureOf(() => putAll(store, [rowOf(900_000)]))?.kind,
};
store.begin();
const removed = store.removeEnded(rowOf(1).origin, Number.MAX_SAFE_INTEGER);
store.commit();
rmSync(filler);
const roomAgain = await untilRoom(store);
const last = {
  roomAgain,
  ballast: statSync(`${path}.ballast`).size,
  found: store.get(rowOf(900_001).id)?.id,
};
store.close();
console.log(JSON.stringify({ afterFull, ended, freeAtClose, reopened, removed, last }));
