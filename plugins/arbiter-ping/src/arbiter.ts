/**
 * The arbiter: lets a node take the address while every group is reached. It says denied only for what it has looked at
 * itself; where it could not look it says unknown, which holds nothing up (rule R30).
 */

import type { Arbiter, Log, Ruling } from "@understudy/core/public";
import { type EchoSocket, echoSockets } from "./echo-socket.js";
import { type Group, groupsOf, type PingOptions } from "./options.js";
import { type Answer, type Ask, askByProgram, askByTcp, echoAsker } from "./round.js";
import type { Target } from "./target.js";

interface Asker {
  readonly ask: Ask;
  /** For status. */
  readonly how: string;
  stop(): void;
}

const byProgram = (why: string): Asker => ({
  ask: askByProgram,
  how: `by the program ping: ${why}`,
  stop() {},
});

export function pingArbiter(options: PingOptions, log: Log): Arbiter {
  const groups = groupsOf(options);
  const stopping = new AbortController();
  let echo: Asker | undefined;
  const pings = groups.some(({ targets }) => targets.some(({ port }) => port === undefined));

  async function answerOf(target: Target, signal: AbortSignal): Promise<Answer> {
    if (target.port !== undefined) return await askByTcp(target, options.timeoutMs, signal);
    return await (echo ?? byProgram("not started")).ask(target, options.timeoutMs, signal);
  }

  return {
    async start() {
      if (!pings) return;
      echo = await openEcho();
      if (echo.ask === askByProgram) log.warn({ how: echo.how }, "pings take a process each");
    },
    async ask(_epoch, signal) {
      if (stopping.signal.aborted) return { verdict: "unknown", why: "it is stopped" };
      const either = AbortSignal.any([signal, stopping.signal]);
      const done = new AbortController();
      const judged = await Promise.all(
        groups.map((group) =>
          judge(group, (target) => answerOf(target, AbortSignal.any([either, done.signal]))),
        ),
      );
      done.abort();
      return either.aborted ? { verdict: "unknown", why: "the question was called off" } : rulingOf(judged);
    },
    async stop() {
      stopping.abort();
      echo?.stop();
      echo = undefined;
    },
    describe() {
      const text = groups.map(
        ({ need, targets }) => `${need} of ${targets.map(({ text: one }) => one).join(", ")}`,
      );
      const how = pings ? `; ${echo?.how ?? "not started"}` : "";
      return `${text.join("; ")}`.slice(0, 200 - how.length).trim() + how;
    },
  };
}

async function openEcho(): Promise<Asker> {
  try {
    const open = await echoSockets();
    const four = open(4);
    if (typeof four === "string") return byProgram(four);
    const six = open(6);
    // A host without IPv6 has no use for the other one.
    const noSix: EchoSocket = { send: () => String(six), receive: () => undefined, close() {} };
    const asker = echoAsker({ 4: four, 6: typeof six === "string" ? noSix : six });
    return { ask: asker.ask, how: "by ICMP socket", stop: asker.stop };
  } catch (error) {
    return byProgram(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
}

interface Judged {
  readonly reached: boolean;
  readonly why: string;
}

/** Settles as soon as the rest cannot change it. */
async function judge({ need, targets }: Group, ask: (target: Target) => Promise<Answer>): Promise<Judged> {
  const answers = targets.map(async (target) => ({ target, answer: await ask(target) }));
  const decides = (answer: Answer) => (need === "any" ? answer === undefined : answer !== undefined);
  const first = await firstThat(answers, ({ answer }) => decides(answer));
  const all = first === undefined ? await Promise.all(answers) : [first];
  const failed = all.filter(({ answer }) => answer !== undefined);
  const reached = need === "any" ? failed.length < all.length : failed.length === 0;
  const told = reached ? all.filter(({ answer }) => answer === undefined) : failed;
  return {
    reached,
    why: told.map(({ target, answer }) => `${target.text} ${answer ?? "answers"}`).join(", "),
  };
}

async function firstThat<T>(
  promises: readonly Promise<T>[],
  holds: (value: T) => boolean,
): Promise<T | undefined> {
  const found = Promise.withResolvers<T | undefined>();
  for (const promise of promises) void promise.then((value) => holds(value) && found.resolve(value));
  void Promise.all(promises).then(() => found.resolve(undefined));
  return await found.promise;
}

function rulingOf(judged: readonly Judged[]): Ruling {
  const missed = judged.filter(({ reached }) => !reached);
  if (missed.length === 0)
    return {
      verdict: "granted",
      why: judged
        .map(({ why }) => why)
        .join(", ")
        .slice(0, 300),
    };
  return {
    verdict: "denied",
    why: missed
      .map(({ why }) => why)
      .join(", ")
      .slice(0, 300),
  };
}
