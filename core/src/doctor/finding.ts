/** What `understudy doctor` finds: one fact about this host or the pair, how grave it is, and what to do about it. */

export type Level =
  /** As it should be. */
  | "ok"
  /** Worth knowing; nothing to do. */
  | "note"
  /** It works, with less protection or later than it could. */
  | "warn"
  /** The pair will not do what it promises. */
  | "fail";

export interface Finding {
  readonly about: string;
  readonly level: Level;
  /** What was found, one sentence. */
  readonly what: string;
  readonly todo?: string | undefined;
}

export function finding(about: string, level: Level, what: string, todo?: string): Finding {
  return { about, level, what, ...(todo === undefined ? {} : { todo }) };
}
