/** Says of statements what became of them; of a whole block at once where nothing in it is looked at. */

import type { Fate, Report } from "../report.js";
import type { Statement } from "./statements.js";

export type Say = (statement: Statement, fate: Fate, note: string, text?: string) => void;

/** Without what may be a password. */
function textOf({ words }: Statement): string {
  const [first = ""] = words;
  return /pass|secret|community/i.test(words.join(" "))
    ? `${/pass|secret|community/i.test(first) ? first : ""} (not shown)`
    : words.join(" ");
}

export function sayer(report: Report): Say {
  return (statement, fate, note, text) =>
    report.add({ file: statement.file, line: statement.line }, text ?? textOf(statement), fate, note);
}

/** A block with all that is in it, also what other files hold. */
export function sayWhole(report: Report, statement: Statement, fate: Fate, note: string): void {
  const { file, line, lastLine, children } = statement;
  const inside = children !== undefined && lastLine > line;
  report.add(
    { file, line, ...(inside ? { lastLine } : {}) },
    `${textOf(statement)}${children === undefined ? "" : " { … }"}`,
    fate,
    note,
  );
  const rest = (one: Statement): void => {
    const covered = one.file === file && one.line >= line && one.line <= lastLine;
    if (!covered) report.add({ file: one.file, line: one.line }, one.words[0] ?? "{", fate, note);
    for (const child of one.children ?? []) rest(child);
  };
  for (const child of children ?? []) rest(child);
}

/**
 * Says of every statement that nobody has spoken of that it is dropped: whatever stands where keepalived has no place for
 * it. So no line is ever left out.
 */
export function sayRest(report: Report, tree: readonly Statement[]): void {
  const spoken = new Set(
    report
      .entries()
      .flatMap(({ file, line, lastLine = line }) =>
        Array.from({ length: lastLine - line + 1 }, (_, offset) => `${line + offset} ${file}`),
      ),
  );
  const walk = (statement: Statement): void => {
    const { file, line, words, children = [] } = statement;
    if (words.length > 0 && !spoken.has(`${line} ${file}`))
      report.add({ file, line }, textOf(statement), "dropped", "keepalived has no place for it here");
    for (const child of children) walk(child);
  };
  for (const statement of tree) walk(statement);
}
