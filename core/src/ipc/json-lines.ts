/**
 * JSON lines over a unix socket: one object a line, UTF-8, at most 1 MiB. A server that replaces a dead one's socket
 * but never a living one's, and a client that connects again for as long as it is wanted.
 */

import { chmodSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { ipcError } from "../errors/ipc.js";
import { createLineSplitter, maxLineBytes } from "./line-splitter.js";

export interface JsonLines<Out> {
  readonly isOpen: boolean;
  /** Bytes handed over and not yet taken by the kernel: senders of much data watch it. */
  readonly bufferedBytes: number;
  /** False when it was dropped: the connection is closed, the line too long, or the reader far behind. */
  send(message: Out): boolean;
  /** Ends after what was sent has gone out. */
  close(): void;
}

export interface JsonLinesListeners<In> {
  message(message: In): void;
  /** Once, whatever the reason: "ended", or the error in words. */
  closed(reason: string): void;
  drained?(): void;
}

/** A reader that does not read makes no heap of lines here. */
const mostBufferedBytes = 16 * maxLineBytes;

/** Speaks JSON lines on a connected socket. A line that is no JSON object ends the connection. */
export function speakJsonLines<In, Out>(socket: Socket, listeners: JsonLinesListeners<In>): JsonLines<Out> {
  let reason = "ended";
  const splitter = createLineSplitter((line) => {
    if (socket.destroyed) return;
    const message = parseObject(line);
    if (message === undefined) socket.destroy(new Error("a line that is no JSON object arrived"));
    else listeners.message(message as In);
  });
  socket.on("data", (chunk: Buffer) => {
    if (!splitter.push(chunk)) socket.destroy(new Error(`a line longer than ${maxLineBytes} bytes arrived`));
  });
  socket.on("end", () => socket.end());
  socket.on("drain", () => listeners.drained?.());
  socket.on("error", (error) => {
    reason = error.message;
  });
  socket.once("close", () => listeners.closed(reason));
  return {
    get isOpen() {
      return socket.writable;
    },
    get bufferedBytes() {
      return socket.writableLength;
    },
    send(message) {
      if (!socket.writable || socket.writableLength > mostBufferedBytes) return false;
      const line = `${JSON.stringify(message)}\n`;
      if (line.length > maxLineBytes) return false;
      socket.write(line);
      return true;
    },
    close() {
      socket.end();
    },
  };
}

function parseObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export interface JsonLinesServer {
  /** Stops listening, ends the connections, removes the socket. */
  close(): Promise<void>;
}

export interface ListenOptions<In, Out> {
  readonly path: string;
  /** Called for each connection; returns its listeners. */
  connected(connection: JsonLines<Out>): JsonLinesListeners<In>;
}

/** Listens with mode 0600. A socket whose owner is gone is replaced; one that answers is an error IPC_IN_USE. */
export async function listenJsonLines<In, Out>(options: ListenOptions<In, Out>): Promise<JsonLinesServer> {
  const { path } = options;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    accept(socket, options);
  });
  try {
    await listen(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw notListening(path, error);
    if (await answers(path)) {
      throw ipcError("IPC_IN_USE", `somebody already listens on ${path}`, { cause: error });
    }
    unlinkSync(path);
    await listen(server, path).catch((cause: unknown) => {
      throw notListening(path, cause);
    });
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) hangUp(socket);
      }),
  };
}

/** How long the other side may take to end its half. */
const hangUpMs = 250;

/**
 * Ends our half and waits for the other: were both closed at once, the other side's next write would fail, and with it
 * go our last words that it has not read yet.
 */
function hangUp(socket: Socket): void {
  socket.end();
  const late = setTimeout(() => socket.destroy(), hangUpMs);
  socket.once("close", () => clearTimeout(late));
}

function accept<In, Out>(socket: Socket, options: ListenOptions<In, Out>): void {
  let listeners: JsonLinesListeners<In> | undefined;
  const connection = speakJsonLines<In, Out>(socket, {
    message: (message) => listeners?.message(message),
    closed: (reason) => listeners?.closed(reason),
    drained: () => listeners?.drained?.(),
  });
  listeners = options.connected(connection);
}

function notListening(path: string, cause: unknown): Error {
  return ipcError("IPC_NOT_LISTENING", `cannot listen on ${path}: ${(cause as Error).message}`, { cause });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // The socket is made inside of listen(): the mask closes the moment between that and chmod.
    const mask = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off("error", reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  }).then(() => chmodSync(path, 0o600));
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

export interface ReconnectingOptions<In> {
  readonly path: string;
  /** Pause between two attempts, default 50 ms. */
  readonly retryMs?: number;
  opened(): void;
  message(message: In): void;
  /** The connection that had been open is over; the next attempt follows by itself. */
  closed(reason: string): void;
}

export interface ReconnectingJsonLines<Out> {
  readonly isOpen: boolean;
  /** As of `JsonLines`; 0 while it is not open. */
  readonly bufferedBytes: number;
  send(message: Out): boolean;
  /** Ends the connection and tries no more; `closed` is not called for it. */
  close(): void;
}

export function reconnectJsonLines<In, Out>(options: ReconnectingOptions<In>): ReconnectingJsonLines<Out> {
  let wanted = true;
  let current: JsonLines<Out> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function again(): void {
    if (wanted) timer = setTimeout(attempt, options.retryMs ?? 50);
  }

  function attempt(): void {
    const socket = connect(options.path);
    socket.once("error", again);
    socket.once("connect", () => {
      socket.off("error", again);
      if (!wanted) {
        socket.destroy();
        return;
      }
      current = speakJsonLines<In, Out>(socket, {
        message: (message) => {
          if (wanted) options.message(message);
        },
        closed: (reason) => {
          current = undefined;
          if (wanted) options.closed(reason);
          again();
        },
      });
      options.opened();
    });
  }

  attempt();
  return {
    get isOpen() {
      return current?.isOpen === true;
    },
    get bufferedBytes() {
      return current?.bufferedBytes ?? 0;
    },
    send: (message) => current?.send(message) ?? false,
    close() {
      wanted = false;
      clearTimeout(timer);
      current?.close();
    },
  };
}
