/** What has been understood of ha.cf so far: single settings, of which the last counts, and media, nodes and pings in order. */

import type { Fate } from "../report.js";
import type { ConfLine } from "./ha-cf-lines.js";

export interface Medium {
  readonly line: ConfLine;
  readonly kind: "bcast" | "mcast" | "ucast" | "serial";
  /** The interface, or the serial device. */
  readonly on: string;
  /** ucast: the address that is sent to, which is one of the two nodes'. */
  readonly to?: string;
  readonly group?: string;
  readonly ttl?: number;
  readonly baud?: number;
}

export interface Ping {
  readonly line: ConfLine;
  readonly targets: readonly string[];
  /** A group is alive while one of its members is. */
  readonly any: boolean;
}

export interface Decision {
  readonly fate: Fate;
  readonly note: string;
}

/** A directive of which the last one counts: called for that one alone. */
interface Setting {
  readonly line: ConfLine;
  readonly settle: () => Decision;
}

export interface HaCfState {
  readonly nodes: string[];
  readonly nodeLines: ConfLine[];
  /** The dead time is to be taken over. */
  readonly keepTimes: boolean;
  readonly media: Medium[];
  readonly pings: Ping[];
  readonly settings: Map<string, Setting>;
  /** Everything said of single lines; media and pings are judged at the end. */
  readonly said: { readonly line: ConfLine; readonly decision: Decision; readonly text?: string }[];
  cluster: string | undefined;
  deadtimeMs: number | undefined;
  initdeadMs: number | undefined;
  autoFailback: "on" | "off" | "legacy" | undefined;
  baud: number | undefined;
  /** Whether ipfail runs: without it ping nodes change nothing. */
  ipfail: boolean;
  watchdog: string | undefined;
  debug: boolean;
  /** The line that hands everything to Pacemaker. */
  pacemaker: ConfLine | undefined;
  stonith: boolean;
}

export function emptyHaCf(keepTimes: boolean): HaCfState {
  return {
    nodes: [],
    nodeLines: [],
    keepTimes,
    media: [],
    pings: [],
    settings: new Map(),
    said: [],
    cluster: undefined,
    deadtimeMs: undefined,
    initdeadMs: undefined,
    autoFailback: undefined,
    baud: undefined,
    ipfail: false,
    watchdog: undefined,
    debug: false,
    pacemaker: undefined,
    stonith: false,
  };
}

export function say(state: HaCfState, line: ConfLine, fate: Fate, note: string, text?: string): void {
  state.said.push({ line, decision: { fate, note }, ...(text === undefined ? {} : { text }) });
}

/** Every earlier line of the same directive is overruled by this one. */
export function setLast(state: HaCfState, line: ConfLine, settle: () => Decision): void {
  const earlier = state.settings.get(line.directive);
  if (earlier !== undefined)
    say(state, earlier.line, "dropped", `line ${line.number} says otherwise, and the last one counts`);
  state.settings.set(line.directive, { line, settle });
}
