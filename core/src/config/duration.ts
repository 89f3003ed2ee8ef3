/**
 * Lengths of time as a person writes them: a number of milliseconds, or a text with its unit. Within the program they
 * are always milliseconds.
 */

import { z } from "zod";

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** Milliseconds, rounded to whole ones; undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^\s*(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]*)\s*$/i.exec(text);
  const factor = units[match?.[2]?.toLowerCase() || "ms"];
  if (match?.[1] === undefined || factor === undefined) return undefined;
  return Math.round(Number(match[1]) * factor);
}

/** "250 ms", "30 s", "1 h": the shortest exact text. */
export function formatDuration(ms: number): string {
  if (ms >= 3_600_000 && ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms >= 60_000 && ms % 60_000 === 0) return `${ms / 60_000} min`;
  if (ms >= 1000 && ms % 1000 === 0) return `${ms / 1000} s`;
  return `${ms} ms`;
}

interface Limits {
  readonly min: number;
  readonly max: number;
}

/** For people: the manual and the editor's schema say what is allowed; neither is stricter than what parses it. */
function written({ min, max }: Limits, word?: string) {
  const allowed = allowedBy({ min, max });
  const number = z.number().meta({ type: "integer", minimum: min, maximum: max });
  const text = z.string().meta({ pattern: word === undefined ? asPattern : `${asPattern}|^${word}$` });
  const orWord = word === undefined ? "" : `, or ${word}`;
  return z.union([number, text]).meta({ "x-type": `time ${allowed}${orWord}` });
}

/** What `parseDuration` reads, without the flag i, which JSON schema does not know. */
const asPattern = "^\\s*[0-9]{1,15}(\\.[0-9]{1,6})?\\s*([mM][sS]|[sS]|[mM]|[mM][iI][nN]|[hH])?\\s*$";

function allowedBy({ min, max }: Limits): string {
  return `from ${formatDuration(min)} to ${formatDuration(max)}`;
}

/** A duration within limits; milliseconds after parsing. */
export function duration(limits: Limits) {
  return written(limits).transform((value, context) => {
    const ms = toMs(value, limits);
    if (typeof ms === "number") return ms;
    context.addIssue({ code: "custom", message: ms.problem, input: value });
    return z.NEVER;
  });
}

/** As `duration`, and the word `never`, which becomes null. */
export function durationOrNever(limits: Limits) {
  return written(limits, "never").transform((value, context) => {
    if (value === "never") return null;
    const ms = toMs(value, limits);
    if (typeof ms === "number") return ms;
    context.addIssue({ code: "custom", message: `${ms.problem}, or never`, input: value });
    return z.NEVER;
  });
}

function toMs(value: number | string, limits: Limits): number | { readonly problem: string } {
  const { min, max } = limits;
  const allowed = allowedBy(limits);
  const ms = typeof value === "number" ? value : parseDuration(value);
  if (ms === undefined || !Number.isInteger(ms)) {
    return { problem: `must be a time such as 250ms, 10s or 5m, ${allowed}` };
  }
  return ms >= min && ms <= max ? ms : { problem: `must be ${allowed}` };
}
