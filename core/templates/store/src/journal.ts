/**
 * A journal: one line of JSON for each transaction, behind a checksum. A last line that was cut off by a crash was never
 * acknowledged and is passed over; anything else that does not verify is damage.
 */

import { createHash } from "node:crypto";
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { type SessionRow, StoreFailure } from "@understudy/core/public";

/** One transaction: rows that were put, ids that are gone, values that were set. */
export interface Entry {
  readonly put: readonly SessionRow[];
  readonly gone: readonly string[];
  readonly meta: readonly (readonly [key: string, value: string])[];
}

const checkLength = 16;

export function lineOf(entry: Entry): string {
  const text = JSON.stringify(entry);
  return `${checkOf(text)} ${text}\n`;
}

function checkOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, checkLength);
}

/** Throws a StoreFailure "corrupt" where a line is not what was written; `whole`: a cut last line is damage too. */
export function readEntries(text: string, whole: boolean): readonly Entry[] {
  const lines = text.split("\n");
  const cut = lines.pop() ?? "";
  if (whole && (cut !== "" || lines.length === 0))
    throw new StoreFailure("corrupt", "the journal is cut off");
  return lines.map((line, at) => {
    const body = line.slice(checkLength + 1);
    if (line.slice(0, checkLength) !== checkOf(body)) {
      throw new StoreFailure("corrupt", `line ${at + 1} of the journal is not what was written`);
    }
    return JSON.parse(body) as Entry;
  });
}

/** Whether it is how a line begins, or nothing: anything else at the end of a journal was not cut off but damaged. */
function looksCut(rest: string): boolean {
  return /^([0-9a-f]{0,16}|[0-9a-f]{16} (\{.*)?)$/s.test(rest);
}

export interface Journal {
  /** Durable when it returns. Throws a StoreFailure; what did not fit is taken back. */
  append(line: string): void;
  close(): void;
}

export function openJournal(path: string): { readonly journal: Journal; readonly text: string } {
  const file = openSync(path, "a+", 0o600);
  const text = readFileSync(path, "utf8");
  // What was cut off goes, so that the next line begins where a line begins.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (!looksCut(text.slice(whole.length))) {
    closeSync(file);
    throw new StoreFailure("corrupt", "the journal does not end as a journal does");
  }
  let end = Buffer.byteLength(whole);
  if (end < fstatSync(file).size) ftruncateSync(file, end);
  const journal: Journal = {
    append(line) {
      const bytes = Buffer.from(line);
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
        fdatasyncSync(file);
        end += bytes.length;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== "ENOSPC") throw new StoreFailure("broken", message, error);
        ftruncateSync(file, end);
        throw new StoreFailure("full", message, error);
      }
    },
    close: () => closeSync(file),
  };
  return { journal, text };
}
