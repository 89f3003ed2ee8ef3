/**
 * The timeline on disk: one JSON object a line in `<state>/timeline.jsonl`, with one older file beside it. Writing is
 * best effort and in order; a line torn by a crash costs itself and nothing else.
 */

import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../plugin/tokens.js";
import type { KeptEntry } from "./timeline-merge.js";

export interface TimelineFile {
  /** The newest entries of the files, oldest first, at most `limit`. */
  load(limit: number): Promise<readonly KeptEntry[]>;
  append(entry: KeptEntry): void;
  /** Settles when everything appended so far was handed to the kernel, or could not be. */
  flushed(): Promise<void>;
  close(): Promise<void>;
}

export const rotateAtBytes = 8 * 1024 * 1024;
/** While the disk takes nothing, so many lines are held for it. */
const mostHeldLines = 10_000;

export function createTimelineFile(stateFolder: string, log: Log, rotateBytes = rotateAtBytes): TimelineFile {
  const path = join(stateFolder, "timeline.jsonl");
  const olderPath = join(stateFolder, "timeline.1.jsonl");
  const waiting: string[] = [];
  let writing: Promise<void> | undefined;
  let file: FileHandle | undefined;
  let bytes = 0;
  let failing = false;

  async function openFile(): Promise<FileHandle> {
    const opened = await open(path, "a+", 0o640);
    const { size } = await opened.stat();
    bytes = size;
    if (size > 0) {
      const last = Buffer.alloc(1);
      await opened.read(last, 0, 1, size - 1);
      // The line before a crash may have no end: it must not swallow the first one of now.
      if (last[0] !== 0x0a) await opened.appendFile("\n");
    }
    return opened;
  }

  async function rotate(): Promise<void> {
    await file?.close();
    file = undefined;
    await rename(path, olderPath);
  }

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting.slice(0, 1000);
      const text = lines.join("");
      try {
        file ??= await openFile();
        await file.appendFile(text);
        bytes += Buffer.byteLength(text);
        waiting.splice(0, lines.length);
        failing = false;
        if (bytes >= rotateBytes) await rotate();
      } catch (error) {
        if (!failing) log.error({ path, error }, "cannot write the timeline: it is kept in memory");
        failing = true;
        waiting.splice(0, Math.max(0, waiting.length - mostHeldLines));
        return;
      }
    }
  }

  function writeSoon(): void {
    writing ??= write().finally(() => {
      writing = undefined;
      // What came between the last look and here; a disk that takes nothing is tried again at the next entry.
      if (waiting.length > 0 && !failing) writeSoon();
    });
  }

  return {
    async load(limit) {
      const newest = await readEntries(path, limit);
      if (newest.length >= limit) return newest;
      const older = await readEntries(olderPath, limit - newest.length);
      return [...older, ...newest];
    },
    append(entry) {
      waiting.push(`${JSON.stringify(entry)}\n`);
      writeSoon();
    },
    async flushed() {
      while (writing !== undefined) await writing;
    },
    async close() {
      while (writing !== undefined) await writing;
      await file?.close();
      file = undefined;
    },
  };
}

async function readEntries(path: string, limit: number): Promise<readonly KeptEntry[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return [];
  }
  // The newest lines only: parsing 8 MiB at a start would hold the main thread for a tenth of a second.
  const lines = text.split("\n").slice(-limit - 1);
  return lines.flatMap((line) => parseEntry(line) ?? []).slice(-limit);
}

/** Undefined for a torn line, or one that another version wrote. */
export function parseEntry(line: string): KeptEntry | undefined {
  try {
    return asEntry(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Checks what is used to order and to print; everything else is for people. */
export function asEntry(value: unknown): KeptEntry | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { at, node, monotonicMs, kind, what, rules, details, boot } = value as Record<string, unknown>;
  if (typeof at !== "string" || typeof node !== "string" || typeof kind !== "string") return undefined;
  if (typeof monotonicMs !== "number" || typeof what !== "string") return undefined;
  return {
    at,
    node,
    monotonicMs,
    kind,
    what,
    rules: Array.isArray(rules) ? rules.filter((rule) => typeof rule === "string") : [],
    details: typeof details === "object" && details !== null ? (details as Record<string, unknown>) : {},
    boot: typeof boot === "string" ? boot : "",
  };
}
