/** The routes of the API: what each does with a checked request. */

import { randomUUID } from "node:crypto";
import type { Acknowledged, Refused, SessionApi } from "@understudy/core/public";
import type { Placement } from "./placement.js";
import { type ProblemCode, RequestRefused, refused } from "./problems.js";
import { type Answer, defineRoute, type Route } from "./route.js";
import * as shapes from "./schemas.js";

export interface RouteNeeds {
  readonly sessions: SessionApi;
  readonly placement: Placement;
  /** Undefined while this node does not serve. */
  serving(): { readonly epoch: number } | undefined;
  /** Milliseconds a request waits while writes are frozen. */
  readonly freezeWaitMs: number;
}

const always: readonly ProblemCode[] = [
  "notActive",
  "wrongAddress",
  "overloaded",
  "noToken",
  "wrongToken",
  "internal",
];
const writing: readonly ProblemCode[] = [...always, "readOnlyToken", "frozen", "invalid"];

export function routes(needs: RouteNeeds): readonly Route[] {
  return [createRoute(needs), getRoute(needs), listRoute(needs), endRoute(needs), statusRoute(needs)];
}

function createRoute({ sessions, placement, ...needs }: RouteNeeds): Route {
  return defineRoute({
    method: "POST",
    path: "/v1/sessions",
    operationId: "createSession",
    summary: "Creates a session, or returns the one that the user has",
    scope: "write",
    shapes: { headers: shapes.createHeaders, body: shapes.createBody },
    answers: {
      201: {
        description: "The session was created.",
        schema: shapes.created,
        headers: { Location: "The session's path." },
      },
      200: { description: "The user, or this key, had the session already.", schema: shapes.created },
    },
    problems: [
      ...writing,
      "unknownAgent",
      "noAgents",
      "keyUsed",
      "diskFull",
      "notKnownYet",
      "tooLarge",
      "wrongMediaType",
    ],
    async handle({ headers, body }) {
      const key = headers["idempotency-key"] ?? randomUUID();
      const chosen = chooseAgent(placement, body.agent);
      let made = false;
      try {
        const request = { user: body.user, key, agent: chosen.agent, attributes: body.attributes };
        const result = await throughFreeze(needs, () => sessions.create(request));
        made = result.created;
        return createdAnswer(result, key, sessions.stale);
      } finally {
        chosen.settle(made);
      }
    },
  });
}

function chooseAgent(placement: Placement, wanted: string | undefined) {
  if (wanted !== undefined) {
    if (!placement.has(wanted)) {
      throw new RequestRefused("unknownAgent", `${wanted} is none of the agents in this node's config`);
    }
    return { agent: wanted, settle: () => undefined };
  }
  const chosen = placement.choose();
  if (!chosen) throw new RequestRefused("noAgents", "the config of the service vsm names no agents");
  return chosen;
}

function createdAnswer(
  { session, created, acknowledgement }: Acknowledged,
  key: string,
  stale: boolean,
): Answer {
  if (session.state === "ended") {
    throw new RequestRefused(
      "keyUsed",
      `this key made session ${session.id}, which has ended: use a new key`,
    );
  }
  return {
    status: created ? 201 : 200,
    body: { session, created, acknowledgement, stale, idempotencyKey: key },
    ...(created ? { headers: { location: `/v1/sessions/${session.id}` } } : {}),
  };
}

function getRoute({ sessions }: RouteNeeds): Route {
  return defineRoute({
    method: "GET",
    path: "/v1/sessions/{id}",
    operationId: "getSession",
    summary: "Looks one session up",
    scope: "read",
    shapes: { params: shapes.idParams },
    answers: { 200: { description: "The session, also one that has ended.", schema: shapes.found } },
    problems: [...always, "invalid", "notFound", "notKnownYet"],
    async handle({ params }) {
      const result = must(await sessions.get(params.id));
      return { status: 200, body: { session: result.session, stale: sessions.stale } };
    },
  });
}

function listRoute({ sessions }: RouteNeeds): Route {
  return defineRoute({
    method: "GET",
    path: "/v1/sessions",
    operationId: "listSessions",
    summary: "Lists sessions in pages, ordered by id",
    scope: "read",
    shapes: { query: shapes.listQuery },
    answers: { 200: { description: "One page.", schema: shapes.page } },
    problems: [...always, "invalid", "notKnownYet"],
    async handle({ query: { user, agent, after, limit, includeEnded } }) {
      const result = must(
        await sessions.list({
          limit,
          includeEnded: includeEnded === "true",
          ...(user === undefined ? {} : { user }),
          ...(agent === undefined ? {} : { agent }),
          ...(after === undefined ? {} : { after }),
        }),
      );
      return {
        status: 200,
        body: { sessions: result.sessions, next: result.next ?? null, stale: sessions.stale },
      };
    },
  });
}

function endRoute({ sessions, ...needs }: RouteNeeds): Route {
  return defineRoute({
    method: "DELETE",
    path: "/v1/sessions/{id}",
    operationId: "endSession",
    summary: "Ends a session; may be repeated",
    scope: "write",
    shapes: { params: shapes.idParams },
    answers: { 200: { description: "The session has ended.", schema: shapes.ended } },
    problems: [...writing, "notFound", "notKnownYet"],
    async handle({ params }) {
      const { session, acknowledgement } = await throughFreeze(needs, () => sessions.end(params.id));
      return { status: 200, body: { session, acknowledgement, stale: sessions.stale } };
    },
  });
}

function statusRoute({ sessions, serving }: RouteNeeds): Route {
  return defineRoute({
    method: "GET",
    path: "/v1/status",
    operationId: "getStatus",
    summary: "Whether this node serves; needs no token, and is answered at every address",
    scope: undefined,
    shapes: {},
    answers: {
      200: { description: "It serves.", schema: shapes.status },
      503: { description: "It does not: the other node may.", schema: shapes.status },
    },
    problems: [],
    async handle() {
      const now = serving();
      return {
        status: now === undefined ? 503 : 200,
        body: {
          serving: now !== undefined,
          epoch: now?.epoch ?? null,
          stale: now !== undefined && sessions.stale,
        },
      };
    },
  });
}

function must<T extends { readonly ok: true }>(result: T | Refused): T {
  if (!result.ok) throw refused(result);
  return result;
}

const askAgainMs = 10;

/** A freeze is over within 50 ms (rule R25): waiting it out is kinder than a refusal. */
async function throughFreeze(
  { freezeWaitMs, serving }: Pick<RouteNeeds, "freezeWaitMs" | "serving">,
  write: () => Promise<Acknowledged | Refused>,
): Promise<Acknowledged> {
  const endMs = performance.now() + freezeWaitMs;
  for (;;) {
    const result = await write();
    if (result.ok) return result;
    if (result.refusal !== "frozen" || performance.now() >= endMs) throw refused(result);
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
    if (serving() === undefined) throw new RequestRefused("notActive", "this node has just handed over", 0);
  }
}
