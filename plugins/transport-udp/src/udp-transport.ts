/**
 * One UDP path: sockets bound to this node's own address, which come back by themselves when the address or its interface
 * went away. Sending is one system call that happens at once or not at all.
 */

import type { RemoteInfo } from "node:dgram";
import { networkInterfaces } from "node:os";
import type { Log, Transport } from "@understudy/core/public";
import { type Channel, openChannel } from "./channel.js";
import { canonical, type Endpoints, scopeOf } from "./endpoints.js";
import { type Mark, makeMark } from "./marking.js";

const longestFrame = 512;
/** What the kernel does not take at once is old by the time it would: a few beats may wait, no more. */
const mostQueuedBytes = 8 * longestFrame;
const firstRetryMs = 50;
const longestRetryMs = 1000;
/** An interface that was deleted and made again has another index, and only a new socket learns of it. */
const failingBeforeRebindMs = 1000;

export interface Marking {
  /** 0 to 63; 0 marks nothing. */
  readonly dscp: number;
  /** Asked for by name in the config: then status says when it cannot be had. */
  readonly wanted: boolean;
}

interface Path {
  channel: Channel | undefined;
  retry: NodeJS.Timeout | undefined;
  retryMs: number;
  /** Why it is down; undefined while it is bound and the kernel takes what we send. */
  trouble: string | undefined;
  /** Why frames go unmarked. */
  unmarked: string | undefined;
  failingSinceMs: number | undefined;
  stopped: boolean;
}

export function udpTransport(endpoints: Endpoints, marking: Marking, log: Log): Transport {
  const { local, peer, port, family } = endpoints;
  const path: Path = {
    channel: undefined,
    retry: undefined,
    retryMs: firstRetryMs,
    trouble: "not started",
    unmarked: undefined,
    failingSinceMs: undefined,
    stopped: false,
  };
  let receive: ((frame: Uint8Array) => void) | undefined;
  let mark: Mark = () => undefined;
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
    const channel = await openChannel(endpoints, {
      interfaceName: endpoints.interfaceName ?? interfaceOf(local),
      deliver,
      failed: sent,
    }).catch((error: Error) => whyNotBound(error, endpoints));
    if (path.stopped) return typeof channel === "string" ? undefined : channel.close();
    if (typeof channel !== "string") {
      opened(channel);
      return;
    }
    // The same reason again and again is one line in the log.
    if (path.trouble !== channel) log.warn({ local, peer, port, reason: channel }, "udp path is down");
    path.trouble = channel;
    path.retry = setTimeout(() => void bind(), path.retryMs);
    path.retryMs = Math.min(path.retryMs * 2, longestRetryMs);
  };
  const opened = (channel: Channel): void => {
    path.channel = channel;
    path.trouble = undefined;
    path.failingSinceMs = undefined;
    path.retryMs = firstRetryMs;
    const unmarked = mark(channel.sender, family);
    if (unmarked !== undefined && unmarked !== path.unmarked)
      log[marking.wanted ? "warn" : "info"](
        { local, dscp: marking.dscp, reason: unmarked },
        "udp frames go unmarked",
      );
    path.unmarked = unmarked;
    log.info({ local, peer, port, target: channel.target }, "udp path is bound");
  };

  return {
    async start(callback) {
      receive = callback;
      mark = await makeMark(marking.dscp);
      if (!path.stopped) await bind();
    },
    send(frame) {
      const { channel } = path;
      if (!channel || frame.length === 0 || frame.length > longestFrame) return;
      if (channel.sender.getSendQueueSize() + frame.length > mostQueuedBytes) return;
      try {
        channel.sender.send(frame, port, channel.target, sent);
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
    describe: () =>
      describe(endpoints, interfaceNow(), path.trouble, marking.wanted ? path.unmarked : undefined),
  };
}

function release(path: Path): void {
  clearTimeout(path.retry);
  path.channel?.close();
  path.channel = undefined;
  path.failingSinceMs = undefined;
}

function noteSent(path: Path, error: Error | null, rebind: () => void): void {
  if (path.channel === undefined) return;
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

function whyNotBound(error: Error, { local, peer, port, to }: Endpoints): string {
  const { code = error.message, syscall, address } = error as NodeJS.ErrnoException & { address?: string };
  const device = scopeOf(local) ?? local;
  if (code === "EADDRNOTAVAIL")
    return to.kind === "broadcast" && address === to.address
      ? `${to.address} is no broadcast address of this machine's networks (yet)`
      : `${local} is not on this machine (yet)`;
  if (code === "EADDRINUSE")
    return `port ${port} of ${address ?? local} is in use by another process or path`;
  if (code === "EACCES") return `this user may not use port ${port}`;
  if (syscall === "addMembership") return `${device} cannot join the group: ${code}`;
  if (code === "ENETUNREACH" || code === "EHOSTUNREACH") return `there is no route to ${peer} (yet)`;
  if (code === "ENODEV" || code === "EINVAL") return `${device} is not there: ${code}`;
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
  { family, local, peer, port, to }: Endpoints,
  interfaceName: string | undefined,
  trouble: string | undefined,
  unmarked: string | undefined,
): string {
  const at = (address: string) => (family === 4 ? `${address}:${port}` : `[${address}]:${port}`);
  const target =
    to.kind === "unicast" ? at(peer) : `${at(to.kind === "multicast" ? to.group : to.address)} for ${peer}`;
  const line = `${at(local)} -> ${target}${interfaceName === undefined ? "" : ` on ${interfaceName}`}`;
  if (trouble !== undefined) return `${line}: down, ${trouble}`;
  return unmarked === undefined ? line : `${line}, unmarked: ${unmarked}`.slice(0, 200);
}
