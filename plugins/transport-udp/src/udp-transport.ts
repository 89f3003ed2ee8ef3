/**
 * One UDP path: a socket bound to this node's own address, which comes back by itself when the address or its interface
 * went away. Sending is one system call that happens at once or not at all.
 */

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import type { Log, Transport } from "@understudy/core/public";
import { canonical, type Endpoints, scopeOf } from "./endpoints.js";

const longestFrame = 512;
/** What the kernel does not take at once is old by the time it would: a few beats may wait, no more. */
const mostQueuedBytes = 8 * longestFrame;
const firstRetryMs = 50;
const longestRetryMs = 1000;
/** An interface that was deleted and made again has another index, and only a new socket learns of it. */
const failingBeforeRebindMs = 1000;

interface Path {
  socket: Socket | undefined;
  bound: boolean;
  retry: NodeJS.Timeout | undefined;
  retryMs: number;
  /** Why it is down; undefined while it is bound and the kernel takes what we send. */
  trouble: string | undefined;
  failingSinceMs: number | undefined;
  stopped: boolean;
}

export function udpTransport(endpoints: Endpoints, log: Log): Transport {
  const { local, peer, port } = endpoints;
  const path: Path = {
    socket: undefined,
    bound: false,
    retry: undefined,
    retryMs: firstRetryMs,
    trouble: "not started",
    failingSinceMs: undefined,
    stopped: false,
  };
  let receive: ((frame: Uint8Array) => void) | undefined;
  const interfaceNow = rememberInterface(local);

  const deliver = (frame: Buffer, from: RemoteInfo): void => {
    if (path.stopped || from.address !== peer) return;
    if (frame.length >= 1 && frame.length <= longestFrame) receive?.(frame);
  };
  const sent = (error: Error | null): void => noteSent(path, error, () => bindAgain("sending keeps failing"));
  const bindAgain = (why: string): void => {
    if (path.stopped) return;
    log.warn({ local, peer, port, reason: why }, "udp path binds anew");
    release(path);
    void bind();
  };
  const bind = async (): Promise<void> => {
    const failed = await bindOnce(path, endpoints, deliver);
    if (path.stopped) return release(path);
    if (failed === undefined) {
      log.info({ local, peer, port }, "udp path is bound");
      return;
    }
    // The same reason again and again is one line in the log.
    if (path.trouble !== failed) log.warn({ local, peer, port, reason: failed }, "udp path is down");
    path.trouble = failed;
    path.retry = setTimeout(() => void bind(), path.retryMs);
    path.retryMs = Math.min(path.retryMs * 2, longestRetryMs);
  };

  return {
    async start(callback) {
      receive = callback;
      await bind();
    },
    send(frame) {
      const { socket, bound } = path;
      if (!socket || !bound || frame.length === 0 || frame.length > longestFrame) return;
      if (socket.getSendQueueSize() + frame.length > mostQueuedBytes) return;
      try {
        socket.send(frame, port, peer, sent);
      } catch (error) {
        sent(error instanceof Error ? error : new Error(String(error)));
      }
    },
    async stop() {
      path.stopped = true;
      receive = undefined;
      release(path);
      path.trouble = "stopped";
    },
    probeTarget: () => ({
      localAddress: local,
      peerAddress: peer,
      interfaceName: interfaceNow(),
    }),
    describe: () => describe(endpoints, interfaceNow(), path.trouble),
  };
}

/** Rejects never: undefined when bound, else one sentence. */
function bindOnce(
  path: Path,
  { family, local, port }: Endpoints,
  deliver: (frame: Buffer, from: RemoteInfo) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({
      type: family === 4 ? "udp4" : "udp6",
      ipv6Only: family === 6,
      // Node looks names up before each send, in a later turn even for addresses; ours are addresses.
      lookup: (host, _options, found) => found(null, host, family),
    });
    path.socket = socket;
    socket.on("message", deliver);
    socket.on("error", (error) => {
      if (path.socket !== socket) return;
      if (path.bound) return noteSent(path, error, () => undefined);
      release(path);
      resolve(whyNotBound(error, local, port));
    });
    socket.once("listening", () => {
      path.bound = true;
      path.trouble = undefined;
      path.failingSinceMs = undefined;
      path.retryMs = firstRetryMs;
      resolve(undefined);
    });
    socket.once("close", () => resolve("stopped"));
    socket.bind({ address: local, port, exclusive: true });
  });
}

function release(path: Path): void {
  clearTimeout(path.retry);
  const { socket } = path;
  path.socket = undefined;
  path.bound = false;
  path.failingSinceMs = undefined;
  if (!socket) return;
  socket.removeAllListeners("message");
  try {
    socket.close();
  } catch {
    // It closed itself after a failed bind.
  }
}

function noteSent(path: Path, error: Error | null, rebind: () => void): void {
  if (!path.bound) return;
  if (!error) {
    path.trouble = undefined;
    path.failingSinceMs = undefined;
    return;
  }
  const nowMs = performance.now();
  path.failingSinceMs ??= nowMs;
  path.trouble = `cannot send: ${codeOf(error)}`;
  if (nowMs - path.failingSinceMs < failingBeforeRebindMs) return;
  path.failingSinceMs = undefined;
  rebind();
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

function whyNotBound(error: Error, local: string, port: number): string {
  const code = codeOf(error);
  if (code === "EADDRNOTAVAIL") return `${local} is not on this machine (yet)`;
  if (code === "EADDRINUSE") return `port ${port} of ${local} is in use by another process or path`;
  if (code === "EACCES") return `this user may not use port ${port}`;
  if (code === "ENODEV" || code === "EINVAL") return `${scopeOf(local) ?? local} is not there: ${code}`;
  return `cannot bind ${local}: ${code}`;
}

/** Probes ask every few milliseconds, and each look costs a dozen system calls: a second old is young enough. */
const interfaceFreshMs = 1000;

function rememberInterface(local: string): () => string | undefined {
  let name: string | undefined;
  let lookedMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = performance.now();
    if (nowMs - lookedMs < interfaceFreshMs) return name;
    lookedMs = nowMs;
    name = interfaceOf(local);
    return name;
  };
}

function interfaceOf(local: string): string | undefined {
  const scope = scopeOf(local);
  if (scope !== undefined) return scope;
  const found = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ address }) => canonical(address) === local),
  );
  return found?.[0];
}

function describe(
  { family, local, peer, port }: Endpoints,
  interfaceName: string | undefined,
  trouble: string | undefined,
): string {
  const at = (address: string) => (family === 4 ? `${address}:${port}` : `[${address}]:${port}`);
  const line = `${at(local)} -> ${at(peer)}${interfaceName === undefined ? "" : ` on ${interfaceName}`}`;
  return trouble === undefined ? line : `${line}: down, ${trouble}`;
}
