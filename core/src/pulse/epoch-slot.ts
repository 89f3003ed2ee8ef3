/**
 * One slot of the epoch file as bytes: a line of JSON that a person can read, then its checksum. What was torn while it
 * was written does not verify.
 */

import { createHash } from "node:crypto";
import type { Intents } from "../failover/event.js";
import type { Side } from "../plugin/contract.js";

/** One block of every usual disk, so that no write of one slot touches the other. */
export const slotBytes = 4096;

export interface EpochRecord {
  /** Counts the writes of the file: the higher of two sound slots is the newer. */
  readonly generation: number;
  /** Whose epochs these are: "<cluster>/<node>". */
  readonly owner: string;
  /** The highest epoch ever seen and written down. */
  readonly epoch: number;
  readonly intents: Intents;
}

interface Line {
  readonly generation: number;
  readonly owner: string;
  readonly epoch: number;
  readonly maintenance: boolean;
  readonly preference: Side | null;
  readonly preferenceVersion: number;
}

export function encodeSlot(record: EpochRecord): Buffer {
  const { generation, owner, epoch, intents } = record;
  const line: Line = {
    generation,
    owner,
    epoch,
    maintenance: intents.maintenance,
    preference: intents.preference.side ?? null,
    preferenceVersion: intents.preference.version,
  };
  const json = JSON.stringify(line);
  const text = `${json}\n${checksum(json)}\n`;
  const bytes = Buffer.alloc(slotBytes, "\n");
  if (bytes.write(text) !== Buffer.byteLength(text)) throw new RangeError("the epoch record is too long");
  return bytes;
}

/** Undefined for anything but a whole slot. */
export function decodeSlot(bytes: Buffer): EpochRecord | undefined {
  const [json, sum] = bytes.toString("utf8").split("\n", 2);
  if (json === undefined || sum === undefined || checksum(json) !== sum) return undefined;
  // The checksum vouches for the types: only encodeSlot writes a line that has one.
  const line = JSON.parse(json) as Line;
  return {
    generation: line.generation,
    owner: line.owner,
    epoch: line.epoch,
    intents: {
      maintenance: line.maintenance,
      preference: { side: line.preference ?? undefined, version: line.preferenceVersion },
    },
  };
}

function checksum(json: string): string {
  return createHash("sha256").update(json).digest("hex");
}
