/**
 * The one thing pulse must remember across restarts: the highest epoch and the operator's intents (rules R16, R26). Two
 * preallocated slots are written in turn, so that neither a torn write nor a full disk can cost the value before.
 */

import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { placeFile } from "../durable-file.js";
import { pulseError } from "../errors/pulse.js";
import type { Intents } from "../failover/event.js";
import { decodeSlot, type EpochRecord, encodeSlot, slotBytes } from "./epoch-slot.js";

export interface EpochFile {
  /** What was on disk at the start; epoch 0 on a new disk. */
  readonly initial: EpochRecord;
  /** Why the file was not as it should be, for an alarm; undefined when it was. */
  readonly damage: string | undefined;
  /** Resolves once it is durable, rejects when it is not; what was durable before stays so. Never lowers the epoch. */
  writeEpoch(epoch: number): Promise<void>;
  writeIntents(intents: Intents): Promise<void>;
  /** Waits for the writes under way. */
  close(): Promise<void>;
}

export function epochFilePath(stateFolder: string): string {
  return join(stateFolder, "epoch");
}

const newIntents: Intents = { maintenance: false, preference: { side: undefined, version: 0 } };

/** @param owner "<cluster>/<node>". Throws an UnderstudyError EPOCH_FILE_*. */
export async function openEpochFile(path: string, owner: string): Promise<EpochFile> {
  try {
    const file = await openOrMake(path, owner);
    try {
      return createEpochFile(file, await readSlots(file, path, owner));
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code?.startsWith("EPOCH_FILE_")) throw cause;
    throw pulseError(
      "EPOCH_FILE_UNREADABLE",
      `cannot use the epoch file ${path}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

async function openOrMake(path: string, owner: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  // A new disk.
  const first = { owner, epoch: 0, intents: newIntents };
  await placeFile(path, async (file) => {
    await file.write(encodeSlot({ ...first, generation: 1 }), 0, slotBytes, 0);
    await file.write(encodeSlot({ ...first, generation: 2 }), 0, slotBytes, slotBytes);
  });
  return open(path, "r+");
}

interface Slots {
  readonly newest: EpochRecord;
  /** The place of the newest: the other one is written next. */
  readonly place: 0 | 1;
  readonly damage: string | undefined;
}

async function readSlots(file: FileHandle, path: string, owner: string): Promise<Slots> {
  const bytes = Buffer.alloc(2 * slotBytes);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  const first = decodeSlot(bytes.subarray(0, slotBytes));
  const second = decodeSlot(bytes.subarray(slotBytes, Math.max(bytesRead, slotBytes)));
  const place = (second?.generation ?? 0) > (first?.generation ?? 0) ? 1 : 0;
  const newest = place === 1 ? second : first;
  if (newest === undefined)
    throw pulseError("EPOCH_FILE_CORRUPT", `neither part of the epoch file ${path} verifies`);
  if (newest.owner !== owner)
    throw pulseError("EPOCH_FILE_FOREIGN", `the epoch file ${path} belongs to ${newest.owner}, not ${owner}`);
  const damage =
    first === undefined || second === undefined
      ? `one part of ${path} does not verify, as after a write that power loss interrupted: the value before it, epoch ${newest.epoch}, is used`
      : undefined;
  return { newest, place, damage };
}

type Change = Partial<Pick<EpochRecord, "epoch" | "intents">>;

interface Waiting {
  readonly change: Change;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function createEpochFile(file: FileHandle, slots: Slots): EpochFile {
  let durable = slots.newest;
  let place = slots.place;
  let { generation } = durable;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  /** All that waits goes into one write; what is refused is forgotten, not slipped in with the next. */
  async function writeOnce(): Promise<void> {
    const now = waiting;
    waiting = [];
    // Also after a failed write a new number: nobody knows how much of that one is on the disk.
    generation += 1;
    let record: EpochRecord = { ...durable, generation };
    for (const { change } of now)
      record = { ...record, ...change, epoch: Math.max(record.epoch, change.epoch ?? 0) };
    // The slot of what is durable is never touched.
    const target = place === 0 ? 1 : 0;
    try {
      const { bytesWritten } = await file.write(encodeSlot(record), 0, slotBytes, target * slotBytes);
      if (bytesWritten !== slotBytes) throw new Error(`only ${bytesWritten} bytes were written`);
      await file.datasync();
      durable = record;
      place = target;
      for (const { resolve } of now) resolve();
    } catch (error) {
      for (const { reject } of now) reject(error);
    }
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) await writeOnce();
    writing = undefined;
  }

  function write(change: Change): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      waiting.push({ change, resolve, reject });
    });
    writing ??= writeAll();
    return written;
  }

  return {
    initial: slots.newest,
    damage: slots.damage,
    writeEpoch: (epoch) => write({ epoch }),
    writeIntents: (intents) => write({ intents }),
    async close() {
      await writing;
      await file.close();
    },
  };
}
