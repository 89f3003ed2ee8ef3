/** What a request to the session API must look like, and the sentences with which one is refused. */

import type { RefusalKind } from "../sessions/request.js";
import type { CreateRequest, ListRequest, Refused } from "./session-api.js";

const mostUserCharacters = 256;
const mostAgentCharacters = 256;
const mostKeyCharacters = 128;
export const mostAttributeBytes = 4096;
const mostListed = 1000;

const sentences: Readonly<Record<Exclude<RefusalKind, "invalid">, readonly [string, number | undefined]>> = {
  notActive: ["This node does not serve sessions now; ask the HA address again.", 100],
  diskFull: ["The disk is full: no new session can be made; sessions can be looked up and ended.", 5000],
  frozen: ["The service is moving to the other node.", 50],
  notKnownYet: ["This node is not sure yet that it knows every session.", 1000],
  notFound: ["There is no such session.", undefined],
  overloaded: ["More requests wait than this node will queue.", 200],
};

export function refused(refusal: RefusalKind, message?: string): Refused {
  const [sentence, retryAfterMs] =
    refusal === "invalid" ? ["The request is invalid.", undefined] : sentences[refusal];
  return { ok: false, refusal, message: message ?? sentence, retryAfterMs };
}

/** The attributes as JSON text, or why the request is invalid. */
export function checkCreate(
  request: CreateRequest,
): { readonly attributes: string } | { readonly why: string } {
  const { user, key, agent, attributes } = request;
  const why =
    textProblem("user", user, mostUserCharacters) ??
    textProblem("key", key, mostKeyCharacters) ??
    textProblem("agent", agent, mostAgentCharacters);
  if (why !== undefined) return { why };
  if (typeof attributes !== "object" || attributes === null || Array.isArray(attributes)) {
    return { why: "attributes: must be an object whose values are strings" };
  }
  for (const name in attributes) {
    if (typeof attributes[name] !== "string") return { why: `attributes.${name}: must be a string` };
  }
  const text = JSON.stringify(attributes);
  if (text.length > mostAttributeBytes || Buffer.byteLength(text) > mostAttributeBytes) {
    return { why: `attributes: more than ${mostAttributeBytes} bytes as JSON` };
  }
  return { attributes: text };
}

function textProblem(name: string, value: unknown, most: number): string | undefined {
  if (typeof value !== "string") return `${name}: must be a string`;
  if (value.length === 0 || value.length > most) return `${name}: must have 1 to ${most} characters`;
  return value.isWellFormed() ? undefined : `${name}: is no valid Unicode`;
}

export function listProblem(request: ListRequest): string | undefined {
  if (!Number.isInteger(request.limit) || request.limit < 1 || request.limit > mostListed) {
    return `limit: must be 1 to ${mostListed}`;
  }
  return undefined;
}
