/**
 * A real Mosquitto of a test's own on a loopback port, which can be killed, stopped, continued and started again on the
 * same port. It ends with the test process, whatever happens to that. Only inside a private network: its ports are fixed.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@understudy/core/conformance/until";

export interface Mosquitto {
  readonly port: number;
  /** Of its own, for password and access files; removed with it. */
  readonly folder: string;
  start(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  remove(): Promise<void>;
}

export interface MosquittoOptions {
  /** Lines of mosquitto.conf(5) after the listener's. Default: everybody may. */
  config?(folder: string): readonly string[];
}

/** Not started yet. */
export async function makeMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-mosquitto-"));
  const port = freePort();
  const lines = options.config?.(folder) ?? ["allow_anonymous true"];
  const file = join(folder, "mosquitto.conf");
  // It would become the user mosquitto, who may not read the folder.
  const all = ["user root", "log_dest stderr", `listener ${port} 127.0.0.1`, ...lines, ""];
  writeFileSync(file, all.join("\n"));
  let child: ChildProcess | undefined;

  async function kill(): Promise<void> {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = once(ending, "exit");
    ending.kill("SIGKILL");
    await exited;
  }

  return {
    port,
    folder,
    async start() {
      // Debian keeps it in /usr/sbin, which is not on everybody's path.
      const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
      const args = ["--pdeathsig", "KILL", "mosquitto", "-c", file];
      const started = spawn("setpriv", args, { env, stdio: ["ignore", "ignore", "pipe"] });
      child = started;
      let said = "";
      started.stderr?.on("data", (chunk: Buffer) => {
        said = `${said}${chunk}`.slice(-4000);
      });
      await until("Mosquitto to listen", async () => {
        if (started.exitCode !== null) throw new Error(`Mosquitto ended: ${said}`);
        return await listens(port);
      });
    },
    signal(name) {
      if (child?.kill(name) !== true) throw new Error(`no Mosquitto to send ${name} to`);
    },
    kill,
    async remove() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

let lastPort = 1883;

/**
 * Below the range that the kernel gives to outgoing connections: one of those on the port of a broker that is down keeps
 * it from coming back, and one that asks for that port may even be connected to itself.
 */
export function freePort(): number {
  lastPort += 1;
  return lastPort;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
