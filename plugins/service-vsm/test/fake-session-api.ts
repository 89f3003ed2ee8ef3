/** A session API in memory for tests: one running session a user, ids from user and key, refusals on demand. */

import { createHash } from "node:crypto";
import type {
  Acknowledged,
  Acknowledgement,
  CreateRequest,
  ListRequest,
  Refused,
  Session,
  SessionApi,
} from "@understudy/core/public";

export interface FakeSessionApi extends SessionApi {
  readonly calls: readonly string[];
  stale: boolean;
  acknowledgement: Acknowledgement;
  /** Refuses the next so many calls with it. */
  refuse(refused: Omit<Refused, "ok">, times?: number): void;
  /** Every call waits for this. */
  hold: Promise<void> | undefined;
  /** Instead of an answer. */
  fail: Error | undefined;
  /** Puts a session there that nobody created through the API. */
  put(session: Session): void;
  counts: ReadonlyMap<string, number> | undefined;
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export function idOf(user: string, key: string): string {
  const hash = createHash("sha256").update(`${user}\0${key}`).digest();
  return Array.from({ length: 26 }, (_, index) => crockford[(hash[index] ?? 0) & 31]).join("");
}

export function fakeSessionApi(): FakeSessionApi {
  const sessions = new Map<string, Session>();
  const calls: string[] = [];
  let refusing: { readonly refused: Refused; left: number } | undefined;

  async function enter(call: string): Promise<Refused | undefined> {
    calls.push(call);
    await api.hold;
    if (api.fail) throw api.fail;
    if (!refusing || refusing.left === 0) return undefined;
    refusing.left -= 1;
    return refusing.refused;
  }

  const acknowledged = (session: Session, created: boolean): Acknowledged => ({
    ok: true,
    session,
    acknowledgement: api.acknowledgement,
    created,
  });

  const notFound: Refused = {
    ok: false,
    refusal: "notFound",
    message: "no such session",
    retryAfterMs: undefined,
  };

  const api: FakeSessionApi = {
    calls,
    stale: false,
    acknowledgement: "replicated",
    hold: undefined,
    fail: undefined,
    counts: undefined,
    refuse(refused, times = Number.POSITIVE_INFINITY) {
      refusing = { refused: { ok: false, ...refused }, left: times };
    },
    put: (session) => void sessions.set(session.id, session),
    async create({ user, key, agent, attributes }: CreateRequest) {
      const refused = await enter("create");
      if (refused) return refused;
      const id = idOf(user, key);
      const had =
        sessions.get(id) ??
        [...sessions.values()].find((one) => one.user === user && one.state === "running");
      if (had) return acknowledged(had, false);
      const session: Session = {
        id,
        user,
        agent,
        attributes,
        createdAt: "2026-01-02T03:04:05.678Z",
        state: "running",
        overLimit: false,
        epoch: 1,
      };
      sessions.set(id, session);
      return acknowledged(session, true);
    },
    async end(id) {
      const refused = await enter("end");
      if (refused) return refused;
      const session = sessions.get(id);
      if (!session) return notFound;
      const ended: Session = { ...session, state: "ended" };
      sessions.set(id, ended);
      return acknowledged(ended, false);
    },
    async get(id) {
      const refused = await enter("get");
      if (refused) return refused;
      const session = sessions.get(id);
      return session ? { ok: true, session } : notFound;
    },
    async list({ user, agent, includeEnded, after, limit }: ListRequest) {
      const refused = await enter("list");
      if (refused) return refused;
      const all = [...sessions.values()]
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .filter((one) => user === undefined || one.user === user)
        .filter((one) => agent === undefined || one.agent === agent)
        .filter((one) => includeEnded || one.state === "running")
        .filter((one) => after === undefined || one.id > after);
      const page = all.slice(0, limit);
      return { ok: true, sessions: page, next: all.length > limit ? page.at(-1)?.id : undefined };
    },
    async countByAgent() {
      if (api.counts) return api.counts;
      const counts = new Map<string, number>();
      for (const { agent, state } of sessions.values()) {
        if (state === "running") counts.set(agent, (counts.get(agent) ?? 0) + 1);
      }
      return counts;
    },
  };
  return api;
}
