/** Folders and stores for the tests of this plugin, and programs of theirs that run in a process of their own. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type SessionRow, type SessionStore, StoreFailure } from "@understudy/core/public";
import { createSqliteStore } from "../src/sqlite-store.js";

export const ballastBytes = 4 * 1024 * 1024;

export function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "understudy-sqlite-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function storeAt(path: string): SessionStore {
  return createSqliteStore({ path, ballastBytes });
}

export function putAll(store: SessionStore, rows: readonly SessionRow[]): void {
  store.begin();
  for (const row of rows) store.put(row);
  store.commit();
}

/** Undefined when it did not fail. */
export function failureOf(work: () => void): StoreFailure | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof StoreFailure) return error;
    throw error;
  }
}

function programOf(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

export function start(program: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [programOf(program), ...args], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Runs a program of ours in a mount namespace with a small disk of memory at `folder`. Returns what it printed, as JSON. */
export function onSmallDisk(
  folder: string,
  mebibytes: number,
  program: string,
  ...args: readonly string[]
): unknown {
  const script = `mount -t tmpfs -o size=${mebibytes}m small "$0" && exec "$@"`;
  const run = spawnSync(
    "unshare",
    [
      "-rm",
      "sh",
      "-c",
      script,
      folder,
      process.execPath,
      "--enable-source-maps",
      programOf(program),
      folder,
      ...args,
    ],
    { encoding: "utf8", timeout: 120_000 },
  );
  if (run.status !== 0) throw new Error(`${program} ended with ${run.status ?? run.signal}: ${run.stderr}`);
  return JSON.parse(run.stdout);
}
