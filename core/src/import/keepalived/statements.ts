/** The blocks of keepalived.conf as a tree: each statement with its words, and with those inside its braces. */

import type { Report } from "../report.js";
import type { SourceLine } from "./source-lines.js";
import { wordsOf } from "./words.js";

export interface Statement {
  readonly file: string;
  readonly line: number;
  /** Where its block ends, if that is in the same file; else `line`. */
  lastLine: number;
  readonly words: readonly string[];
  /** Undefined when it has no block. */
  children: Statement[] | undefined;
}

const deepestBlock = 32;

export function statements(lines: readonly SourceLine[], report: Report): readonly Statement[] {
  const top: Statement[] = [];
  /** The blocks that are open, the innermost last. */
  const open: Statement[] = [];
  const level = () => open.at(-1)?.children ?? top;
  for (const { file, line, text } of lines) {
    let words: string[] = [];
    const flush = () => {
      if (words.length > 0) level().push({ file, line, lastLine: line, words, children: undefined });
      words = [];
    };
    for (const word of wordsOf(text)) {
      if (word.quoted || (word.text !== "{" && word.text !== "}")) words.push(word.text);
      else if (word.text === "{") {
        flush();
        if (open.length >= deepestBlock) {
          report.add({ file, line }, "{", "dropped", `no configuration has blocks ${deepestBlock} deep`);
          continue;
        }
        // The brace may stand on the line below.
        const header = level().at(-1);
        const block = header?.children === undefined ? header : undefined;
        const statement = block ?? { file, line, lastLine: line, words: [], children: undefined };
        if (block === undefined) level().push(statement);
        statement.children = [];
        open.push(statement);
      } else {
        flush();
        const closed = open.pop();
        if (closed === undefined) report.add({ file, line }, "}", "dropped", "it closes nothing");
        else if (closed.file === file) closed.lastLine = Math.max(closed.lastLine, line);
      }
    }
    flush();
  }
  return top;
}
