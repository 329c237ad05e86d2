// One binary format for all caches: a line of JSON that says what follows, then arrays.

import { DataError } from '../core/errors.ts';

type StateArray = Float32Array | Float64Array | Uint16Array | Uint32Array;

/** A cache's state: settings and counters as JSON, the rest as arrays by name. */
export interface CacheState {
  header: Record<string, unknown>;
  arrays: Record<string, StateArray>;
}

const MAGIC = 'provably kv-cache 1';
const CLASSES = { Float32Array, Float64Array, Uint16Array, Uint32Array } as const;

export function encodeState({ header, arrays }: CacheState): Uint8Array {
  const layout = Object.entries(arrays).map(([name, array]) => [name, array.constructor.name, array.length]);
  const text = new TextEncoder().encode(`${MAGIC}\n${JSON.stringify({ header, layout })}\n`);
  const parts = Object.values(arrays);
  const bytes = new Uint8Array(text.length + parts.reduce((sum, array) => sum + array.byteLength, 0));
  bytes.set(text);
  let at = text.length;
  for (const array of parts) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  return bytes;
}

/** @throws {DataError} these bytes are no state, of another version, or cut off */
export function decodeState(bytes: Uint8Array): CacheState {
  const firstLine = bytes.indexOf(10);
  const secondLine = bytes.indexOf(10, firstLine + 1);
  const decoder = new TextDecoder();
  if (firstLine < 0 || decoder.decode(bytes.subarray(0, firstLine)) !== MAGIC) {
    throw new DataError(
      `restoreCache: these bytes do not begin with "${MAGIC}"; expected what save() returned.`,
    );
  }
  let head: { header: Record<string, unknown>; layout: [string, keyof typeof CLASSES, number][] };
  try {
    head = JSON.parse(decoder.decode(bytes.subarray(firstLine + 1, secondLine)));
  } catch (cause) {
    throw new DataError('restoreCache: the header is damaged; expected what save() returned.', { cause });
  }
  const arrays: Record<string, StateArray> = {};
  let at = secondLine + 1;
  for (const [name, className, length] of head.layout) {
    const ArrayClass = CLASSES[className];
    const end = at + length * ArrayClass.BYTES_PER_ELEMENT;
    if (end > bytes.length) {
      throw new DataError(
        `restoreCache: ${bytes.length} bytes; expected at least ${end} (array "${name}"). The file is cut off.`,
      );
    }
    arrays[name] = new ArrayClass(bytes.slice(at, end).buffer);
    at = end;
  }
  return { header: head.header, arrays };
}
