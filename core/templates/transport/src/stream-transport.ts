/**
 * One end of the path. Best effort, as the contract wants it: a frame that cannot leave now is dropped, a connection that
 * ends is made again, and nothing here ever throws at the core or keeps it waiting.
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import type { Log, NodeIdentity, Transport } from "@understudy/core/public";
import { createFrameReader, longestFrame, withLength } from "./frames.ts";

export interface StreamTransportOptions {
  readonly node: Pick<NodeIdentity, "side" | "addresses" | "peerAddresses">;
  readonly port: number;
  readonly log: Log;
  /** For tests; see below. */
  readonly silentMs?: number;
}

/** More than this waiting to be sent means that the path does not carry it: beats are dropped, not queued. */
const mostWaitingBytes = 4096;
const retryMs = 250;
/** No longer than this for a connection: the kernel would try for minutes at a machine that is off. */
const dialMs = 2000;
/**
 * A connection on which nothing came for so long is made anew. The other machine may have lost its power: no end of the
 * connection was ever told then, and what is sent goes nowhere although it looks open. Beats come far more often.
 */
const longestSilenceMs = 10_000;

export function streamTransport({
  node,
  port,
  log,
  silentMs = longestSilenceMs,
}: StreamTransportOptions): Transport {
  const local = node.addresses[0] ?? "127.0.0.1";
  const peer = node.peerAddresses[0] ?? "127.0.0.1";
  const listens = node.side === "primary";
  let receive: ((frame: Uint8Array) => void) | undefined;
  let server: Server | undefined;
  let socket: Socket | undefined;
  let dialling: Socket | undefined;
  let heardMs = 0;
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;
  let trouble: string | undefined = "not started";

  /** One connection at a time: a newer one has more to say than one that may be dead. */
  function use(next: Socket): void {
    socket?.destroy();
    socket = next;
    heardMs = performance.now();
    const read = createFrameReader((frame) => receive?.(frame));
    next.setNoDelay(true);
    next.on("data", (chunk) => {
      heardMs = performance.now();
      if (!read(chunk)) next.destroy(new Error("what arrived is no frame"));
    });
    next.on("error", (error) => lost(next, error.message));
    next.on("close", () => lost(next, "the connection ended"));
    trouble = undefined;
  }

  function lost(which: Socket, why: string): void {
    if (which !== socket || stopped) return;
    socket = undefined;
    trouble = why;
    log.info({ peer, port, reason: why }, "the connection is gone");
    if (!listens) again();
  }

  function again(): void {
    if (stopped) return;
    clearTimeout(retry);
    retry = setTimeout(listens ? listen : dial, retryMs);
  }

  function dial(): void {
    const made = connect({ host: peer, port, localAddress: local });
    dialling = made;
    const tooLate = setTimeout(() => made.destroy(new Error("it does not answer")), dialMs);
    made.once("connect", () => {
      clearTimeout(tooLate);
      dialling = undefined;
      use(made);
    });
    made.on("error", (error) => {
      if (made !== socket && !stopped) trouble = error.message;
    });
    made.once("close", () => {
      clearTimeout(tooLate);
      if (made === dialling) again();
    });
  }

  function listen(): void {
    const made = createServer((arrived) => {
      // Whoever else connects is not the other node. The frames themselves are authenticated by the core.
      if (stopped || arrived.remoteAddress !== peer) arrived.destroy();
      else use(arrived);
    });
    server = made;
    made.once("listening", () => {
      trouble = "nobody has connected yet";
    });
    made.once("error", (error) => {
      trouble = error.message;
      again();
    });
    made.listen(port, local);
  }

  return {
    async start(callback) {
      receive = callback;
      trouble = "not connected yet";
      // It does not wait for the other node, which may start much later: a path without a peer is up all the same.
      if (listens) listen();
      else dial();
    },
    send(frame) {
      if (socket === undefined || frame.length === 0 || frame.length > longestFrame) return;
      if (performance.now() - heardMs > silentMs) socket.destroy(new Error("nothing was heard for too long"));
      if (socket.destroyed || socket.writableLength > mostWaitingBytes) return;
      socket.write(withLength(frame));
    },
    async stop() {
      stopped = true;
      receive = undefined;
      trouble = "stopped";
      clearTimeout(retry);
      socket?.destroy();
      // Also what is only being opened: it would keep the process from ending.
      dialling?.destroy();
      socket = undefined;
      await new Promise<void>((done) => (server === undefined ? done() : server.close(() => done())));
    },
    describe() {
      const line = `${local} ${listens ? "listens for" : "->"} ${peer}, port ${port}`;
      return trouble === undefined ? line : `${line}: down, ${trouble}`.replaceAll(/\s+/g, " ");
    },
  };
}
