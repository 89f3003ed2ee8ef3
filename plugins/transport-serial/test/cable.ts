/**
 * A cable for tests: two pseudo terminals that socat(1) joins, each under a name that stays. Pulling it ends both like an
 * adapter that is unplugged; plugging it in again makes new ones under the same names.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@understudy/core/conformance/until";

export interface Cable {
  readonly a: string;
  readonly b: string;
  pull(): Promise<void>;
  plug(): Promise<void>;
  /** Pulls it for good. */
  remove(): Promise<void>;
}

export async function layCable(): Promise<Cable> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-serial-"));
  const a = join(folder, "a");
  const b = join(folder, "b");
  let socat: ChildProcess | undefined;
  const pull = async (): Promise<void> => {
    const running = socat;
    socat = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGTERM");
    await ended;
    await until("both ends of the cable to be gone", () => !existsSync(a) && !existsSync(b));
  };
  const plug = async (): Promise<void> => {
    const end = (link: string) => `PTY,link=${link},raw,echo=0`;
    const started = spawn("socat", ["-d", "-d", end(a), end(b)], { stdio: ["ignore", "ignore", "pipe"] });
    socat = started;
    let said = "";
    started.stderr.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    // The names are there before the settings are: who opens one then finds another program changing them.
    await until("both ends of the cable to be there and joined", () => {
      if (started.exitCode !== null) throw new Error(`socat ended: ${said}`);
      return said.includes("starting data transfer loop");
    });
  };
  await plug();
  return {
    a,
    b,
    pull,
    plug,
    async remove() {
      await pull();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
