/** Running sessions per agent as last counted: asked for again when they are old, and never waited for. */

import type { Clock, Log, SessionApi } from "@understudy/core/public";

const oldAfterMs = 250;

export function agentCounts(sessions: SessionApi, clock: Clock, log: Log): () => ReadonlyMap<string, number> {
  let counts: ReadonlyMap<string, number> = new Map();
  let countedAtMs = Number.NEGATIVE_INFINITY;
  let asking = false;
  return () => {
    if (!asking && clock.nowMs() - countedAtMs >= oldAfterMs) {
      asking = true;
      sessions
        .countByAgent()
        .then(
          (fresh) => {
            counts = fresh;
          },
          (error) => log.warn({ error }, "sessions per agent could not be counted"),
        )
        .finally(() => {
          countedAtMs = clock.nowMs();
          asking = false;
        });
    }
    return counts;
  };
}
