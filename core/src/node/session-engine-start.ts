/**
 * Makes the session engine of a node: the main thread's half of the session database. The other half is the session
 * thread, which may end and be made anew; what was said to it last is said again.
 */

import type { LocalConfig } from "../config/config.js";
import type { Outcome } from "../plugin/contract.js";
import type { Log } from "../plugin/tokens.js";
import { monotonicClock } from "../pulse/clock.js";
import type { Serving } from "../sessions/request.js";
import type { LinkKey } from "./peer-link.js";
import type { Permit } from "./permit.js";
import type { SessionEngine, SessionStatus } from "./session-engine.js";
import { createEngineApi } from "./session-engine-api.js";
import { exportLine, importLine } from "./session-engine-rows.js";
import { createSessionThread } from "./session-engine-thread.js";
import type { FromThread, ThreadStatus, ToThread } from "./session-thread-messages.js";

export interface SessionEngineOptions {
  readonly local: LocalConfig;
  readonly keys: readonly LinkKey[];
  readonly signWith: number;
  readonly log: Log;
  /** For tests: a module that exports `createStore(options)`, instead of the plugin that the config names. */
  readonly storeModule?: { readonly url: string; readonly options: unknown };
}

const pageRows = 500;
/** A freeze that the thread does not answer is unknown; it ends by itself there. */
const freezeGraceMs = 50;
/** The thread tells of itself every 100 ms; a disk that holds it up for so long counts as one that does not work. */
const hungAfterMs = 2000;
const watchEveryMs = 500;

export function createSessionEngine(options: SessionEngineOptions): SessionEngine {
  const { local, log } = options;
  const { nowMs } = monotonicClock;
  const listeners: (() => void)[] = [];
  const questions = new Map<number, (answer: FromThread | undefined) => void>();
  const freezes = new Map<number, (result: { outcome: Outcome; detail: string }) => void>();
  let keys = options.keys;
  let signWith = options.signWith;
  let permit: Permit | undefined;
  let serving: Serving | undefined;
  let nextId = 1;
  let lastStatus: ThreadStatus | undefined;
  let lostWhy: string | undefined;
  let toldMs = 0;
  let hung = false;
  let watch: NodeJS.Timeout | undefined;

  const thread = createSessionThread({
    log,
    begin: () => ({ local, keys, signWith, storeModule: options.storeModule }),
    message: receive,
    began() {
      lostWhy = undefined;
      thread.send({ type: "serving", serving });
    },
    lost(why) {
      lostWhy = why;
      lastStatus = undefined;
      calls.threadLost();
      for (const resolve of questions.values()) resolve(undefined);
      questions.clear();
      for (const resolve of freezes.values()) resolve({ outcome: "unknown", detail: why });
      freezes.clear();
      tell();
    },
  });

  function ask(question: (ticket: number) => ToThread): Promise<FromThread | undefined> {
    const ticket = nextId;
    nextId += 1;
    return new Promise((resolve) => {
      questions.set(ticket, resolve);
      if (thread.send(question(ticket))) return;
      questions.delete(ticket);
      resolve(undefined);
    });
  }

  const calls = createEngineApi({
    cluster: local.config.cluster,
    nowMs,
    permit: () => permit,
    serving: () => serving,
    send: thread.send,
    ask,
  });

  function tell(): void {
    for (const listener of listeners) listener();
  }

  function answerQuestion(ticket: number, answer: FromThread): void {
    const resolve = questions.get(ticket);
    questions.delete(ticket);
    resolve?.(answer);
  }

  function receive(message: FromThread): void {
    switch (message.type) {
      case "created":
      case "answers":
        calls.receive(message);
        break;
      case "status":
        takeStatus(message.status);
        break;
      case "frozen":
        freezes.get(message.id)?.({ outcome: message.outcome, detail: message.detail });
        freezes.delete(message.id);
        break;
      case "log":
        log[message.level](message.fields, message.message);
        break;
      case "ready":
      case "impossible":
      case "broken":
        break;
      default:
        answerQuestion(message.ticket, message);
    }
  }

  /** Judged after a poll pass: when this thread stalled, the other's words are read first (the thought of rule R10). */
  function judgeHang(): void {
    const now = lastStatus !== undefined && nowMs() - toldMs > hungAfterMs;
    if (now === hung) return;
    hung = now;
    if (hung)
      log.error(
        { silentMs: Math.round(nowMs() - toldMs) },
        "the session thread hangs: its disk does not answer",
      );
    tell();
  }

  function takeStatus(next: ThreadStatus): void {
    const before = lastStatus;
    lastStatus = next;
    toldMs = nowMs();
    judgeHang();
    const changed =
      before?.store !== next.store || before.verified !== next.verified || before.inSync !== next.inSync;
    if (changed) tell();
  }

  function status(): SessionStatus {
    const acknowledged = { ...calls.acknowledged };
    if (lastStatus === undefined) return { ...unknownStatus, acknowledged, problem: lostWhy };
    const { digest: _digest, waits: _waits, ...shown } = lastStatus;
    if (!hung) return { ...shown, acknowledged };
    const problem = "the disk of the session database does not answer";
    return { ...shown, store: false, inSync: false, problem, acknowledged };
  }

  async function freeze(freezeMs: number): Promise<{ readonly outcome: Outcome; readonly detail: string }> {
    const id = nextId;
    nextId += 1;
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        freezes.delete(id);
        resolve({ outcome: "unknown", detail: "the session thread did not answer in time" });
      }, freezeMs + freezeGraceMs);
      freezes.set(id, (result) => {
        clearTimeout(late);
        resolve(result);
      });
      if (!thread.send({ type: "freeze", id, freezeMs })) {
        freezes.get(id)?.({ outcome: "refused", detail: "the session thread is not running" });
        freezes.delete(id);
      }
    });
  }

  async function importLines(lines: readonly string[]) {
    const parsed = lines.map((line, at) => ({ at, row: importLine(line) }));
    const wrong = parsed.flatMap(({ at, row }) => (typeof row === "string" ? [`line ${at + 1} ${row}`] : []));
    const rows = parsed.flatMap(({ row }) => (typeof row === "string" ? [] : [row]));
    const answer = await ask((ticket) => ({ type: "importRows", ticket, rows }));
    const added = answer?.type === "imported" ? answer.added : undefined;
    if (added === undefined) {
      return {
        added: 0,
        known: 0,
        wrong: ["nothing was imported: this node does not serve, or its disk is full"],
      };
    }
    return { added, known: rows.length - added, wrong };
  }

  return {
    api: calls.api,
    start() {
      watch = setInterval(() => setImmediate(judgeHang), watchEveryMs);
      return thread.start();
    },
    setPermit(next) {
      permit = next;
    },
    setServing(next) {
      serving = next;
      thread.send({ type: "serving", serving });
    },
    freeze,
    unfreeze: () => void thread.send({ type: "unfreeze" }),
    status,
    onChange: (listener) => void listeners.push(listener),
    async forgetPeer() {
      const answer = await ask((ticket) => ({ type: "forgetPeer", ticket }));
      if (answer?.type !== "forgotten") return { ok: false, message: "the session thread is not running" };
      return { ok: answer.ok, message: answer.message };
    },
    setKeys(nextKeys, nextSignWith) {
      keys = nextKeys;
      signWith = nextSignWith;
      thread.send({ type: "keys", keys, signWith });
    },
    async exportPage(after) {
      const filter = { includeEnded: true, after, limit: pageRows };
      const answer = await ask((ticket) => ({ type: "list", ticket, filter }));
      if (answer?.type !== "rows") throw new Error("the session thread is not running");
      const { rows } = answer;
      return { lines: rows.map(exportLine), next: rows.length === pageRows ? rows.at(-1)?.id : undefined };
    },
    importLines,
    stop() {
      clearInterval(watch);
      return thread.stop();
    },
  };
}

const unknownStatus: Omit<SessionStatus, "acknowledged" | "problem"> = {
  store: false,
  verified: false,
  inSync: false,
  waitingFor: "the session thread to start",
  database: "opening",
  running: 0,
  ended: 0,
  bytes: 0,
  storeDescription: "not open",
  link: "none",
  unconfirmed: 0,
  transfer: undefined,
  vector: "",
};
