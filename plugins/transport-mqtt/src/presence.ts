/**
 * Presence is for people who look at status, and never a sign of life: it is retained by the broker, so it may be as old
 * as its expiry and may have been written by anyone who may write there. Beats alone speak for a node.
 */

export type Presence = "here" | "left" | "lost";

/** `here` is said again at a third of this; a broker that lost our connection without its will forgets us by itself. */
export const hereExpiresS = 60;
/** An hour is as long as "it left" or "it was lost" may interest anybody. */
export const goneExpiresS = 3600;

const longestPresence = 200;

export function presenceText(node: string, state: Presence): string {
  return JSON.stringify({ node, state });
}

/** Undefined when it says nothing that we understand: other software may write there. */
export function readPresence(payload: Uint8Array): Presence | undefined {
  if (payload.length > longestPresence) return undefined;
  try {
    const said: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    const state = typeof said === "object" && said !== null && "state" in said ? said.state : undefined;
    return state === "here" || state === "left" || state === "lost" ? state : undefined;
  } catch {
    return undefined;
  }
}
