/**
 * The format of a recording, which `understudy replay` runs through `step()` again. One JSON value a line:
 *
 * - first `{"understudy":"recording","version":2,"node":…,"software":…,"at":…,"state":…}`: the state before the first event,
 *   settings included; infinities are written "∞";
 * - `["t",atMs]` and `["p",atMs]`: `tick` and `polled`;
 * - `["b",atMs,path,beat,echoAgeMs]`: `beatReceived`, of whose beat only what differs from the one before stands here;
 *   null: not there;
 * - `["e",event]`: any other event, whole.
 *
 * Each may be followed by the actions that came of it. `renewLease`, `grantPermit` and a `sendBeat` that says what the
 * one before said are left out: they come with every beat, and a recording must be gentle to a flash disk.
 */

import type { Action, BeatBody } from "../failover/action.js";
import type { Event } from "../failover/event.js";
import type { State } from "../failover/state.js";
import type { Beat } from "../heartbeat/beat.js";

export const recordingVersion = 2;

export interface RecordingHeader {
  readonly understudy: "recording";
  readonly version: number;
  readonly node: string;
  /** The version of Understudy that wrote it. */
  readonly software: string;
  /** Wall clock, for people. */
  readonly at: string;
  readonly state: State;
}

export function encodeHeader(header: Omit<RecordingHeader, "understudy" | "version">): string {
  return JSON.stringify({ understudy: "recording", version: recordingVersion, ...header }, writeInfinity);
}

/** Undefined when the line is none. */
export function decodeHeader(line: string): RecordingHeader | undefined {
  const value = parse(line);
  if (typeof value !== "object" || value === null || !("understudy" in value)) return undefined;
  return value.understudy === "recording" ? (value as RecordingHeader) : undefined;
}

/** Remembers what the line before said; begin anew with each file. */
export interface RecordingWriter {
  encode(event: Event, actions: readonly Action[]): string;
}

export interface RecordingReader {
  /** Undefined when the line is no event. */
  decode(line: string): { readonly event: Event; readonly actions: string } | undefined;
}

export function createRecordingWriter(): RecordingWriter {
  const notable = createNotable();
  let beat: Beat | undefined;

  /** The line without its end: by hand, because a replacer function costs more than all the rest. */
  function head(event: Event): string {
    switch (event.type) {
      case "tick":
        return `["t",${event.atMs}`;
      case "polled":
        return `["p",${event.atMs}`;
      case "beatReceived": {
        const change = JSON.stringify(beatChange(beat, event.beat));
        beat = event.beat;
        return `["b",${event.atMs},${JSON.stringify(event.path)},${change},${event.echoAgeMs ?? null}`;
      }
      default:
        return `["e",${JSON.stringify(event, writeInfinity)}`;
    }
  }

  return {
    encode(event, actions) {
      const kept = notable(actions);
      const end = kept.length === 0 ? "]" : `,${JSON.stringify(kept, writeInfinity)}]`;
      return head(event) + end;
    },
  };
}

export function createRecordingReader(): RecordingReader {
  let beat: Beat | undefined;
  return {
    decode(line) {
      const value = parse(line);
      if (!Array.isArray(value)) return undefined;
      const [kind, ...rest] = value as [unknown, ...unknown[]];
      const text = (actions: unknown) => JSON.stringify(actions ?? [], writeInfinity);
      if (kind === "e") return { event: rest[0] as Event, actions: text(rest[1]) };
      const atMs = rest[0] as number;
      if (kind === "t") return { event: { type: "tick", atMs }, actions: text(rest[1]) };
      if (kind === "p") return { event: { type: "polled", atMs }, actions: text(rest[1]) };
      if (kind !== "b") return undefined;
      beat = beatAfter(beat, rest[2] as BeatChange);
      const echoAgeMs = (rest[3] as number | null) ?? undefined;
      const event = { type: "beatReceived", atMs, path: rest[1] as string, beat, echoAgeMs } as const;
      return { event, actions: text(rest[4]) };
    },
  };
}

/** What a step's actions look like in a recording, for comparing. */
export function createActionText(): (actions: readonly Action[]) => string {
  const notable = createNotable();
  return (actions) => JSON.stringify(notable(actions), writeInfinity);
}

function createNotable(): (actions: readonly Action[]) => readonly Action[] {
  let said: BeatBody | undefined;
  const differs = (body: BeatBody): boolean => {
    if (same(said, body)) return false;
    said = body;
    return true;
  };
  return (actions) =>
    actions.filter(
      (action) =>
        action.type !== "renewLease" &&
        action.type !== "grantPermit" &&
        (action.type !== "sendBeat" || differs(action.body)),
    );
}

type BeatChange = { readonly [K in keyof Beat]?: Beat[K] | null };

function beatChange(before: Beat | undefined, beat: Beat): BeatChange {
  if (before === undefined) return beat;
  const change: Record<string, unknown> = {};
  for (const name in beat) {
    const key = name as keyof Beat;
    if (!same(before[key], beat[key])) change[key] = beat[key] ?? null;
  }
  return change as BeatChange;
}

/** Of plain data. Not by JSON, since this is asked of every beat. */
function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const before = one as Readonly<Record<string, unknown>>;
  const after = other as Readonly<Record<string, unknown>>;
  for (const key in after) if (!same(before[key], after[key])) return false;
  for (const key in before) if (!(key in after)) return false;
  return true;
}

function beatAfter(before: Beat | undefined, change: BeatChange): Beat {
  const merged: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(change)) merged[key] = value ?? undefined;
  return merged as unknown as Beat;
}

function writeInfinity(_key: string, value: unknown): unknown {
  if (value === Infinity) return "∞";
  return value === -Infinity ? "-∞" : value;
}

function readInfinity(_key: string, value: unknown): unknown {
  if (value === "∞") return Infinity;
  return value === "-∞" ? -Infinity : value;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line, readInfinity);
  } catch {
    return undefined;
  }
}
