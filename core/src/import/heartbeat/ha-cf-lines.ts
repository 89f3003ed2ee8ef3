/**
 * Reads ha.cf line by line as Heartbeat 3.0.6 does (heartbeat/config.c, parse_config): a comment begins at any `#`, the
 * directive ends at white space, its options are parted by white space and commas.
 */

export interface ConfLine {
  /** From 1. */
  readonly number: number;
  /** `udp` counts as `bcast`, of which it is an old name. */
  readonly directive: string;
  readonly written: string;
  /** What follows the directive, for those that take the whole line. */
  readonly rest: string;
  readonly options: readonly string[];
}

const white = /[ \t\r]+/;
const delimiters = /[, \t\r]+/;

export function confLines(text: string): readonly ConfLine[] {
  return text.split("\n").flatMap((raw, index) => {
    const bare = (raw.split("#", 1)[0] ?? "").replaceAll("\r", " ").replace(/^[ \t]+/, "");
    if (bare.trim() === "") return [];
    const written = bare.split(white, 1)[0] ?? "";
    const rest = bare
      .slice(written.length)
      .replace(/^[, \t]+/, "")
      .trimEnd();
    const options = rest.split(delimiters).filter((option) => option !== "");
    return [{ number: index + 1, directive: written === "udp" ? "bcast" : written, written, rest, options }];
  });
}

/**
 * Milliseconds, by the rules of cl_get_msec: seconds without a unit; ms, msec, us and usec; every other unit is an error,
 * also `s`. Undefined when Heartbeat refuses it.
 */
export function heartbeatMs(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|msec|us|usec)?\s*$/i.exec(text);
  if (match?.[1] === undefined) return undefined;
  const value = Number(match[1]);
  const unit = match[2]?.toLowerCase();
  if (unit === undefined) return value * 1000;
  return unit.startsWith("m") ? value : value / 1000;
}

/** As cl_str_to_boolean: undefined when it is neither. */
export function heartbeatBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (["true", "on", "yes", "y", "1"].includes(word)) return true;
  return ["false", "off", "no", "n", "0"].includes(word) ? false : undefined;
}
