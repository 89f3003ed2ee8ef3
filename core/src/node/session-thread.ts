/**
 * The session thread of a node: owns the store, the replica and the session link, and nothing waits for it but sessions.
 * It blocks in commits; what has arrived meanwhile forms the next group.
 */

import { randomBytes } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { UnderstudyError } from "../errors/error.js";
import { buildPlugin, loadPlugin } from "../plugin/host.js";
import { identityOf } from "../plugin/identity.js";
import type { Log } from "../plugin/tokens.js";
import { monotonicClock } from "../pulse/clock.js";
import { openLedger } from "../sessions/ledger.js";
import { createReplica, type Replica } from "../sessions/replica.js";
import { type SessionStore, StoreFailure } from "../sessions/store.js";
import type { PeerLink } from "./peer-link.js";
import { createSnapshotFiles } from "./session-thread-files.js";
import { type FromThread, requestCodes, type ThreadStart, type ToThread } from "./session-thread-messages.js";
import { createAnswerBatch } from "./session-thread-outbox.js";
import { createTlsPeerLink } from "./tls-peer-link.js";

const tickMs = 20;
const statusEveryMs = 100;
const keepAliveMs = 100;
const digestEveryMs = 10_000;

const port = parentPort;
if (port === null) throw new Error("this file runs as a thread of the node process");
const nowMs = monotonicClock.nowMs;
const send = (message: FromThread) => port.postMessage(message);
const start = workerData as ThreadStart;

const log: Log = {
  debug: (fields, message) => send({ type: "log", level: "debug", fields: { ...fields }, message }),
  info: (fields, message) => send({ type: "log", level: "info", fields: { ...fields }, message }),
  warn: (fields, message) => send({ type: "log", level: "warn", fields: { ...fields }, message }),
  error: (fields, message) => send({ type: "log", level: "error", fields: { ...fields }, message }),
};

try {
  run(await makeStore());
} catch (error) {
  giveUp(error);
}

/** Tells why, and ends: whatever was in memory is not to be believed after a failure of the disk. */
function giveUp(error: unknown): void {
  if (error instanceof UnderstudyError) {
    const { code, message, meaning, todo } = error;
    send({ type: "impossible", error: { code, message, meaning, todo } });
  } else {
    const known = error instanceof StoreFailure;
    send({ type: "broken", message: error instanceof Error ? error.message : String(error) });
    if (!known)
      log.error({ error: error instanceof Error ? error.stack : String(error) }, "the session thread failed");
  }
  // The messages above are delivered before the port closes.
  setImmediate(() => process.exit(1));
}

async function makeStore(): Promise<SessionStore> {
  const { local, storeModule } = start;
  if (storeModule !== undefined) {
    const module = (await import(storeModule.url)) as { createStore(options: unknown): SessionStore };
    return module.createStore(storeModule.options);
  }
  const entry = local.config.sessions;
  if (entry === undefined) throw new Error("the config has no session database");
  const loaded = await loadPlugin(entry, "store", local.file);
  return buildPlugin(loaded, {
    log,
    clock: monotonicClock,
    node: identityOf(local),
    folders: local.config.folders,
  });
}

function run(store: SessionStore): void {
  const { config, self, peer } = start.local;
  const { ledger, opening } = openLedger({
    store,
    side: self.side,
    incarnation: () => randomBytes(6).toString("hex"),
  });
  if (opening.setAside !== undefined)
    log.error({ ...opening.setAside }, "the session database did not verify");
  const answers = createAnswerBatch(send);
  let link: PeerLink | undefined;
  const files = createSnapshotFiles({
    folder: config.folders.state,
    store,
    copied: (bytes) => {
      replica.snapshotCopied(bytes);
      schedule();
    },
    failed: (error) => {
      log.error({ error: error.message }, "the session database could not be copied for the other node");
      link?.reset("the database could not be copied");
    },
  });
  const replica: Replica = createReplica({
    side: self.side,
    ledger,
    store,
    startMs: nowMs(),
    settings: { ...config.replication, keepAliveMs, digestEveryMs },
    effects: {
      send(envelope) {
        link?.send(envelope);
        // Often the next thing is a commit, which blocks: what is known now must not wait for it.
        answers.post();
      },
      bufferedBytes: () => link?.bufferedBytes ?? 0,
      resetLink: (reason) => link?.reset(reason),
      answer: answers.add,
      frozen: (id, outcome, detail) => send({ type: "frozen", id, outcome, detail }),
      note: (level, message, fields) => log[level](fields, message),
      files,
    },
  });

  let scheduled = false;
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(work);
  }

  function guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      ended = true;
      giveUp(error);
    }
  }

  let ended = false;
  function work(): void {
    scheduled = false;
    if (ended) return;
    guarded(() => {
      const more = replica.work(nowMs());
      answers.post();
      tellNews();
      if (more) schedule();
    });
  }

  let toldMs = 0;
  let told = "";
  function tellNews(): void {
    const { store: works, verified, inSync } = replica.report(nowMs());
    const news = `${works} ${verified} ${inSync} ${link?.isOpen}`;
    if (news === told && nowMs() - toldMs < statusEveryMs) return;
    told = news;
    toldMs = nowMs();
    send({
      type: "status",
      status: {
        ...replica.status(nowMs()),
        storeDescription: store.describe(),
        link: link?.isOpen === true ? "connected" : "connecting",
      },
    });
  }

  /** Timers run before sockets are read: what has arrived counts first (the thought of rule R10). */
  function tickSoon(): void {
    setImmediate(() => {
      if (ended) return;
      guarded(() => {
        replica.tick(nowMs());
        answers.post();
        tellNews();
        tickWhenAlone();
      });
    });
  }

  /** Between two ticks the other node may have been silent for long enough: writers need not wait for the second. */
  function tickWhenAlone(): void {
    const inMs = (replica.aloneAtMs ?? Number.POSITIVE_INFINITY) - nowMs();
    if (inMs <= 0 || inMs >= tickMs) return;
    clearTimeout(aloneTimer);
    aloneTimer = setTimeout(tickSoon, Math.ceil(inMs));
  }

  let aloneTimer: NodeJS.Timeout | undefined;
  const timer = setInterval(tickSoon, tickMs);

  link = createTlsPeerLink({
    name: "sessions",
    cluster: config.cluster,
    side: self.side,
    localAddresses: self.addresses,
    peerAddresses: peer.addresses,
    port: config.replication.port,
    keys: start.keys,
    signWith: start.signWith,
    silenceMs: 3 * config.replication.soloAfterMs,
    listeners: {
      opened(info) {
        log.info(info, "the session link is connected");
        guarded(() => replica.linkOpened(nowMs()));
        schedule();
      },
      message(bytes) {
        if (ended) return;
        guarded(() => replica.received(bytes, nowMs()));
        schedule();
      },
      closed(reason) {
        log.info({ reason }, "the session link is closed");
        guarded(() => replica.linkClosed(nowMs()));
        schedule();
      },
      drained: schedule,
      failed: createFailureLog(),
    },
  });

  port?.on("message", (message: ToThread) => {
    if (!ended) guarded(() => handle(message));
  });

  function handle(message: ToThread): void {
    switch (message.type) {
      case "requests":
        submitAll(replica, message.flat);
        answers.post();
        schedule();
        break;
      case "get":
        send({ type: "row", ticket: message.ticket, row: store.get(message.id) });
        break;
      case "list":
        send({ type: "rows", ticket: message.ticket, rows: store.list(message.filter) });
        break;
      case "countByAgent":
        send({ type: "counts", ticket: message.ticket, counts: store.countByAgent() });
        break;
      case "serving":
        replica.setServing(message.serving, nowMs());
        answers.post();
        schedule();
        break;
      case "freeze":
        replica.freeze(message.id, message.freezeMs, nowMs());
        schedule();
        break;
      case "unfreeze":
        replica.unfreeze();
        break;
      case "forgetPeer":
        send({ type: "forgotten", ticket: message.ticket, ...replica.forgetPeer(nowMs()) });
        tellNews();
        break;
      case "importRows":
        send({ type: "imported", ticket: message.ticket, added: replica.importRows(message.rows, nowMs()) });
        schedule();
        break;
      case "keys":
        link?.setKeys(message.keys, message.signWith);
        break;
      case "stop":
        void stop();
        break;
    }
  }

  async function stop(): Promise<void> {
    ended = true;
    clearInterval(timer);
    clearTimeout(aloneTimer);
    await link?.close();
    files.drop();
    store.close();
    port?.close();
  }

  send({ type: "ready" });
  tellNews();
}

function submitAll(replica: Replica, flat: readonly (string | number)[]): void {
  const atMs = nowMs();
  for (let at = 0; at < flat.length; ) {
    const code = flat[at];
    const ticket = flat[at + 1] as number;
    const id = flat[at + 2] as string;
    if (code === requestCodes.create) {
      const user = flat[at + 3] as string;
      const agent = flat[at + 4] as string;
      const createdAt = flat[at + 5] as string;
      const attributes = flat[at + 6] as string;
      replica.submit({ kind: "create", ticket, session: { id, user, agent, createdAt, attributes } }, atMs);
      at += 7;
    } else {
      replica.submit({ kind: "end", ticket, id }, atMs);
      at += 3;
    }
  }
}

/** The same failures again and again, one for each address while the other node is down, are worth a line a minute each. */
function createFailureLog(): (reason: string) => void {
  const everyMs = 60_000;
  const mostReasons = 16;
  const saidMs = new Map<string, number>();
  return (reason) => {
    if (nowMs() - (saidMs.get(reason) ?? Number.NEGATIVE_INFINITY) < everyMs) return;
    if (saidMs.size >= mostReasons) saidMs.clear();
    saidMs.set(reason, nowMs());
    log.warn({ reason }, "the session link could not be made");
  };
}
