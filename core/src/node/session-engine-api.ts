/**
 * The session API on the main thread: batches the calls of one turn of the event loop into one message, and turns answers
 * into promises kept. The permit is checked when a call comes and again when its answer goes out (rule R21).
 */

import type { RefusalKind, Serving } from "../sessions/request.js";
import type { Permit } from "./permit.js";
import type { Acknowledged, Refused, Session, SessionApi } from "./session-api.js";
import { checkCreate, listProblem, refused } from "./session-engine-check.js";
import { sessionOf } from "./session-engine-rows.js";
import { sessionId } from "./session-id.js";
import {
  answerCodes,
  type FlatRequests,
  type FromThread,
  requestCodes,
  type ToThread,
} from "./session-thread-messages.js";

const countsMaxAgeMs = 200;
const mostWaiting = 20_000;

type Kept = Acknowledged | Refused;

interface Waiting {
  readonly resolve: (answer: Kept) => void;
  /** Of a create: what it becomes if it is new. */
  readonly session: Omit<Session, "epoch"> | undefined;
}

export interface EngineApi {
  readonly api: SessionApi;
  readonly acknowledged: { replicated: number; solo: number };
  receive(message: FromThread): void;
  /** Everything that waits is refused. */
  threadLost(): void;
}

export interface EngineApiOptions {
  readonly cluster: string;
  readonly nowMs: () => number;
  readonly permit: () => Permit | undefined;
  readonly serving: () => Serving | undefined;
  readonly send: (message: ToThread) => boolean;
  /** A question to the thread with one answer; undefined when there is no thread. */
  readonly ask: (question: (ticket: number) => ToThread) => Promise<FromThread | undefined>;
}

export function createEngineApi(options: EngineApiOptions): EngineApi {
  const { nowMs } = options;
  const waiting = new Map<number, Waiting>();
  const acknowledged = { replicated: 0, solo: 0 };
  let nextTicket = 1;
  let batch: FlatRequests = [];
  let madeAtMs = 0;
  let madeAt = "";
  let counts: { readonly atMs: number; readonly value: Promise<ReadonlyMap<string, number>> } | undefined;

  function livePermit(): Permit | undefined {
    const permit = options.permit();
    return permit !== undefined && nowMs() < permit.untilMs ? permit : undefined;
  }

  /** The wall clock as text, made at most once a millisecond. */
  function wallClock(): string {
    const atMs = Date.now();
    if (atMs !== madeAtMs) {
      madeAtMs = atMs;
      madeAt = new Date(atMs).toISOString();
    }
    return madeAt;
  }

  function flush(): void {
    const flat = batch;
    batch = [];
    if (!options.send({ type: "requests", flat })) threadLost();
  }

  function enqueue(session: Waiting["session"]): { readonly ticket: number; readonly answer: Promise<Kept> } {
    const ticket = nextTicket;
    nextTicket += 1;
    // After every continuation of this turn: they all go in one message.
    if (batch.length === 0) process.nextTick(flush);
    const answer = new Promise<Kept>((resolve) => {
      waiting.set(ticket, { resolve, session });
    });
    return { ticket, answer };
  }

  function busy(): Refused | undefined {
    if (livePermit() === undefined) return refused("notActive");
    return waiting.size >= mostWaiting ? refused("overloaded") : undefined;
  }

  function keep(ticket: number): Waiting | undefined {
    const call = waiting.get(ticket);
    waiting.delete(ticket);
    return call;
  }

  function receiveCreated(flat: readonly number[]): void {
    const permit = livePermit();
    for (let at = 0; at < flat.length; at += 3) {
      const call = keep(flat[at] as number);
      const epoch = flat[at + 2] as number;
      if (call?.session === undefined) continue;
      if (permit?.epoch !== epoch) {
        call.resolve(refused("notActive"));
        continue;
      }
      const acknowledgement = flat[at + 1] === answerCodes.createdSolo ? "solo" : "replicated";
      acknowledged[acknowledgement] += 1;
      call.resolve({ ok: true, session: { ...call.session, epoch }, acknowledgement, created: true });
    }
  }

  function receiveAnswers(message: Extract<FromThread, { type: "answers" }>): void {
    const permit = livePermit();
    for (const { ticket, row, acknowledgement, created, epoch } of message.rows) {
      const call = keep(ticket);
      if (call === undefined) continue;
      if (permit?.epoch !== epoch) {
        call.resolve(refused("notActive"));
        continue;
      }
      acknowledged[acknowledgement] += 1;
      call.resolve({ ok: true, session: sessionOf(row), acknowledgement, created });
    }
    for (const [ticket, refusal] of message.refusals) keep(ticket)?.resolve(refused(refusal));
  }

  function threadLost(): void {
    batch = [];
    const lost = [...waiting.values()];
    waiting.clear();
    for (const { resolve } of lost)
      resolve(refused("notActive", "The session database of this node restarts."));
  }

  /** A session that is not here may be unknown only for now (rule R24), or known to whoever serves (rule R21). */
  function absence(): RefusalKind {
    if (livePermit() === undefined) return "notActive";
    return options.serving()?.stale === false ? "notFound" : "notKnownYet";
  }

  const api: SessionApi = {
    get stale() {
      return options.serving()?.stale === true;
    },
    create(request) {
      const checked = checkCreate(request);
      if ("why" in checked) return Promise.resolve(refused("invalid", checked.why));
      const no = busy();
      if (no !== undefined) return Promise.resolve(no);
      const { user, key, agent, attributes } = request;
      const id = sessionId(options.cluster, user, key);
      const createdAt = wallClock();
      const { ticket, answer } = enqueue({
        id,
        user,
        agent,
        createdAt,
        attributes,
        state: "running",
        overLimit: false,
      });
      batch.push(requestCodes.create, ticket, id, user, agent, createdAt, checked.attributes);
      return answer;
    },
    end(id) {
      const no = busy();
      if (no !== undefined) return Promise.resolve(no);
      const { ticket, answer } = enqueue(undefined);
      batch.push(requestCodes.end, ticket, id);
      return answer;
    },
    async get(id) {
      const answer = await options.ask((ticket) => ({ type: "get", ticket, id }));
      if (answer?.type !== "row") return refused("notKnownYet");
      if (answer.row === undefined) return refused(absence());
      return { ok: true, session: sessionOf(answer.row) };
    },
    async list(request) {
      const why = listProblem(request);
      if (why !== undefined) return refused("invalid", why);
      const { limit, includeEnded = false, user, agent, after } = request;
      const filter = { includeEnded, user, agent, after, limit: limit + 1 };
      const answer = await options.ask((ticket) => ({ type: "list", ticket, filter }));
      if (answer?.type !== "rows") return refused("notKnownYet");
      const page = answer.rows.slice(0, limit);
      const next = answer.rows.length > limit ? page.at(-1)?.id : undefined;
      return { ok: true, sessions: page.map(sessionOf), next };
    },
    countByAgent() {
      const atMs = nowMs();
      if (counts === undefined || atMs - counts.atMs > countsMaxAgeMs) {
        const value = options
          .ask((ticket) => ({ type: "countByAgent", ticket }))
          .then((answer) => (answer?.type === "counts" ? answer.counts : new Map<string, number>()));
        counts = { atMs, value };
      }
      return counts.value;
    },
  };

  return {
    api,
    acknowledged,
    receive(message) {
      if (message.type === "created") receiveCreated(message.flat);
      else if (message.type === "answers") receiveAnswers(message);
    },
    threadLost,
  };
}
