/**
 * The node process: starts the parts, tells systemd, and ends in order on SIGTERM. Anything unforeseen ends it at once
 * with a line in the log; pulse notices, and whoever started it starts it again.
 */

import { mkdirSync } from "node:fs";
import { loadConfig } from "../config/load.js";
import { nodeError } from "../errors/node.js";
import { openSystemdNotify, type SystemdNotify } from "../ipc/sd-notify.js";
import { createLog, type ProcessLog } from "../log.js";
import { composeNode } from "./compose.js";
import { createNode, type Node } from "./node.js";

export interface NodeOptions {
  /** Undefined: where `loadConfig` looks by itself. */
  readonly configFile: string | undefined;
  /** Which of the two nodes this is; undefined: found by address or host name. */
  readonly node?: string | undefined;
}

/** EX_SOFTWARE: something that must not happen. */
const exitFailed = 70;
/** Every step of a stop has its own end; this bounds what they do not know of. */
const stopLimitMs = 20_000;
const statusEveryMs = 1000;

/** Runs until SIGTERM or SIGINT has been obeyed. Throws an UnderstudyError when it cannot start. */
export async function runNode(options: NodeOptions): Promise<void> {
  const notify = await openSystemdNotify();
  const local = await loadConfig(options.configFile, { node: options.node });
  const { config, self } = local;
  const log = createLog({ level: config.log.level, fields: { node: self.name, process: "node" } });
  const die = (error: unknown) => endAtOnce(error, log);
  process.on("uncaughtException", die);
  process.on("unhandledRejection", die);
  try {
    makeFolders([config.folders.state, config.folders.run]);
    const parts = await composeNode(local, { configFile: options.configFile, node: options.node, log });
    const node = createNode(parts);
    const asked = askedToEnd(log);
    await node.start();
    const quiet = keepSystemdInformed(notify, node);
    log.info({ pid: process.pid, version: parts.version }, "the node process runs");
    await asked;
    notify.stopping();
    await node.stop();
    quiet();
    log.info({}, "the node process has ended in order");
  } finally {
    process.off("uncaughtException", die);
    process.off("unhandledRejection", die);
    log.flush();
    notify.close();
  }
}

function makeFolders(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw nodeError("NODE_FOLDER", `cannot make the folder ${folder}: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
}

function endAtOnce(error: unknown, log: ProcessLog): void {
  log.error({ error, code: "NODE_FAILED" }, "node ends at once: something happened that must not");
  log.flush();
  process.exit(exitFailed);
}

function askedToEnd(log: ProcessLog): Promise<void> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      log.info({ signal }, "node was asked to end");
      setTimeout(() => {
        log.error({ limitMs: stopLimitMs }, "node could not end in order");
        log.flush();
        process.exit(exitFailed);
      }, stopLimitMs).unref();
      resolve();
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  });
}

/** Returns what ends it. */
function keepSystemdInformed(notify: SystemdNotify, node: Node): () => void {
  const words = (): string => {
    const { pulse } = node.status();
    return pulse === undefined ? "waiting for pulse" : `${pulse.role}, epoch ${pulse.epoch}`;
  };
  notify.ready(words());
  let said = words();
  const statusTimer = setInterval(() => {
    if (words() === said) return;
    said = words();
    notify.status(said);
  }, statusEveryMs);
  const { watchdogMs } = notify;
  const watchdogTimer =
    watchdogMs === undefined ? undefined : setInterval(() => notify.watchdog(), watchdogMs / 2);
  return () => {
    clearInterval(statusTimer);
    clearInterval(watchdogTimer);
  };
}
