/**
 * The messages of replication and their bytes. An envelope is what travels at once: a head that says who the sender is
 * now, and any number of messages; an envelope of none is a sign of life. A malformed envelope is refused as a whole.
 */

import {
  type ByteReader,
  type ByteWriter,
  createReader,
  createWriter,
  Malformed,
  putByte,
  putBytes,
  putCount,
  putFixed,
  putNumber,
  putUint32,
  reserve,
  skip,
  takeByte,
  takeCount,
  takeFixed,
  takeNumber,
  takeUint32,
} from "./bytes.js";
import type { Sum64 } from "./digest.js";
import { type Hello, parseHello, parseVectorJson } from "./hello.js";
import { isOrigin, originCharacters, takeRow } from "./row-codec.js";
import type { SessionRow } from "./store.js";
import type { VersionVector } from "./version-vector.js";

/** Raised when an older program could not understand the messages. */
export const replicationProtocol = 1;

/** What every envelope says about its sender at the moment of sending. */
export interface Head {
  /** It serves clients under `epoch`. */
  readonly serving: boolean;
  /** R20: it will not acknowledge alone within `soloAfterMs` of having heard what it echoes. */
  readonly promises: boolean;
  /** R20: it believes itself in sync. */
  readonly believes: boolean;
  /** R22: it cannot make changes durable; sticky until the next connection. */
  readonly refuses: boolean;
  /** The highest epoch it knows; its own while it serves. */
  readonly epoch: number;
  /** Monotonic milliseconds of the sender. */
  readonly sentMs: number;
  /** `sentMs` of the last envelope of this connection whose messages were all worked off; 0: none yet. */
  readonly echoMs: number;
}

export interface HashedRow {
  readonly row: SessionRow;
  readonly hash: Readonly<Sum64>;
}

export type Message =
  | { readonly type: "hello"; readonly hello: Hello }
  | {
      readonly type: "changes";
      readonly origin: string;
      /** The receiver has everything of the origin up to here already. */
      readonly from: number;
      /** And up to here after these rows. */
      readonly through: number;
      /** The sender knew every session when it made them, so they exceed no limit unseen. */
      readonly settled: boolean;
      readonly rows: readonly HashedRow[];
    }
  /** Everything that the sender has was sent before this. */
  | { readonly type: "caughtUp"; readonly vector: VersionVector }
  /** Durable at the sender of this. */
  | { readonly type: "confirm"; readonly origin: string; readonly through: number }
  | { readonly type: "digest"; readonly vector: Sum64; readonly digest: Sum64 }
  | { readonly type: "buckets"; readonly sums: readonly Sum64[] }
  | { readonly type: "repairRows"; readonly rows: readonly HashedRow[] }
  | { readonly type: "differing"; readonly buckets: readonly number[] }
  | { readonly type: "repaired" }
  | { readonly type: "snapshotBegins"; readonly bytes: number; readonly vector: VersionVector }
  | { readonly type: "snapshotChunk"; readonly bytes: Uint8Array }
  | { readonly type: "snapshotEnds" }
  | { readonly type: "freezeAsked"; readonly id: number; readonly vector: Sum64; readonly digest: Sum64 }
  | { readonly type: "freezeAnswered"; readonly id: number; readonly equal: boolean };

const codes = {
  hello: 1,
  changes: 2,
  caughtUp: 3,
  confirm: 4,
  digest: 5,
  buckets: 6,
  repairRows: 7,
  differing: 8,
  repaired: 9,
  snapshotBegins: 10,
  snapshotChunk: 11,
  snapshotEnds: 12,
  freezeAsked: 13,
  freezeAnswered: 14,
} as const satisfies Record<Message["type"], number>;

const names = new Map<number, Message["type"]>(
  Object.entries(codes).map(([name, code]) => [code, name as Message["type"]]),
);

const flags = { serving: 1, promises: 2, believes: 4, refuses: 8 } as const;

/** Collects messages until they are sent together. */
export interface Outbox {
  /** Bytes of messages waiting. */
  readonly waiting: number;
  put(message: Exclude<Message, { type: "changes" | "repairRows" }>): void;
  /** Rows already encoded by `putRow`. */
  putChanges(
    head: {
      readonly origin: string;
      readonly from: number;
      readonly through: number;
      readonly settled: boolean;
    },
    count: number,
    rows: ByteWriter,
  ): void;
  putRepairRows(count: number, rows: ByteWriter): void;
  /** The envelope, in memory that the next message is written into: to be sent or copied before that. */
  seal(head: Head): Buffer;
  clear(): void;
}

const headBytes = 2 + 3 * 8;

export function createOutbox(): Outbox {
  const writer = createWriter();
  writer.length = headBytes;

  function begin(type: Message["type"]): number {
    putByte(writer, codes[type]);
    putUint32(writer, 0);
    return writer.length;
  }

  function finish(start: number): void {
    writer.buffer.writeUInt32LE(writer.length - start, start - 4);
  }

  return {
    get waiting() {
      return writer.length - headBytes;
    },
    put(message) {
      const start = begin(message.type);
      putBody(writer, message);
      finish(start);
    },
    putChanges(head, count, rows) {
      const start = begin("changes");
      putFixed(writer, head.origin, originCharacters);
      putCount(writer, head.from);
      putCount(writer, head.through);
      putByte(writer, head.settled ? 1 : 0);
      putUint32(writer, count);
      putBytes(writer, rows.buffer.subarray(0, rows.length));
      finish(start);
    },
    putRepairRows(count, rows) {
      const start = begin("repairRows");
      putUint32(writer, count);
      putBytes(writer, rows.buffer.subarray(0, rows.length));
      finish(start);
    },
    seal(head) {
      const length = writer.length;
      writer.length = 0;
      putByte(writer, replicationProtocol);
      putByte(
        writer,
        (head.serving ? flags.serving : 0) |
          (head.promises ? flags.promises : 0) |
          (head.believes ? flags.believes : 0) |
          (head.refuses ? flags.refuses : 0),
      );
      putCount(writer, head.epoch);
      putNumber(writer, head.sentMs);
      putNumber(writer, head.echoMs);
      writer.length = length;
      writer.length = headBytes;
      return writer.buffer.subarray(0, length);
    },
    clear() {
      writer.length = headBytes;
    },
  };
}

function putBody(writer: ByteWriter, message: Exclude<Message, { type: "changes" | "repairRows" }>): void {
  switch (message.type) {
    case "hello":
      putJson(writer, {
        ...message.hello,
        vector: [...message.hello.vector],
        pruned: [...message.hello.pruned],
      });
      break;
    case "caughtUp":
      putJson(writer, [...message.vector]);
      break;
    case "confirm":
      putFixed(writer, message.origin, originCharacters);
      putCount(writer, message.through);
      break;
    case "digest":
      putSum(writer, message.vector);
      putSum(writer, message.digest);
      break;
    case "buckets":
      for (const sum of message.sums) putSum(writer, sum);
      break;
    case "differing":
      for (const bucket of message.buckets) putUint32(writer, bucket);
      break;
    case "snapshotBegins":
      putCount(writer, message.bytes);
      putJson(writer, [...message.vector]);
      break;
    case "snapshotChunk":
      putBytes(writer, message.bytes);
      break;
    case "freezeAsked":
      putUint32(writer, message.id);
      putSum(writer, message.vector);
      putSum(writer, message.digest);
      break;
    case "freezeAnswered":
      putUint32(writer, message.id);
      putByte(writer, message.equal ? 1 : 0);
      break;
    case "repaired":
    case "snapshotEnds":
      break;
  }
}

export interface Envelope {
  readonly head: Head;
  readonly messages: readonly Message[];
}

/** Undefined for anything that is not an envelope of this protocol, whole and unharmed. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | undefined {
  try {
    const reader = createReader(bytes);
    if (takeByte(reader) !== replicationProtocol) return undefined;
    const bits = takeByte(reader);
    const head: Head = {
      serving: (bits & flags.serving) !== 0,
      promises: (bits & flags.promises) !== 0,
      believes: (bits & flags.believes) !== 0,
      refuses: (bits & flags.refuses) !== 0,
      epoch: takeCount(reader),
      sentMs: takeNumber(reader),
      echoMs: takeNumber(reader),
    };
    const messages: Message[] = [];
    while (reader.at < reader.end) {
      const type = names.get(takeByte(reader));
      const length = takeUint32(reader);
      const start = skip(reader, length);
      if (type === undefined) throw new Malformed("a message of no known type");
      const body = createReader(bytes, start, start + length);
      messages.push(takeBody(body, type));
      if (body.at !== body.end) throw new Malformed("a message longer than it says");
    }
    return { head, messages };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function takeBody(reader: ByteReader, type: Message["type"]): Message {
  switch (type) {
    case "hello":
      return { type, hello: parseHello(takeJson(reader)) };
    case "changes": {
      const head = { origin: takeOrigin(reader), from: takeCount(reader), through: takeCount(reader) };
      return { type, ...head, settled: takeByte(reader) === 1, rows: takeRows(reader) };
    }
    case "caughtUp":
      return { type, vector: parseVectorJson(takeJson(reader)) };
    case "confirm":
      return { type, origin: takeOrigin(reader), through: takeCount(reader) };
    case "digest":
      return { type, vector: takeSum(reader), digest: takeSum(reader) };
    case "buckets":
      return { type, sums: takeAll(reader, takeSum) };
    case "repairRows":
      return { type, rows: takeRows(reader) };
    case "differing":
      return { type, buckets: takeAll(reader, takeUint32) };
    case "snapshotBegins":
      return { type, bytes: takeCount(reader), vector: parseVectorJson(takeJson(reader)) };
    case "snapshotChunk": {
      const start = skip(reader, reader.end - reader.at);
      return { type, bytes: reader.buffer.subarray(start, reader.end) };
    }
    case "freezeAsked":
      return { type, id: takeUint32(reader), vector: takeSum(reader), digest: takeSum(reader) };
    case "freezeAnswered":
      return { type, id: takeUint32(reader), equal: takeByte(reader) === 1 };
    case "repaired":
    case "snapshotEnds":
      return { type };
  }
}

function takeRows(reader: ByteReader): readonly HashedRow[] {
  const count = takeUint32(reader);
  const rows: HashedRow[] = [];
  for (let at = 0; at < count; at += 1) {
    const hash: Sum64 = { high: 0, low: 0 };
    rows.push({ row: takeRow(reader, hash), hash });
  }
  return rows;
}

function takeAll<T>(reader: ByteReader, one: (reader: ByteReader) => T): readonly T[] {
  const all: T[] = [];
  while (reader.at < reader.end) all.push(one(reader));
  return all;
}

function takeOrigin(reader: ByteReader): string {
  const origin = takeFixed(reader, originCharacters);
  if (!isOrigin(origin)) throw new Malformed("an origin that is none");
  return origin;
}

function putSum(writer: ByteWriter, sum: Readonly<Sum64>): void {
  putUint32(writer, sum.high);
  putUint32(writer, sum.low);
}

function takeSum(reader: ByteReader): Sum64 {
  return { high: takeUint32(reader), low: takeUint32(reader) };
}

function putJson(writer: ByteWriter, value: unknown): void {
  const text = JSON.stringify(value);
  reserve(writer, text.length * 3);
  writer.length += writer.buffer.write(text, writer.length, "utf8");
}

function takeJson(reader: ByteReader): unknown {
  const start = skip(reader, reader.end - reader.at);
  try {
    return JSON.parse(reader.buffer.toString("utf8", start, reader.end));
  } catch {
    throw new Malformed("text that is no JSON");
  }
}
