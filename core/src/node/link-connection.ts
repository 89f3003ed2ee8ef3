/**
 * One TLS connection of a peer link, from its first byte to its end: the hello that says who speaks and which protocol,
 * messages, signs of life, and the judgement that the other end has gone silent.
 */

import type { TLSSocket } from "node:tls";
import { createFrameReader, frame, mostMessageBytes } from "./link-frames.js";
import type { PeerLinkOptions } from "./peer-link.js";

/** The protocols this program speaks: raised when an older one could not be understood. */
export const linkVersions = { min: 1, max: 1 } as const;
/** Before its hello a stranger gets no more of our memory than this. */
const mostHelloBytes = 4096;
const lowWaterBytes = 1024 * 1024;

export interface LinkHello {
  readonly link: string;
  readonly cluster: string;
  readonly side: string;
  readonly min: number;
  readonly max: number;
  /** Set when the sender will not go on, in words for the other side's log. */
  readonly refusal?: string;
}

export interface LinkConnection {
  readonly isOpen: boolean;
  readonly bufferedBytes: number;
  readonly local: string;
  readonly remote: string;
  send(message: Uint8Array): boolean;
  end(reason: string): void;
}

export interface ConnectionListeners {
  opened(version: number): void;
  message(message: Uint8Array): void;
  /** Once. `wasOpen` is false when no hello of a fitting peer ever came. */
  closed(reason: string, wasOpen: boolean): void;
  drained(): void;
}

type Identity = Pick<PeerLinkOptions, "name" | "cluster" | "side" | "silenceMs">;

/** Takes a socket whose handshake is done. */
export function speakOn(
  socket: TLSSocket,
  identity: Identity,
  listeners: ConnectionListeners,
  versions: { readonly min: number; readonly max: number } = linkVersions,
): LinkConnection {
  const local = `${socket.localAddress}:${socket.localPort}`;
  const remote = `${socket.remoteAddress}:${socket.remotePort}`;
  let state: "greeting" | "open" | "closed" = "greeting";
  let why = "the other node closed the connection";
  let wasAbove = false;
  let saidSomething = true;
  const silence = watchSilence(identity.silenceMs, {
    ask() {
      if (!saidSomething && socket.writable) socket.write(frame(new Uint8Array(0)));
      saidSomething = false;
    },
    silent: () => end(`nothing arrived for ${identity.silenceMs} ms`),
  });

  function end(reason: string): void {
    if (state === "closed") return;
    why = reason;
    socket.destroy();
  }

  function refuse(reason: string): void {
    const words = JSON.stringify({ ...ownHello(identity, versions), refusal: reason });
    socket.end(frame(Buffer.from(words)), () => end(reason));
  }

  function greet(message: Uint8Array): void {
    const hello = parseHello(message);
    const version = Math.min(hello?.max ?? 0, versions.max);
    const mismatch = hello === undefined ? "it does not speak the link protocol" : misfit(hello, identity);
    if (hello === undefined || mismatch !== undefined) {
      refuse(mismatch ?? "");
    } else if (version < Math.max(hello.min, versions.min)) {
      const spans = `${versions.min} to ${versions.max}, the other ${hello.min} to ${hello.max}`;
      refuse(`the protocols do not meet: one node speaks ${spans}; bring both to one release`);
    } else if (hello.refusal !== undefined) {
      end(`the other node refused: ${hello.refusal}`);
    } else {
      state = "open";
      listeners.opened(version);
    }
  }

  const reader = createFrameReader(() => (state === "open" ? mostMessageBytes : mostHelloBytes));
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    silence.heard();
    const sane = reader.push(chunk, (message) => {
      if (message.length === 0 || state === "closed" || socket.destroyed) return;
      if (state === "open") listeners.message(message);
      else greet(message);
    });
    if (!sane) end("a message longer than allowed arrived");
  });
  socket.on("end", () => socket.end());
  socket.on("error", (error) => {
    if (why.startsWith("the other node closed")) why = error.message;
  });
  socket.on("drain", () => {
    if (!wasAbove || socket.writableLength > lowWaterBytes) return;
    wasAbove = false;
    if (state === "open") listeners.drained();
  });
  socket.once("close", () => {
    const wasOpen = state === "open";
    state = "closed";
    silence.stop();
    listeners.closed(why, wasOpen);
  });
  socket.write(frame(Buffer.from(JSON.stringify(ownHello(identity, versions)))));

  return {
    local,
    remote,
    get isOpen() {
      return state === "open" && socket.writable;
    },
    get bufferedBytes() {
      return socket.writableLength;
    },
    send(message) {
      if (state !== "open" || !socket.writable || message.length === 0) return false;
      if (message.length > mostMessageBytes) throw new RangeError("a message longer than 8 MiB");
      saidSomething = true;
      socket.write(frame(message));
      if (socket.writableLength > lowWaterBytes) wasAbove = true;
      return true;
    },
    end,
  };
}

function ownHello(identity: Identity, versions: { readonly min: number; readonly max: number }): LinkHello {
  return {
    link: identity.name,
    cluster: identity.cluster,
    side: identity.side,
    min: versions.min,
    max: versions.max,
  };
}

function parseHello(message: Uint8Array): LinkHello | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(message).toString("utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const hello = value as Partial<Record<keyof LinkHello, unknown>>;
    const { link, cluster, side, min, max, refusal } = hello;
    if (typeof link !== "string" || typeof cluster !== "string" || typeof side !== "string") return undefined;
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) return undefined;
    const words = { link, cluster, side, min: min as number, max: max as number };
    return typeof refusal === "string" ? { ...words, refusal: refusal.slice(0, 300) } : words;
  } catch {
    return undefined;
  }
}

function misfit(hello: LinkHello, identity: Identity): string | undefined {
  if (hello.link !== identity.name) {
    return `the "${hello.link}" link of the other node met the "${identity.name}" link of this one: their ports are mixed up`;
  }
  if (hello.cluster !== identity.cluster) {
    return `the other node belongs to the cluster "${hello.cluster}", not to "${identity.cluster}"`;
  }
  if (hello.side === identity.side) return `both nodes believe to be the ${identity.side}`;
  return undefined;
}

interface SilenceWatch {
  heard(): void;
  stop(): void;
}

/**
 * Counts silence by its own ticks, at most one and a half for each, and judges only after a poll pass: a thread that
 * stalled sees no silence (the thought of rule R10).
 */
function watchSilence(silenceMs: number, on: { ask(): void; silent(): void }): SilenceWatch {
  const everyMs = Math.max(5, silenceMs / 6);
  let silentMs = 0;
  let ticks = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    silentMs += Math.min(nowMs - lastMs, everyMs * 1.5);
    lastMs = nowMs;
    ticks += 1;
    // Half of the third that the contract grants, so that one late timer does not break the promise.
    on.ask();
    if (silentMs >= silenceMs) setImmediate(judge);
  }, everyMs);

  function judge(): void {
    if (silentMs >= silenceMs && ticks >= 0) on.silent();
  }

  return {
    heard() {
      silentMs = 0;
    },
    stop() {
      ticks = -1;
      clearInterval(timer);
    },
  };
}
