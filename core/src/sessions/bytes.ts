/**
 * A growing buffer to write into and a bounded one to read from: the two ends of everything that replication puts on the
 * wire. The reader never runs past its end; what does not fit fails the whole message.
 */

const firstBytes = 64 * 1024;

export interface ByteWriter {
  /** Bytes written so far. */
  length: number;
  buffer: Buffer;
}

export function createWriter(bytes = firstBytes): ByteWriter {
  return { length: 0, buffer: Buffer.allocUnsafe(bytes) };
}

/** Makes room for so many more bytes. */
export function reserve(writer: ByteWriter, bytes: number): void {
  const needed = writer.length + bytes;
  if (needed <= writer.buffer.length) return;
  const larger = Buffer.allocUnsafe(Math.max(needed, writer.buffer.length * 2));
  writer.buffer.copy(larger, 0, 0, writer.length);
  writer.buffer = larger;
}

export function putByte(writer: ByteWriter, value: number): void {
  reserve(writer, 1);
  writer.buffer[writer.length] = value;
  writer.length += 1;
}

export function putUint32(writer: ByteWriter, value: number): void {
  reserve(writer, 4);
  writer.length = writer.buffer.writeUInt32LE(value >>> 0, writer.length);
}

/** An integer below 2^53, in eight bytes. */
export function putCount(writer: ByteWriter, value: number): void {
  reserve(writer, 8);
  writer.length = writer.buffer.writeDoubleLE(value, writer.length);
}

export function putNumber(writer: ByteWriter, value: number): void {
  putCount(writer, value);
}

export function putBytes(writer: ByteWriter, bytes: Uint8Array): void {
  reserve(writer, bytes.length);
  writer.buffer.set(bytes, writer.length);
  writer.length += bytes.length;
}

/** A string of known length in ASCII: identifiers. */
export function putFixed(writer: ByteWriter, text: string, bytes: number): void {
  reserve(writer, bytes);
  if (text.length !== bytes) {
    throw new RangeError(`an identifier of ${bytes} characters was expected: ${text}`);
  }
  writer.length += writer.buffer.write(text, writer.length, "latin1");
}

/** Two bytes of length, then UTF-8. */
export function putText(writer: ByteWriter, text: string): void {
  const most = text.length * 3;
  reserve(writer, 2 + most);
  const bytes = writer.buffer.write(text, writer.length + 2, "utf8");
  if (bytes > 0xffff) throw new RangeError("a text longer than 64 KiB");
  writer.buffer.writeUInt16LE(bytes, writer.length);
  writer.length += 2 + bytes;
}

/** Thrown by the reader and caught where a message begins; nothing of such a message is used. */
export class Malformed extends Error {}

export interface ByteReader {
  readonly buffer: Buffer;
  at: number;
  readonly end: number;
}

export function createReader(bytes: Uint8Array, start = 0, end = bytes.length): ByteReader {
  return { buffer: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), at: start, end };
}

/** Moves on by so many bytes and says where they began. */
export function skip(reader: ByteReader, bytes: number): number {
  const start = reader.at;
  if (bytes < 0 || start + bytes > reader.end) throw new Malformed("it ends too early");
  reader.at = start + bytes;
  return start;
}

export function takeByte(reader: ByteReader): number {
  return reader.buffer.readUInt8(skip(reader, 1));
}

export function takeUint32(reader: ByteReader): number {
  return reader.buffer.readUInt32LE(skip(reader, 4));
}

export function takeCount(reader: ByteReader): number {
  const value = reader.buffer.readDoubleLE(skip(reader, 8));
  if (!Number.isSafeInteger(value) || value < 0) throw new Malformed("a count that is none");
  return value;
}

export function takeNumber(reader: ByteReader): number {
  const value = reader.buffer.readDoubleLE(skip(reader, 8));
  if (!Number.isFinite(value)) throw new Malformed("a number that is none");
  return value;
}

export function takeFixed(reader: ByteReader, bytes: number): string {
  const start = skip(reader, bytes);
  return reader.buffer.toString("latin1", start, start + bytes);
}

export function takeText(reader: ByteReader): string {
  const bytes = reader.buffer.readUInt16LE(skip(reader, 2));
  const start = skip(reader, bytes);
  return reader.buffer.toString("utf8", start, start + bytes);
}
