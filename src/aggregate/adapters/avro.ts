// Avro object container files, as much of the format (version 1.11) as reports of aggregates use: blocks plain or deflated, of flat records.

import { DataError, InvalidArgumentError } from '../../core/errors.ts';
import type { JsonRecord } from './json-records.ts';

const MAGIC = [0x4f, 0x62, 0x6a, 0x01]; // "Obj", version 1
const SYNC_BYTES = 16;

/** A block of a damaged file may claim any size; one of more than this is not inflated. */
const MAX_BLOCK = 1 << 28;

type Read = (reader: ByteReader) => unknown;

/**
 * Records of a file, as Avro's own JSON would have them: bytes as text of one character a byte.
 *
 * @throws {DataError} it is no such file, is damaged, or uses a codec or type that reports do not
 */
export async function readAvro(where: string, bytes: Uint8Array): Promise<JsonRecord[]> {
  const reader = new ByteReader(where, bytes);
  if (!MAGIC.every((byte) => reader.byte() === byte)) {
    throw new DataError(`${where}: it does not begin as an Avro file; expected "Obj" and version 1.`);
  }
  const metadata = readMetadata(reader);
  const codec = metadata.get('avro.codec') ?? 'null';
  if (codec !== 'null' && codec !== 'deflate') {
    throw new DataError(`${where}: its codec is ${codec}; expected null or deflate. Convert it to JSON.`);
  }
  const read = recordReader(where, metadata.get('avro.schema'));
  const sync = reader.take(SYNC_BYTES);
  const records: JsonRecord[] = [];
  while (!reader.atEnd) {
    const count = reader.long();
    const stored = reader.take(reader.long());
    if (!reader.take(SYNC_BYTES).every((byte, i) => byte === sync[i])) {
      throw new DataError(`${where}: a block does not end with the file's mark; the file is damaged.`);
    }
    const block = new ByteReader(where, codec === 'null' ? stored : await inflate(where, stored));
    for (let i = 0; i < count; i++) records.push(read(block) as JsonRecord);
    if (!block.atEnd)
      throw new DataError(`${where}: a block is longer than its records; the file is damaged.`);
  }
  return records;
}

/**
 * A file of records with one field of bytes, in one plain block.
 *
 * @param values - big-endian numbers below 2^128, each written as 16 bytes
 */
export function writeAvroBytes(record: string, field: string, values: readonly bigint[]): Uint8Array {
  if (values.length === 0)
    throw new InvalidArgumentError('writeAvroBytes: there are no values; expected some.');
  const schema = { type: 'record', name: record, fields: [{ name: field, type: 'bytes' }] };
  // Any 16 bytes that no block holds by chance serve as mark.
  const mark = Array.from({ length: SYNC_BYTES }, (_, i) => (i * 97 + 41) & 255);
  const rows = values.flatMap((value) => [
    ...encodeLong(16),
    ...Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * (15 - i))) & 255n)),
  ]);
  return Uint8Array.from([
    ...MAGIC,
    ...encodeLong(2),
    ...encodeText('avro.codec'),
    ...encodeText('null'),
    ...encodeText('avro.schema'),
    ...encodeText(JSON.stringify(schema)),
    ...encodeLong(0),
    ...mark,
    ...encodeLong(values.length),
    ...encodeLong(rows.length),
    ...rows,
    ...mark,
  ]);
}

class ByteReader {
  readonly #where: string;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(where: string, bytes: Uint8Array) {
    this.#where = where;
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.take(1)[0];
  }

  take(count: number): Uint8Array {
    if (!(count >= 0 && this.#at + count <= this.#bytes.length)) {
      throw new DataError(`${this.#where}: it ends within a value; the file is cut off or damaged.`);
    }
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** Zig-zag varint of up to 64 bits. */
  long(): number {
    let encoded = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      encoded |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
      if (shift >= 63n)
        throw new DataError(`${this.#where}: a number has too many bytes; the file is damaged.`);
    }
    const value = Number((encoded >> 1n) ^ -(encoded & 1n));
    if (Number.isSafeInteger(value)) return value;
    throw new DataError(`${this.#where}: a number is ${value}; expected at most 2^53 − 1.`);
  }

  text(): string {
    return new TextDecoder().decode(this.take(this.long()));
  }
}

function readMetadata(reader: ByteReader): Map<string, string> {
  const metadata = new Map<string, string>();
  readBlocks(reader, () => metadata.set(reader.text(), reader.text()));
  return metadata;
}

/** Items of an Avro array or map: blocks with counts (negative: the block's bytes follow), a zero at the end. */
function readBlocks(reader: ByteReader, item: () => void): void {
  for (;;) {
    const count = reader.long();
    if (count === 0) return;
    if (count < 0) reader.long();
    for (let i = 0; i < Math.abs(count); i++) item();
  }
}

function recordReader(where: string, schema: string | undefined): Read {
  let parsed: unknown;
  try {
    parsed = JSON.parse(schema ?? '');
  } catch (cause) {
    throw new DataError(`${where}: its schema is no JSON; the file is damaged.`, { cause });
  }
  if ((parsed as { type?: unknown } | null)?.type !== 'record') {
    throw new DataError(`${where}: its schema is no record; expected records with a bucket.`);
  }
  return readerOf(where, parsed);
}

function readerOf(where: string, schema: unknown): Read {
  const { type, fields, items, symbols } = (typeof schema === 'string' ? { type: schema } : schema) as {
    [name in 'type' | 'fields' | 'items' | 'symbols']?: unknown;
  };
  if (type === 'int' || type === 'long') return (reader) => reader.long();
  if (type === 'string') return (reader) => reader.text();
  if (type === 'bytes') return (reader) => String.fromCharCode(...reader.take(reader.long()));
  if (type === 'enum' && Array.isArray(symbols)) return (reader) => symbols[reader.long()];
  if (type === 'array') {
    const readItem = readerOf(where, items);
    return (reader) => {
      const values: unknown[] = [];
      readBlocks(reader, () => values.push(readItem(reader)));
      return values;
    };
  }
  if (type === 'record' && Array.isArray(fields)) {
    const readers = fields.map(({ name, type: inner }) => [name, readerOf(where, inner)] as const);
    return (reader) => Object.fromEntries(readers.map(([name, read]) => [name, read(reader)]));
  }
  throw new DataError(
    `${where}: its schema has a ${JSON.stringify(type ?? schema)}; expected bytes, whole numbers, text, enums and lists. Convert it to JSON.`,
  );
}

async function inflate(where: string, stored: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const stream = new Blob([stored as Uint8Array<ArrayBuffer>])
      .stream()
      .pipeThrough(new DecompressionStream('deflate-raw'));
    for await (const part of stream as unknown as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > MAX_BLOCK) break;
      parts.push(part);
    }
  } catch (cause) {
    // Some writers leave bytes of a checksum behind the data, which streams object to after they gave all of it. Whether it is
    // all, the records show.
    if (length === 0) {
      throw new DataError(`${where}: a block cannot be inflated; the file is damaged.`, { cause });
    }
  }
  if (length > MAX_BLOCK) {
    throw new DataError(`${where}: a block is larger than ${MAX_BLOCK} bytes; expected less.`);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function encodeText(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...encodeLong(bytes.length), ...bytes];
}

/** Of a number ≥ 0. */
function encodeLong(value: number): number[] {
  const bytes: number[] = [];
  let rest = 2 * value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
