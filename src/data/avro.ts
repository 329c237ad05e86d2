// Avro files, as aggregation services write and read them: records in, records out.

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { DataError } from '../core/errors.ts';
import { importOptional } from '../core/import-optional.ts';
import { requireFile } from './format.ts';

export type AvroRecord = Readonly<Record<string, unknown>>;

/** Schema of a record, as Avro's specification writes it in JSON. */
export interface AvroSchema {
  type: 'record';
  name: string;
  fields: readonly { name: string; type: string }[];
}

/**
 * All records of an Avro object container file; bytes come as Uint8Array.
 *
 * @throws {DataError} the file is missing, empty, damaged or none of this kind
 * @throws {MissingDependencyError} the package avsc is not installed
 */
export async function readAvro(path: string, signal?: AbortSignal): Promise<AvroRecord[]> {
  const size = await requireFile('readAvro', path);
  const decoder = new (await loadAvro()).streams.BlockDecoder();
  const records: AvroRecord[] = [];
  let sawMark = false;
  decoder.on('metadata', () => {
    sawMark = true;
  });
  try {
    await pipeline(
      createReadStream(path),
      decoder,
      async (decoded: AsyncIterable<AvroRecord>) => {
        for await (const record of decoded) records.push(record);
      },
      signal ? { signal } : {},
    );
  } catch (cause) {
    signal?.throwIfAborted();
    throw new DataError(
      `readAvro: ${path} cannot be read as Avro (${(cause as Error).message}); expected a whole file.`,
      { cause },
    );
  }
  // A file that ends within its header ends the stream without an error.
  if (!sawMark) {
    throw new DataError(`readAvro: ${path}, ${size} bytes, ends before its records; expected a whole file.`);
  }
  return records;
}

/**
 * An Avro object container file of the given records.
 *
 * @throws {DataError} a record does not fit the schema
 * @throws {MissingDependencyError} the package avsc is not installed
 */
export async function encodeAvro(schema: AvroSchema, records: readonly AvroRecord[]): Promise<Uint8Array> {
  const avro = await loadAvro();
  const type = avro.Type.forSchema(schema as Parameters<typeof avro.Type.forSchema>[0]);
  const encoder = new avro.streams.BlockEncoder(type);
  const parts: Uint8Array[] = [];
  encoder.on('data', (part: Uint8Array) => parts.push(part));
  const ended = new Promise<void>((resolve, reject) => {
    encoder.on('end', resolve);
    encoder.on('error', reject);
  });
  for (const record of records) {
    encoder.write(
      Object.fromEntries(
        Object.entries(record).map(([name, value]) => [
          name,
          value instanceof Uint8Array ? Buffer.from(value) : value,
        ]),
      ),
    );
  }
  encoder.end();
  await ended.catch((cause) => {
    throw new DataError(`encodeAvro: a record does not fit the schema (${(cause as Error).message}).`, {
      cause,
    });
  });
  return Buffer.concat(parts);
}

function loadAvro(): Promise<typeof import('avsc')> {
  return importOptional(async () => (await import('avsc')).default, 'avsc', 'Avro files');
}
