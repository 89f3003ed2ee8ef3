/**
 * The report of an import: what became of every line that was read. Nothing is ever dropped without an entry, and secrets
 * never appear in it.
 */

/** `taken`: means the same with us. `changed`: means something else, the note says what. `dropped`: the note says why. */
export type Fate = "taken" | "changed" | "dropped";

export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The last line that this is about; the same as `line` for most. */
  readonly lastLine?: number;
  /** Where in its line it stands, among several of that line. */
  readonly column?: number;
}

export interface Entry extends Place {
  /** What stands there, shortened, without secrets. */
  readonly text: string;
  readonly fate: Fate;
  /** A sentence for people. */
  readonly note: string;
}

export interface Report {
  add(place: Place, text: string, fate: Fate, note: string): void;
  /** In the order of files and lines. */
  entries(): readonly Entry[];
}

/** `files`: the order in which they are reported; others follow in the order in which they are met. */
export function makeReport(order: readonly string[] = []): Report {
  const all: Entry[] = [];
  const files: string[] = [...order];
  return {
    add(place, text, fate, note) {
      if (!files.includes(place.file)) files.push(place.file);
      all.push({ ...place, text: shortened(text), fate, note });
    },
    entries: () =>
      all.toSorted(
        (a, b) =>
          files.indexOf(a.file) - files.indexOf(b.file) ||
          a.line - b.line ||
          (a.column ?? 0) - (b.column ?? 0),
      ),
  };
}

const longestText = 60;

function shortened(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > longestText ? `${line.slice(0, longestText - 1)}…` : line;
}

/** As a person reads it: a heading a file, two lines an entry, and what it comes to. */
export function reportText(entries: readonly Entry[], notes: readonly string[]): string {
  const lines: string[] = [];
  let file: string | undefined;
  for (const entry of entries) {
    if (entry.file !== file) {
      lines.push(...(file === undefined ? [] : [""]), entry.file);
      file = entry.file;
    }
    const { line, lastLine = line } = entry;
    const number = lastLine > line ? `${line}-${lastLine}` : String(line);
    lines.push(
      `${number.padStart(7)}  ${entry.fate.padEnd(7)}  ${entry.text}`,
      `                  ${entry.note}`,
    );
  }
  const count = (fate: Fate) => entries.filter((one) => one.fate === fate).length;
  lines.push(
    "",
    `${count("taken")} taken over, ${count("changed")} changed in meaning, ${count("dropped")} dropped.`,
  );
  lines.push(...notes.map((note) => `- ${note}`));
  return `${lines.join("\n")}\n`;
}
