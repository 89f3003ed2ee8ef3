/**
 * The shapes of the API, each written once: requests are checked with them, and the OpenAPI document is made from them.
 */

import { z } from "@understudy/core/public";

/** Whatever a terminal or a log would take for something else has no place in a name. */
const noControls = /^[^\p{Cc}\p{Cs}]*$/u;
const mostAttributesBytes = 4096;

export const sessionId = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, "is no session id: 26 characters of Crockford's base32")
  .describe("Never reused.");

const user = z.string().min(1).max(256).regex(noControls, "has control characters");
const agentName = z.string().min(1).max(253).regex(noControls, "has control characters");

const attributes = z
  .record(z.string().min(1).max(128), z.string().max(mostAttributesBytes))
  .refine((pairs) => Buffer.byteLength(JSON.stringify(pairs)) <= mostAttributesBytes, {
    message: `is more than ${mostAttributesBytes} bytes as JSON`,
  })
  .describe(
    "Free text pairs of the broker, such as display, client or geometry; at most 4096 bytes as JSON.",
  );

export const createBody = z.strictObject({
  user: user.describe("Whose session it is. A user has one running session at most."),
  agent: agentName
    .optional()
    .describe("The agent it must run on, one of the config's. Default: the least loaded."),
  attributes: attributes.default({}),
});

export const createHeaders = z.object({
  "idempotency-key": z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, "must be 1 to 128 visible ASCII characters")
    .optional()
    .describe(
      "Makes a retry safe: the same user and key make one session, also across a takeover. Without it a random one is made and returned.",
    ),
});

export const idParams = z.object({ id: sessionId });

export const listQuery = z.strictObject({
  user: user.optional(),
  agent: agentName.optional(),
  includeEnded: z
    .enum(["true", "false"])
    .default("false")
    .describe("Whether sessions that have ended, and are remembered still, are listed too."),
  after: sessionId.optional().describe("The last id of the page before."),
  limit: z.coerce.number().int().min(1).max(1000).default(100).describe("Sessions a page."),
});

export const session = z
  .object({
    id: sessionId,
    user: z.string(),
    agent: z.string(),
    createdAt: z
      .string()
      .describe("ISO 8601, by the clock of the node that made it; for people, nothing is ordered by it."),
    attributes: z.record(z.string(), z.string()),
    state: z.enum(["running", "ended"]),
    overLimit: z.boolean().describe("A merge after a split left this user with more sessions than one."),
    epoch: z.int().describe("Under which it was created or last changed."),
  })
  .meta({ id: "Session" });

const stale = z
  .boolean()
  .describe(
    "True: this node serves without having heard from the other one, and may not know every session (yet).",
  );

const acknowledgement = z
  .enum(["replicated", "solo"])
  .describe("replicated: durable on both nodes. solo: durable on this one only, because the other is away.");

export const created = z
  .object({
    session,
    created: z.boolean().describe("False: the user had this session already."),
    acknowledgement,
    stale,
    idempotencyKey: z.string().describe("The one given, or the one made."),
  })
  .meta({ id: "Created" });

export const ended = z.object({ session, acknowledgement, stale }).meta({ id: "Ended" });
export const found = z.object({ session, stale }).meta({ id: "Found" });

export const page = z
  .object({
    sessions: z.array(session),
    next: sessionId.nullable().describe("Pass it as `after` for the next page; null: there is none."),
    stale,
  })
  .meta({ id: "Page" });

export const status = z
  .object({
    serving: z.boolean(),
    epoch: z.int().nullable().describe("Null unless serving."),
    stale,
  })
  .meta({ id: "Status" });

export const problem = z
  .object({
    type: z.string().describe("urn:understudy:problem:CODE"),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe("Stable, for programs."),
    retryAfterMs: z.int().optional().describe("When trying again makes sense; absent when it does not."),
  })
  .meta({ id: "Problem" });
