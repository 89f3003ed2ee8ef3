/**
 * The socket that the node process connects to, and what is asked of it. Every request has an end: an answer, a deadline
 * or the loss of the process, of which the last two are `unknown`.
 */

import { type JsonLines, type JsonLinesServer, listenJsonLines } from "../ipc/json-lines.js";
import type { NodeToPulse, PulseStatus, PulseToNode } from "../ipc/messages.js";
import type { Outcome, TimelineEntry } from "../plugin/contract.js";
import type { Log } from "../plugin/tokens.js";

export interface NodeLinkListeners {
  /** Everything but hello, pong and finished, which the link itself understands. */
  message(message: NodeToPulse): void;
  /** The node process answered a ping: its main thread runs. */
  alive(): void;
  lost(reason: string): void;
  finished(id: number, outcome: Outcome, detail: string): void;
}

export type NodeRequest = Extract<PulseToNode, { readonly id: number }>;

export interface NodeLink {
  listen(path: string): Promise<void>;
  /** Comes back by `finished`, `unknown` after `limitMs`, unless `settle` was called for its id before. */
  request(message: NodeRequest, limitMs: number): void;
  /** Answered in another way: no deadline any more. */
  settle(id: number): void;
  send(message: PulseToNode): void;
  /** For what the next one replaces: dropped when the node process does not read. */
  passing(message: PulseToNode): void;
  /**
   * A beat for a transport that runs in node. Dropped when the node process reads or answers late, so that a beat never
   * waits here and no hung node makes a heap of them.
   */
  frame(path: string, frame: Uint8Array, atMs: number): void;
  /** Waits for a node process that is not there, up to a few hundred entries. */
  timeline(entry: TimelineEntry): void;
  /** A poll pass was judged, so the loop is alive: asks node for the same when it is time. */
  judged(atMs: number, hangLimitMs: number): void;
  /** Not made when nobody would read it. */
  status(make: () => PulseStatus): void;
  close(): Promise<void>;
}

const mostPingEveryMs = 200;
/** Pings within the hang limit: a node that answers late is not one that hangs. */
const pingsInHangLimit = 4;
const entriesKept = 300;
/** A node that does not read gets no more of what only matters now. */
const mostWaitingBytes = 256 * 1024;
/** Some forty beats: what waits longer is old. */
const mostWaitingForFrames = 16 * 1024;
/** The kernel takes hundreds of beats for a process that is stopped, so the pings tell, not the buffer. */
const mostUnansweredPings = 2;

type Connection = JsonLines<PulseToNode>;

export function createNodeLink(version: string, listeners: NodeLinkListeners, log: Log): NodeLink {
  let server: JsonLinesServer | undefined;
  let node: Connection | undefined;
  let pingedMs = -Infinity;
  let sequence = 0;
  let unanswered = 0;
  let entries: TimelineEntry[] = [];
  const waiting = new Map<number, NodeJS.Timeout>();

  function settle(id: number): boolean {
    clearTimeout(waiting.get(id));
    return waiting.delete(id);
  }

  function finish(id: number, outcome: Outcome, detail: string): void {
    if (settle(id)) listeners.finished(id, outcome, detail);
  }

  function ping(): void {
    if (node === undefined || node.bufferedBytes > mostWaitingBytes) return;
    sequence += 1;
    unanswered += 1;
    node.send({ type: "ping", sequence });
  }

  function welcome(connection: Connection): void {
    node = connection;
    unanswered = 0;
    connection.send({ type: "hello", pid: process.pid, version });
    for (const entry of entries) connection.send({ type: "timeline", entry });
    entries = [];
    ping();
  }

  function gone(reason: string): void {
    node = undefined;
    log.warn({ reason }, "the node process is gone");
    listeners.lost(reason);
    for (const id of [...waiting.keys()]) finish(id, "unknown", "the node process is gone");
  }

  function received(message: NodeToPulse): void {
    if (message.type === "pong") {
      unanswered = 0;
      listeners.alive();
    } else if (message.type === "finished") finish(message.id, message.outcome, message.detail ?? "");
    else if (message.type === "hello") greeted(message.pid, message.version);
    else listeners.message(message);
  }

  function greeted(pid: number, nodeVersion: string): void {
    log.info({ pid, version: nodeVersion }, "the node process has connected");
    if (nodeVersion !== version)
      log.warn({ pulse: version, node: nodeVersion }, "pulse and node are of different versions");
  }

  return {
    async listen(path) {
      server = await listenJsonLines<NodeToPulse, PulseToNode>({
        path,
        connected(connection) {
          // Two node processes would both serve: the second waits outside until the first is gone.
          if (node !== undefined) {
            log.error({}, "a second node process tried to connect: refused");
            connection.close();
            return { message() {}, closed() {} };
          }
          welcome(connection);
          return { message: received, closed: gone };
        },
      });
    },
    request(message, limitMs) {
      const { id } = message;
      const timer = setTimeout(() => finish(id, "unknown", "no answer in time"), limitMs);
      waiting.set(id, timer);
      if (node?.send(message) !== true) finish(id, "unknown", "there is no node process");
    },
    settle: (id) => void settle(id),
    send: (message) => void node?.send(message),
    passing(message) {
      if (node !== undefined && node.bufferedBytes <= mostWaitingBytes) node.send(message);
    },
    frame(path, frame, atMs) {
      if (node === undefined || unanswered > mostUnansweredPings) return;
      if (node.bufferedBytes > mostWaitingForFrames) return;
      node.send({ type: "sendFrame", path, atMs, frame: Buffer.from(frame).toString("base64") });
    },
    timeline(entry) {
      if (node?.send({ type: "timeline", entry }) === true) return;
      entries.push(entry);
      if (entries.length > entriesKept) entries.shift();
    },
    status(make) {
      if (node === undefined || node.bufferedBytes > mostWaitingBytes) return;
      node.send({ type: "status", status: make() });
    },
    judged(atMs, hangLimitMs) {
      if (atMs - pingedMs < Math.min(mostPingEveryMs, hangLimitMs / pingsInHangLimit)) return;
      pingedMs = atMs;
      ping();
    },
    async close() {
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
      await server?.close();
    },
  };
}
