/**
 * One node of the session benchmark in a process of its own: the session engine as node runs it, with a permit that is
 * always renewed, and the writers as its clients. It does what the benchmark says over the process channel.
 */

import type { LocalConfig } from "@understudy/core/internal/config/config";
import { createLog } from "@understudy/core/internal/log";
import type { SessionStatus } from "@understudy/core/internal/node/session-engine";
import { createSessionEngine } from "@understudy/core/internal/node/session-engine-start";
import { monotonicClock } from "@understudy/core/internal/pulse/clock";
import { attributesOf } from "./figures.js";
import { runWriters, type WritersFigures } from "./writers.js";

export interface NodeStart {
  readonly local: LocalConfig;
  readonly secret: readonly number[];
  /** The epoch it serves under; undefined: it stands by. */
  readonly epoch: number | undefined;
}

export type NodeOrder =
  | { readonly order: "start"; readonly start: NodeStart }
  | { readonly order: "write"; readonly writers: number; readonly milliseconds: number }
  | { readonly order: "fill"; readonly sessions: number }
  | { readonly order: "status" }
  | { readonly order: "stop" };

export type NodeAnswer =
  | { readonly answer: "started" }
  | { readonly answer: "written"; readonly figures: WritersFigures }
  | { readonly answer: "filled" }
  | { readonly answer: "status"; readonly status: SessionStatus; readonly rssBytes: number }
  | { readonly answer: "stopped" };

type Engine = ReturnType<typeof createSessionEngine>;

let engine: Engine | undefined;
let renewal: NodeJS.Timeout | undefined;
let salt = 0;

function tell(answer: NodeAnswer): void {
  process.send?.(answer);
}

async function start({ local, secret, epoch }: NodeStart): Promise<void> {
  const keys = [{ id: 1, secret: Uint8Array.from(secret) }];
  engine = createSessionEngine({
    local,
    keys,
    signWith: 1,
    log: createLog({ level: "error", fields: { node: local.self.name } }),
  });
  await engine.start();
  if (epoch === undefined) return;
  const permit = () => engine?.setPermit({ epoch, untilMs: monotonicClock.nowMs() + 1000 });
  permit();
  renewal = setInterval(permit, 20);
  engine.setServing({ epoch, stale: false });
}

function create(from: Engine, who: string, number: number): Promise<string> {
  return from.api
    .create({
      user: who,
      key: who,
      agent: `agent-${number % 50}`,
      attributes: JSON.parse(attributesOf(number)),
    })
    .then((answer) => (answer.ok ? answer.acknowledgement : answer.refusal));
}

async function write(from: Engine, writers: number, milliseconds: number): Promise<void> {
  salt += 1;
  const figures = await runWriters(writers, milliseconds, (writer, number) =>
    create(from, `user-${salt}-${writer}-${number}`, number),
  );
  tell({ answer: "written", figures });
}

async function fill(from: Engine, sessions: number): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < sessions) {
      next += 1;
      const number = next;
      const outcome = await create(from, `filled-${number}`, number);
      if (outcome !== "solo" && outcome !== "replicated") throw new Error(`a create was refused: ${outcome}`);
    }
  };
  await Promise.all(Array.from({ length: 512 }, worker));
  tell({ answer: "filled" });
}

async function obey(order: NodeOrder): Promise<void> {
  if (order.order === "start") {
    await start(order.start);
    tell({ answer: "started" });
    return;
  }
  if (engine === undefined) throw new Error("not started");
  if (order.order === "write") await write(engine, order.writers, order.milliseconds);
  else if (order.order === "fill") await fill(engine, order.sessions);
  else if (order.order === "status") {
    tell({ answer: "status", status: engine.status(), rssBytes: process.memoryUsage.rss() });
  } else {
    clearInterval(renewal);
    await engine.stop();
    tell({ answer: "stopped" });
    process.disconnect();
  }
}

process.on("message", (order: NodeOrder) => {
  obey(order).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
