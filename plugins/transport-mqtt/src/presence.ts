/**
 * Presence is for people who look at status, and never a sign of life: it is retained by the broker, so it may be as old
 * as its expiry and may have been written by anyone who may write there. Beats alone speak for a node.
 */

import { randomBytes } from "node:crypto";

export type PresenceState = "here" | "left" | "lost";

export interface Presence {
  readonly state: PresenceState;
  /** Which process said it: two machines that run as one node are told apart by it. */
  readonly instance: string;
}

/** One for the life of a path, so that nobody who comes again takes its own earlier word for another's. */
export function newInstance(): string {
  return randomBytes(6).toString("hex");
}

/** `here` is said again at a third of this; a broker that lost our connection without its will forgets us by itself. */
export const hereExpiresS = 60;
/** An hour is as long as "it left" or "it was lost" may interest anybody. */
export const goneExpiresS = 3600;

const longestPresence = 200;

export function presenceText(node: string, { state, instance }: Presence): string {
  return JSON.stringify({ node, state, instance });
}

/** Undefined when it says nothing that we understand: other software may write there. */
export function readPresence(payload: Uint8Array): Presence | undefined {
  if (payload.length > longestPresence) return undefined;
  try {
    const said: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    if (typeof said !== "object" || said === null || !("state" in said) || !("instance" in said))
      return undefined;
    const { state, instance } = said;
    if (state !== "here" && state !== "left" && state !== "lost") return undefined;
    return typeof instance === "string" ? { state, instance } : undefined;
  } catch {
    return undefined;
  }
}
