/**
 * Writes what happened to disk (G9), in batches that nothing waits for. Files of 4 MiB begin with the whole state, so that
 * the oldest can be thrown away; a slow or full disk costs a gap, never a delay.
 */

import { closeSync, constants, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Action } from "../failover/action.js";
import type { Event } from "../failover/event.js";
import type { State } from "../failover/state.js";
import type { Log } from "../plugin/tokens.js";
import { createRecordingWriter, encodeHeader } from "./recording.js";

export interface RecorderOptions {
  readonly folder: string;
  readonly node: string;
  readonly software: string;
  readonly initial: State;
  readonly log: Log;
  /** Default 4 MiB. */
  readonly fileBytes?: number;
  /** All files together, default 32 MiB. */
  readonly totalBytes?: number;
}

export interface Recorder {
  record(event: Event, actions: readonly Action[], after: State): void;
  /** Writes everything now and waits for the disk to take it: for the last words of a process. Never throws. */
  flushNow(): void;
  close(): Promise<void>;
}

const mebibyte = 1024 * 1024;
const flushEveryMs = 500;
const mostWaitingBytes = 2 * mebibyte;
const retryAfterMs = 60_000;
const mostFiles = 64;
/** Made when it is not there, and never cut: the last words may be there before a write that was under way. */
const openFlags = constants.O_RDWR | constants.O_CREAT;
const namePattern = /^recording-(\d{9})\.jsonl$/;

/** A piece of one file, with its place there: written twice it is the same. */
interface Piece {
  readonly file: number;
  readonly position: number;
  readonly bytes: Buffer;
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { folder, log } = options;
  const fileBytes = options.fileBytes ?? 4 * mebibyte;
  let writer = createRecordingWriter();
  let lines: string[] = [];
  let waitingBytes = 0;
  let file = nextNumber(folder);
  let position = 0;
  let size = 0;
  let pieces: Piece[] = [];
  let handle: { readonly file: number; readonly handle: FileHandle } | undefined;
  let writing: Promise<void> | undefined;
  /** While there is a gap nothing is taken; afterwards a new file begins. */
  let gapUntilMs = 0;
  let gap = false;
  const timer = setInterval(flush, flushEveryMs);
  timer.unref();
  beginFile(options.initial);

  function add(line: string): void {
    lines.push(line);
    size += line.length + 1;
    waitingBytes += line.length + 1;
  }

  function beginFile(state: State): void {
    writer = createRecordingWriter();
    position = 0;
    size = 0;
    const { node, software } = options;
    add(encodeHeader({ node, software, at: new Date().toISOString(), state }));
  }

  function cut(): void {
    if (lines.length === 0) return;
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    lines = [];
    pieces.push({ file, position, bytes });
    position += bytes.length;
  }

  function flush(): void {
    cut();
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
  }

  async function writeAll(): Promise<void> {
    for (let piece = pieces[0]; piece !== undefined; piece = pieces[0]) {
      try {
        const target = await handleOf(piece.file);
        await target.write(piece.bytes, 0, piece.bytes.length, piece.position);
        pieces.shift();
        if (pieces.length === 0) waitingBytes = lines.reduce((sum, line) => sum + line.length + 1, 0);
      } catch (error) {
        giveUp(error);
      }
    }
  }

  async function handleOf(wanted: number): Promise<FileHandle> {
    if (handle?.file === wanted) return handle.handle;
    await handle?.handle.close();
    handle = undefined;
    await mkdir(folder, { recursive: true });
    handle = { file: wanted, handle: await open(pathOf(folder, wanted), openFlags, 0o600) };
    await removeOldest(folder, options.totalBytes ?? 32 * mebibyte, wanted);
    return handle.handle;
  }

  function giveUp(error: unknown): void {
    log.warn({ error, folder }, "the recording cannot be written: it pauses for a minute");
    forget();
    gapUntilMs = performance.now() + retryAfterMs;
  }

  function forget(): void {
    gap = true;
    pieces = [];
    lines = [];
    waitingBytes = 0;
  }

  function record(event: Event, actions: readonly Action[], after: State): void {
    if (!gap && waitingBytes > mostWaitingBytes) {
      log.warn({ folder }, "the disk is too slow for the recording: there will be a gap in it");
      forget();
    }
    if (gap) {
      if (performance.now() < gapUntilMs || writing !== undefined) return;
      gap = false;
      file += 1;
      beginFile(after);
      return;
    }
    add(writer.encode(event, actions));
    if (size >= fileBytes) {
      cut();
      file += 1;
      beginFile(after);
    }
    // What people will ask about should survive the next second.
    if (actions.some(({ type }) => type === "record")) flush();
  }

  return {
    record,
    flushNow() {
      cut();
      writeNow(folder, pieces);
      pieces = [];
    },
    async close() {
      clearInterval(timer);
      flush();
      await writing;
      await handle?.handle.close();
    },
  };
}

export function pathOf(folder: string, file: number): string {
  return join(folder, `recording-${String(file).padStart(9, "0")}.jsonl`);
}

/** Names of recordings in the order they were written. */
export function recordingNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => namePattern.test(name)).sort();
}

function nextNumber(folder: string): number {
  try {
    const last = recordingNames(readdirSync(folder)).at(-1);
    return Number(namePattern.exec(last ?? "")?.[1] ?? 0) + 1;
  } catch {
    return 1;
  }
}

async function removeOldest(folder: string, totalBytes: number, newest: number): Promise<void> {
  const names = recordingNames(await readdir(folder)).toReversed();
  let bytes = 0;
  for (const [index, name] of names.entries()) {
    const path = join(folder, name);
    const { size } = await stat(path);
    bytes += size;
    const keep = index < mostFiles && bytes <= totalBytes;
    if (!keep && path !== pathOf(folder, newest)) await rm(path, { force: true });
  }
}

function writeNow(folder: string, pieces: readonly Piece[]): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const { file, position, bytes } of pieces) {
      const target = openSync(pathOf(folder, file), openFlags, 0o600);
      writeSync(target, bytes, 0, bytes.length, position);
      closeSync(target);
    }
  } catch {
    // The process ends for another reason, which matters more.
  }
}
