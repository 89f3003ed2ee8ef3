/**
 * The one error class of Understudy and the way its codes are declared. A code names one mistake for ever: its
 * meaning and what to do stand in the catalogue of its area, and the documentation is generated from there.
 */

export interface ErrorEntry {
  /** What this means for the pair, one sentence. */
  readonly meaning: string;
  /** What the reader should do next, one sentence in the imperative. */
  readonly todo: string;
}

export type ErrorCatalogue<Code extends string = string> = Readonly<Record<Code, ErrorEntry>>;

export interface ErrorExtras {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An expected failure said to a person: what happened (`message`), what it means, what to do. */
export class UnderstudyError extends Error {
  readonly code: string;
  readonly meaning: string;
  readonly todo: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, what: string, entry: ErrorEntry, extras: ErrorExtras = {}) {
    super(what, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = "UnderstudyError";
    this.code = code;
    this.meaning = entry.meaning;
    this.todo = entry.todo;
    this.details = extras.details ?? {};
  }
}

export type ErrorMaker<Code extends string> = (
  code: Code,
  what: string,
  extras?: ErrorExtras,
) => UnderstudyError;

/** Binds a catalogue: `const configError = errorsOf(configErrors)`, then `throw configError("CONFIG_MISSING", "…")`. */
export function errorsOf<Code extends string>(catalogue: ErrorCatalogue<Code>): ErrorMaker<Code> {
  return (code, what, extras) => new UnderstudyError(code, what, catalogue[code], extras);
}

/** The text a person reads on a terminal: message, meaning, todo and code, each on its line. */
export function explain(error: unknown): string {
  if (error instanceof UnderstudyError) {
    return `${error.message}\n  ${error.meaning}\n  ${error.todo}\n  [${error.code}]`;
  }
  return error instanceof Error ? error.message : String(error);
}
