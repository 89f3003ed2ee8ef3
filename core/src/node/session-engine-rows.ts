/** Between the rows of the store, the sessions of the API and the JSON lines of export and import. */

import type { SessionRow } from "../sessions/store.js";
import type { Session } from "./session-api.js";
import { mostAttributeBytes } from "./session-engine-check.js";

export function sessionOf(row: SessionRow): Session {
  return {
    id: row.id,
    user: row.user,
    agent: row.agent,
    createdAt: row.createdAt,
    attributes: JSON.parse(row.attributes) as Record<string, string>,
    state: row.ended ? "ended" : "running",
    overLimit: row.overLimit,
    epoch: row.epoch,
  };
}

export function exportLine(row: SessionRow): string {
  return JSON.stringify(sessionOf(row));
}

/** The row of an exported line, without its stamp; a sentence when it is none. */
export function importLine(line: string): SessionRow | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "is not JSON";
  }
  if (typeof value !== "object" || value === null) return "is no session";
  const { id, user, agent, createdAt, attributes, state } = value as Record<string, unknown>;
  if (typeof id !== "string" || !/^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)) return "has no session id";
  for (const [name, text] of Object.entries({ user, agent, createdAt })) {
    if (typeof text !== "string" || text.length === 0 || text.length > 256) return `has a wrong ${name}`;
  }
  if (state !== "running" && state !== "ended") return "has a wrong state";
  if (typeof attributes !== "object" || attributes === null) return "has wrong attributes";
  if (Object.values(attributes).some((text) => typeof text !== "string")) return "has wrong attributes";
  const text = JSON.stringify(attributes);
  if (Buffer.byteLength(text) > mostAttributeBytes) return "has too many attributes";
  return {
    id,
    user: user as string,
    agent: agent as string,
    createdAt: createdAt as string,
    attributes: text,
    ended: state === "ended",
    overLimit: false,
    epoch: 0,
    origin: "",
    sequence: 0,
  };
}
