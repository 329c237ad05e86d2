// GGUF files, versions 2 and 3: a header of named values and tensors, then the tensors' blocks.

import { DataError, UnsupportedError } from '../../core/errors.ts';
import { HOST_LITTLE_ENDIAN } from '../../data/element-type.ts';
import type { ByteSource } from './byte-source.ts';
import { GgufCursor, NeedMoreBytes } from './gguf-cursor.ts';
import { type GgufMetadata, readMetadata } from './gguf-metadata.ts';
import { placeTensors, readTensorList } from './gguf-tensors.ts';
import type { StoredTensor } from './stored-tensor.ts';

export interface GgufFile {
  version: 2 | 3;
  /** Multiple at which tensors begin, in bytes. */
  alignment: number;
  metadata: GgufMetadata;
  /** In the order of the file. */
  tensors: readonly StoredTensor[];
}

/** Read at first; most headers are smaller. */
const FIRST_BYTES = 2 ** 23;
/** A vocabulary of a million tokens takes a tenth of this. */
const MAX_HEADER = 2 ** 30;

/**
 * Reads the header of a GGUF file; tensors stay where they are until `readTensorBytes` asks for them.
 *
 * Every count, length and place is checked against the file's size before anything is allocated for it. Tensors of types that are not
 * computed with are listed too, and refused when they are read.
 *
 * @throws {DataError} damaged or cut off, with the place
 * @throws {UnsupportedError} version 1, or big-endian
 *
 * Time and memory O(header).
 */
export async function openGguf(
  source: ByteSource,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<GgufFile> {
  if (!HOST_LITTLE_ENDIAN)
    throw new UnsupportedError('openGguf: this machine is big-endian; expected a little-endian one.');
  for (let length = Math.min(FIRST_BYTES, source.size); ; length = Math.min(4 * length, source.size)) {
    const bytes = await source.read(0, length, options);
    try {
      return parseGguf(source, bytes);
    } catch (error) {
      if (!(error instanceof NeedMoreBytes)) throw error;
    }
    // A source that hands out less than it has must not keep us asking.
    if (length >= MAX_HEADER || bytes.length < length || length === source.size) {
      throw new DataError(
        `openGguf: ${source.name} gave ${bytes.length} bytes, and its header goes on; expected it within ${Math.min(MAX_HEADER, source.size)}. It is damaged: fetch it anew.`,
      );
    }
  }
}

function parseGguf(source: ByteSource, bytes: Uint8Array): GgufFile {
  const cursor = new GgufCursor(bytes, source.name, source.size);
  const version = readVersion(cursor, source.name);
  // A tensor takes at least a length, a count of axes, one axis, a type and a place; a value a length, a type and a byte.
  const tensorCount = cursor.count('tensors', 8 + 4 + 8 + 4 + 8);
  const valueCount = cursor.count('values', 8 + 4 + 1);
  const metadata = readMetadata(cursor, valueCount);
  const listed = readTensorList(cursor, tensorCount);
  const alignment = metadata.get('general.alignment') ?? 32;
  if (
    typeof alignment !== 'number' ||
    alignment < 1 ||
    alignment > 2 ** 31 ||
    !Number.isInteger(Math.log2(alignment))
  ) {
    throw cursor.damaged(`has the alignment ${String(alignment)}; expected a power of two`);
  }
  return { version, alignment, metadata, tensors: placeTensors(cursor, source, listed, alignment) };
}

const MAGIC = 0x46554747; // "GGUF", read as little-endian

function readVersion(cursor: GgufCursor, name: string): 2 | 3 {
  if (cursor.uint32() !== MAGIC) throw cursor.damaged('does not begin with "GGUF"');
  const version = cursor.uint32();
  if (version === 2 || version === 3) return version;
  if (version !== 0 && (version & 0xffff) === 0) {
    throw new UnsupportedError(
      `openGguf: ${name} is big-endian; expected little-endian. Convert it, or fetch the little-endian file.`,
    );
  }
  throw new UnsupportedError(
    `openGguf: ${name} is GGUF version ${version}; expected 2 or 3. Convert the model anew.`,
  );
}
