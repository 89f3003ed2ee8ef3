/**
 * Two Redis servers on loopback as durable as Redis 7.0 can be made: both write their log through with every command
 * (`appendfsync always`), and each writer waits for the replica (`WAIT 1`). Redis counts a replica as soon as it has
 * received; that it has written through as well is not part of its promise, as it is of ours.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { attributesOf } from "./figures.js";
import { connectRedis, type RedisConnection } from "./redis-client.js";
import { runWriters, type WritersFigures } from "./writers.js";

const ports = { master: 26_379, replica: 26_380 } as const;

export interface RedisPair {
  readonly version: string;
  /** Of both servers, and of the writers. */
  pids(): readonly (number | undefined)[];
  run(writers: number, milliseconds: number): Promise<WritersFigures>;
  /** Fills a master with so many records and returns how long an empty replica takes until it has them, seconds. */
  catchUp(records: number): Promise<number>;
  stop(): Promise<void>;
}

function startServer(folder: string, port: number, ...more: readonly string[]): ChildProcess {
  mkdirSync(folder, { recursive: true });
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--dir",
    folder,
    "--save",
    "",
    "--appendonly",
    "yes",
  ];
  return spawn("redis-server", [...args, "--appendfsync", "always", "--loglevel", "warning", ...more], {
    stdio: "ignore",
  });
}

async function untilConnected(port: number): Promise<RedisConnection> {
  for (let tries = 0; ; tries += 1) {
    try {
      const connection = await connectRedis(port);
      await connection.send("PING");
      return connection;
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function untilInStep(replica: RedisConnection): Promise<void> {
  for (;;) {
    const info = String(await replica.send("INFO", "replication"));
    if (info.includes("master_link_status:up") && info.includes("master_sync_in_progress:0")) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A record under a key like ours: id, user, agent, time and attributes. */
function recordOf(writer: number, number: number): readonly [key: string, value: string] {
  const key = `session:${writer.toString(36).padStart(4, "0")}:${number.toString(36).padStart(12, "0")}`;
  return [
    key,
    `user-${writer}-${number} agent-${number % 50} 2026-11-24T05:40:08.123Z ${attributesOf(number)}`,
  ];
}

async function stopServer(server: ChildProcess | undefined): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill("SIGKILL");
  await exited;
}

export async function startRedisPair(folder: string): Promise<RedisPair> {
  const version =
    execFileSync("redis-server", ["--version"], { encoding: "utf8" }).match(/v=(\S+)/)?.[1] ?? "?";
  const master = startServer(join(folder, "master"), ports.master);
  const control = await untilConnected(ports.master);
  const follow = ["--replicaof", "127.0.0.1", String(ports.master)];
  let replica = startServer(join(folder, "replica"), ports.replica, ...follow);
  let watching = await untilConnected(ports.replica);
  await untilInStep(watching);

  async function run(writers: number, milliseconds: number): Promise<WritersFigures> {
    const connections = await Promise.all(Array.from({ length: writers }, () => connectRedis(ports.master)));
    const salt = `${writers}.${Date.now()}`;
    const figures = await runWriters(writers, milliseconds, async (writer, number) => {
      const connection = connections[writer];
      const [key, value] = recordOf(writer, number);
      const written = connection?.send("SET", `${key}:${salt}`, value);
      const replicas = await connection?.send("WAIT", "1", "0");
      await written;
      return replicas === 1 ? "replicated" : "solo";
    });
    for (const connection of connections) connection.close();
    return figures;
  }

  async function catchUp(records: number): Promise<number> {
    watching.close();
    await stopServer(replica);
    await control.send("CONFIG", "SET", "appendfsync", "no");
    for (let number = 0; number < records; ) {
      const words: string[] = ["MSET"];
      for (let count = 0; count < 1000; count += 1, number += 1) words.push(...recordOf(0, number));
      await control.send(...words);
    }
    await control.send("CONFIG", "SET", "appendfsync", "always");
    const startMs = performance.now();
    replica = startServer(join(folder, "replica-again"), ports.replica, ...follow);
    watching = await untilConnected(ports.replica);
    await untilInStep(watching);
    return (performance.now() - startMs) / 1000;
  }

  return {
    version,
    pids: () => [master.pid, replica.pid, process.pid],
    run,
    catchUp,
    async stop() {
      control.close();
      watching.close();
      await stopServer(replica);
      await stopServer(master);
    },
  };
}
