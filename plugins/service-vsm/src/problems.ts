/** What a refusal looks like to a client: problem details after RFC 9457, a status, and when to try again. */

import type { Refused } from "@understudy/core/public";

export interface Problem {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly retryAfterMs?: number | undefined;
}

/** Every code that a client can meet, with its status and what it means. */
export const problemCodes = {
  notActive: { status: 503, title: "This node does not serve now: ask the HA address again" },
  diskFull: { status: 507, title: "No new session can be stored; sessions can be looked up and ended" },
  frozen: { status: 503, title: "Writes are frozen for a moment, for a handover" },
  notKnownYet: { status: 503, title: "Not known yet: this node is not sure that it knows every session" },
  notFound: { status: 404, title: "There is no such session" },
  overloaded: { status: 503, title: "More requests wait than this node will queue" },
  invalid: { status: 400, title: "The request is not well formed" },
  keyUsed: { status: 409, title: "This idempotency key made a session that has ended" },
  unknownAgent: { status: 400, title: "There is no such agent" },
  noAgents: { status: 503, title: "The config names no agents" },
  noToken: { status: 401, title: "A bearer token is needed" },
  wrongToken: { status: 401, title: "The bearer token is unknown or revoked" },
  readOnlyToken: { status: 403, title: "This token may only read" },
  wrongAddress: { status: 421, title: "Sessions are served at the HA address only" },
  noSuchRoute: { status: 404, title: "There is no such resource" },
  wrongMethod: { status: 405, title: "This resource does not know this method" },
  tooLarge: { status: 413, title: "The request is too large" },
  wrongMediaType: { status: 415, title: "The request's body must be application/json" },
  tooSlow: { status: 408, title: "The request did not arrive in time" },
  internal: { status: 500, title: "This node made a mistake" },
} as const;

export type ProblemCode = keyof typeof problemCodes;

/** Thrown by handlers and turned into an answer in one place. */
export class RequestRefused extends Error {
  readonly problem: Problem;

  constructor(code: ProblemCode, detail: string, retryAfterMs?: number) {
    super(detail);
    this.problem = { code, ...problemCodes[code], detail, retryAfterMs };
  }
}

export function refused({ refusal, message, retryAfterMs }: Refused): RequestRefused {
  return new RequestRefused(refusal, message, retryAfterMs);
}

export function problemBody({ code, status, title, detail, retryAfterMs }: Problem): Record<string, unknown> {
  return {
    type: `urn:understudy:problem:${code}`,
    title,
    status,
    detail,
    code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(retryAfterMs) }),
  };
}

/** Whole seconds, as HTTP has it; `retryAfterMs` in the body says it finer. */
export function retryAfterHeader({ retryAfterMs }: Problem): string | undefined {
  return retryAfterMs === undefined ? undefined : String(Math.ceil(retryAfterMs / 1000));
}
