/**
 * One round: every target is asked at once, and each answers, fails or is out of time. An answer that has arrived by then
 * counts although this process was too busy to read it: it is read before anything is judged (rule R10).
 */

import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { runCommand } from "@understudy/core/public";
import { echoRequest, replySequence, tokenLength } from "./echo-message.js";
import type { EchoSocket } from "./echo-socket.js";
import { addressBytes, type Target } from "./target.js";

/** Undefined: it answered. Else why not, as a phrase. */
export type Answer = string | undefined;

export type Ask = (target: Target, timeoutMs: number, signal: AbortSignal) => Promise<Answer>;

const pollEveryMs = 1;
/** A lost packet is no lost gateway: asked again within the same time. */
const askAgainAfter = 1 / 3;

/** Asks over one socket for each family; waits for nothing while nobody is asked. */
export function echoAsker(sockets: Readonly<Record<4 | 6, EchoSocket>>): { readonly ask: Ask; stop(): void } {
  const identifier = process.pid & 0xffff;
  const token = randomBytes(tokenLength);
  const waiting = new Map<number, (answer: Answer) => void>();
  let sequence = 0;
  let timer: NodeJS.Timeout | undefined;

  function read(): void {
    for (const family of [4, 6] as const) {
      for (let got = sockets[family].receive(); got !== undefined; got = sockets[family].receive()) {
        const answered = replySequence(family, got, token);
        if (answered !== undefined) waiting.get(answered)?.(undefined);
      }
    }
  }

  function poll(): void {
    timer = undefined;
    read();
    if (waiting.size > 0) timer = setTimeout(poll, pollEveryMs);
  }

  async function ask(target: Target, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
    sequence = (sequence + 1) & 0xffff;
    const mine = sequence;
    const message = echoRequest(target.family, identifier, mine, token);
    const send = () => sockets[target.family].send(addressBytes(target), target.scope, message);
    const { promise, resolve } = Promise.withResolvers<Answer>();
    waiting.set(mine, resolve);
    const refused = send();
    if (refused !== undefined) resolve(`cannot be asked (${refused})`);
    timer ??= setTimeout(poll, pollEveryMs);
    const again = setTimeout(send, timeoutMs * askAgainAfter);
    const end = setTimeout(() => {
      read();
      resolve(`has not answered within ${timeoutMs} ms`);
    }, timeoutMs);
    const aborted = () => resolve("was not waited for");
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
    try {
      return await promise;
    } finally {
      waiting.delete(mine);
      clearTimeout(again);
      clearTimeout(end);
      signal.removeEventListener("abort", aborted);
    }
  }

  return {
    ask,
    stop() {
      clearTimeout(timer);
      for (const socket of [sockets[4], sockets[6]]) socket.close();
    },
  };
}

/** A refusal comes from the target's kernel: it is there. */
export function askByTcp(target: Target, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  const { address, scope, port = 0 } = target;
  return new Promise((resolve) => {
    const socket = connect({ host: scope === undefined ? address : `${address}%${scope}`, port });
    const done = (answer: Answer) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      socket.destroy();
      resolve(answer);
    };
    const aborted = () => done("was not waited for");
    // What has arrived is read in the poll phase after this timer, and before what setImmediate runs.
    const timer = setTimeout(
      () => setImmediate(() => done(`has not answered within ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.once("connect", () => done(undefined));
    socket.once("error", ({ code, message }: NodeJS.ErrnoException) =>
      done(
        code === "ECONNREFUSED" || code === "ECONNRESET"
          ? undefined
          : `cannot be reached (${code ?? message})`,
      ),
    );
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
  });
}

/** What a process needs to start, on a busy machine. */
const startMs = 500;

/** Where no socket is to be had: the system's own program, one process for each question. */
export async function askByProgram(target: Target, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  const { family, address, scope } = target;
  const where = scope === undefined ? address : `${address}%${scope}`;
  const wait = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
  const result = await runCommand(["ping", `-${family}`, "-n", "-q", "-c", "1", "-W", wait, where], {
    timeoutMs: timeoutMs + startMs,
    signal,
  });
  if (result.code === 0) return undefined;
  if (result.end === "notStarted") return `cannot be asked: no ping program (${result.detail})`;
  return `has not answered (ping: ${result.detail})`;
}
