/**
 * Plugins that hold up the process they run in: each is named in one alarm until it has been quiet for the time that came
 * with the news. Nothing is decided by it; whoever measures it has done what can be done.
 */

import type { Draft } from "./draft.js";
import { clearAlarm, raiseAlarm } from "./draft.js";
import type { BlockingPlugin } from "./state.js";

const todo = "report it to the author of the plugin";

export function pluginBlocked(draft: Draft, plugin: string, what: string, forMs: number): void {
  const { state, atMs } = draft;
  const untilMs = atMs + forMs;
  const known = state.blocking.some((each) => each.plugin === plugin);
  state.blocking = known
    ? state.blocking.map((each) =>
        // The first words stay: how long it took this time is no news.
        each.plugin === plugin ? { ...each, untilMs: Math.max(each.untilMs, untilMs) } : each,
      )
    : [...state.blocking, { plugin, what, untilMs }];
  sayBlocking(draft);
}

export function endBlocking(draft: Draft): void {
  const { state, atMs } = draft;
  if (!state.blocking.some(({ untilMs }) => atMs >= untilMs)) return;
  state.blocking = state.blocking.filter(({ untilMs }) => atMs < untilMs);
  sayBlocking(draft);
}

function sayBlocking(draft: Draft): void {
  const { blocking } = draft.state;
  if (blocking.length === 0) clearAlarm(draft, "PLUGIN_BLOCKS");
  else raiseAlarm(draft, "PLUGIN_BLOCKS", `${blocking.map(wordsOf).join("; ")}; ${todo}`);
}

function wordsOf({ plugin, what }: BlockingPlugin): string {
  return `${plugin} ${what}`;
}
