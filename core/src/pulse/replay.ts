/**
 * Runs a recording through the decision core again: the same events must give the same actions, and what they say is why
 * every role changed (G9).
 */

import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pulseError } from "../errors/pulse.js";
import type { Action } from "../failover/action.js";
import type { Event } from "../failover/event.js";
import type { State } from "../failover/state.js";
import { step } from "../failover/step.js";
import { recordingNames } from "./recorder.js";
import {
  createActionText,
  createRecordingReader,
  decodeHeader,
  type RecordingHeader,
  type RecordingReader,
  recordingVersion,
} from "./recording.js";

export interface ReplayedRecord {
  readonly atMs: number;
  readonly kind: string;
  readonly what: string;
  readonly rules: readonly string[];
}

export interface Divergence {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly event: Event;
  /** As JSON: what the node did then, and what this version does. */
  readonly recorded: string;
  readonly replayed: string;
}

export interface Replay {
  readonly node: string;
  /** The versions of Understudy that wrote it. */
  readonly software: readonly string[];
  readonly files: number;
  readonly events: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** What the core recorded, among it every role change (`kind` "role"), in order. */
  readonly records: readonly ReplayedRecord[];
  readonly divergence: Divergence | undefined;
  /** Lines that are no events, such as the last one before power was lost. */
  readonly damagedLines: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Progress extends Mutable<Omit<Replay, "records" | "software">> {
  readonly records: ReplayedRecord[];
  readonly software: string[];
}

/** @param path a recording, or a folder of them, which are read in order. Throws RECORDING_UNREADABLE. */
export async function replayRecording(path: string): Promise<Replay> {
  const progress: Progress = {
    node: "",
    software: [],
    files: 0,
    events: 0,
    fromMs: Infinity,
    toMs: -Infinity,
    records: [],
    divergence: undefined,
    damagedLines: 0,
  };
  for (const file of await filesOf(path)) {
    await replayFile(file, progress);
    progress.files += 1;
  }
  return progress;
}

async function filesOf(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = recordingNames(await readdir(path));
    if (names.length > 0) return names.map((name) => join(path, name));
  } catch (cause) {
    throw pulseError("RECORDING_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  throw pulseError("RECORDING_UNREADABLE", `there is no recording in ${path}`);
}

async function replayFile(file: string, progress: Progress): Promise<void> {
  let run: ((text: string, line: number) => void) | undefined;
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line += 1;
    if (line === 1) run = begin(file, text, progress);
    else run?.(text, line);
  }
  if (line === 0) progress.damagedLines += 1;
}

function begin(file: string, text: string, progress: Progress): (text: string, line: number) => void {
  const header = decodeHeader(text);
  if (header === undefined) throw pulseError("RECORDING_UNREADABLE", `${file} is no recording of Understudy`);
  if (header.version !== recordingVersion)
    throw pulseError(
      "RECORDING_UNREADABLE",
      `${file} is of version ${header.version} of the format, this program reads ${recordingVersion}`,
    );
  progress.node = header.node;
  if (!progress.software.includes(header.software)) progress.software.push(header.software);
  return createRun(file, header, progress);
}

function createRun(file: string, header: RecordingHeader, progress: Progress) {
  const reader: RecordingReader = createRecordingReader();
  const actionText = createActionText();
  let state: State = header.state;
  return (text: string, line: number): void => {
    const decoded = reader.decode(text);
    if (decoded === undefined) {
      progress.damagedLines += 1;
      return;
    }
    const { event } = decoded;
    const out = step(state, event);
    state = out.state;
    note(progress, event, out.actions);
    const replayed = actionText(out.actions);
    if (replayed !== decoded.actions) {
      progress.divergence ??= { file, line, event, recorded: decoded.actions, replayed };
    }
  };
}

function note(progress: Progress, event: Event, actions: readonly Action[]): void {
  progress.events += 1;
  progress.fromMs = Math.min(progress.fromMs, event.atMs);
  progress.toMs = Math.max(progress.toMs, event.atMs);
  for (const action of actions) {
    if (action.type !== "record") continue;
    const { kind, what, rules } = action;
    progress.records.push({ atMs: event.atMs, kind, what, rules });
  }
}
