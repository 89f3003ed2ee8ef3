/**
 * From the text of keepalived.conf to the lines that count: includes are put in their place, lines for other machines
 * (`@id`) left out, and parameters (`$NAME=`) replaced, as keepalived does before it parses.
 */

import type { Report } from "../report.js";

export interface SourceLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** The files that a pattern of `include` in `from` stands for; none when there are none. */
export type IncludeReader = (pattern: string, from: string) => readonly SourceFile[];

export interface Lines {
  readonly lines: readonly SourceLine[];
  /** Lines for one machine alone were met, and nobody said which one this is. */
  readonly needsConfigId: boolean;
}

const includeWords = /^\s*include[armwb]?\s+(\S.*?)\s*$/;
const deepestInclude = 16;
const deepestReplacement = 16;
const longestLine = 20_000;
const mostLines = 50_000;

export function sourceLines(
  main: SourceFile,
  readInclude: IncludeReader,
  configId: string | undefined,
  report: Report,
): Lines {
  const lines: SourceLine[] = [];
  const parameters = new Map<string, string>();
  let needsConfigId = false;

  function takeFile({ file, text }: SourceFile, within: readonly string[]): void {
    const raw = text.split("\n").map((line) => line.replace(/\r$/, ""));
    for (let index = 0; index < raw.length; index += 1) {
      const source = { file, line: index + 1, text: raw[index] ?? "" };
      const definition = /^(?:@\^?\S*)?\s*\$([A-Za-z_]\w*)=(.*)$/.exec(source.text);
      if (definition?.[1] === undefined) takeLine(source, [...within, file]);
      else index = define(file, raw, index, definition[1], definition[2] ?? "");
    }
  }

  /** Returns the index of its last line. */
  function define(file: string, raw: readonly string[], first: number, name: string, value: string): number {
    let last = first;
    const parts = [value];
    while (parts.at(-1)?.trimEnd().endsWith("\\") && last + 1 < raw.length) {
      last += 1;
      parts.push(raw[last] ?? "");
    }
    if (conditioned({ file, line: first + 1, text: raw[first] ?? "" }, last + 1) === undefined) return last;
    const bodies = parts.map((part) => part.trimEnd().replace(/\\$/, ""));
    // What follows the name of a parameter of several lines is the first of them, most often nothing.
    parameters.set(name, (last > first && bodies[0]?.trim() === "" ? bodies.slice(1) : bodies).join("\n"));
    report.add(
      { file, line: first + 1, lastLine: last + 1 },
      `$${name}=`,
      "taken",
      "a parameter; its value stands where it is used",
    );
    return last;
  }

  function takeLine(source: SourceLine, within: readonly string[]): void {
    if (lines.length >= mostLines) {
      report.add(source, "…", "dropped", `no configuration has more than ${mostLines} lines`);
      return;
    }
    const include = includeWords.exec(source.text);
    if (include?.[1] !== undefined) takeInclude(source, include[1], within);
    else takePlain(source);
  }

  /** Strips the condition of a line that counts here; undefined for one that does not. */
  function conditioned(source: SourceLine, lastLine?: number): SourceLine | undefined {
    const condition = /^@(\^?)(\S*)\s?(.*)$/.exec(source.text);
    if (condition === null) return source;
    const [, not = "", id = "", rest = ""] = condition;
    if (configId === undefined) needsConfigId = true;
    if (configId !== undefined && (id === configId) === (not === "")) return { ...source, text: rest };
    const note =
      configId === undefined
        ? "it is for one machine alone: say which with --config-id"
        : `it is not for ${configId}`;
    report.add({ ...source, ...(lastLine === undefined ? {} : { lastLine }) }, source.text, "dropped", note);
    return undefined;
  }

  function takeInclude(source: SourceLine, pattern: string, within: readonly string[]): void {
    const found = readInclude(pattern.replaceAll(/^"|"$/g, ""), source.file);
    const files = within.length > deepestInclude ? [] : found.filter(({ file }) => !within.includes(file));
    const note =
      files.length === 0
        ? found.length > 0
          ? "it would include itself"
          : "no file of that name can be read here"
        : `read in its place: ${files.map(({ file }) => file).join(", ")}`;
    report.add(source, source.text, files.length === 0 ? "dropped" : "taken", note);
    for (const file of files) takeFile(file, within);
  }

  function takePlain(source: SourceLine): void {
    const here = conditioned(source);
    if (here === undefined) return;
    const text = replaced(here.text, parameters);
    if (text === undefined) {
      report.add(source, source.text, "dropped", "its parameters replace each other without end");
      return;
    }
    if (text === here.text) lines.push(here);
    // What stood in a parameter may have conditions of its own.
    else
      for (const part of text.split("\n"))
        lines.push(...[conditioned({ ...here, text: part })].filter((one) => one !== undefined));
  }

  takeFile(main, []);
  return { lines, needsConfigId };
}

function replaced(line: string, parameters: ReadonlyMap<string, string>): string | undefined {
  let text = line;
  for (let depth = 0; depth < deepestReplacement; depth += 1) {
    const next = text.replaceAll(
      /\$(?:\{(\w+)\}|(\w+)(?=\s|$))/g,
      (whole, inBraces?: string, bare?: string) => {
        return parameters.get(inBraces ?? bare ?? "") ?? whole;
      },
    );
    if (next === text) return text;
    if (next.length > longestLine) return undefined;
    text = next;
  }
  return undefined;
}
