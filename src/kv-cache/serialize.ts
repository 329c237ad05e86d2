// One binary format for all caches: a line of JSON that says what follows, then arrays, then a checksum.

import { crc32 } from '../core/crc32.ts';
import { DataError } from '../core/errors.ts';

export type StateArray = Float32Array | Float64Array | Uint8Array | Uint16Array | Uint32Array;

/** A cache's state: settings and counters as JSON, the rest as arrays by name. */
export interface CacheState {
  header: Record<string, unknown>;
  arrays: Record<string, StateArray>;
}

const MAGIC = 'provably kv-cache 3';
const CLASSES: Record<string, StateArrayClass> = {
  ...{ Float32Array, Float64Array },
  ...{ Uint8Array, Uint16Array, Uint32Array },
};
const CHECKSUM_BYTES = 4;

type StateArrayClass =
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | Uint8ArrayConstructor
  | Uint16ArrayConstructor
  | Uint32ArrayConstructor;

export function encodeState({ header, arrays }: CacheState): Uint8Array {
  const layout = Object.entries(arrays).map(([name, array]) => [name, array.constructor.name, array.length]);
  const text = new TextEncoder().encode(`${MAGIC}\n${JSON.stringify({ header, layout })}\n`);
  const parts = Object.values(arrays);
  const end = text.length + parts.reduce((sum, array) => sum + array.byteLength, 0);
  const bytes = new Uint8Array(end + CHECKSUM_BYTES);
  bytes.set(text);
  let at = text.length;
  for (const array of parts) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  new DataView(bytes.buffer).setUint32(end, crc32(bytes.subarray(0, end)), true);
  return bytes;
}

/**
 * The arrays are copies, wherever in its memory a view begins (a Node `Buffer` lies in a pool).
 *
 * @throws {DataError} these bytes are no state, of another version, cut off, too long or damaged
 */
export function decodeState(bytes: Uint8Array): CacheState {
  const firstLine = bytes.indexOf(10);
  const secondLine = bytes.indexOf(10, firstLine + 1);
  const decoder = new TextDecoder();
  if (firstLine < 0 || decoder.decode(bytes.subarray(0, firstLine)) !== MAGIC) {
    throw new DataError(
      `restoreCache: these bytes do not begin with "${MAGIC}"; expected what save() of this version returned.`,
    );
  }
  const { header, layout } = headOf(decoder.decode(bytes.subarray(firstLine + 1, Math.max(0, secondLine))));
  const sizes = layout.map(([, className, length]) => length * CLASSES[className].BYTES_PER_ELEMENT);
  const end = secondLine + 1 + sizes.reduce((sum, size) => sum + size, 0);
  if (end + CHECKSUM_BYTES !== bytes.length) {
    throw new DataError(
      `restoreCache: there are ${bytes.length} bytes; expected ${end + CHECKSUM_BYTES}, as the header says. The file is ${bytes.length < end ? 'cut off' : 'not whole, or more than a cache'}.`,
    );
  }
  const checksum = new DataView(bytes.buffer, bytes.byteOffset + end, CHECKSUM_BYTES).getUint32(0, true);
  if (checksum !== crc32(bytes.subarray(0, end))) {
    throw new DataError(
      'restoreCache: the checksum does not fit the bytes; expected them as save() returned them.',
    );
  }
  // Names come from a file: none of them reaches a prototype.
  const arrays: CacheState['arrays'] = Object.create(null);
  let at = secondLine + 1;
  for (const [i, [name, className]] of layout.entries()) {
    const copy = new Uint8Array(sizes[i]);
    copy.set(bytes.subarray(at, at + sizes[i]));
    arrays[name] = new CLASSES[className](copy.buffer);
    at += sizes[i];
  }
  return { header, arrays };
}

type Layout = [name: string, className: string, length: number][];

function headOf(text: string): { header: Record<string, unknown>; layout: Layout } {
  let head: { header: Record<string, unknown>; layout: Layout };
  try {
    head = JSON.parse(text);
  } catch (cause) {
    throw new DataError('restoreCache: the header is damaged; expected what save() returned.', { cause });
  }
  const isLine = (line: unknown) =>
    Array.isArray(line) &&
    typeof line[0] === 'string' &&
    Object.hasOwn(CLASSES, line[1]) &&
    Number.isSafeInteger(line[2]) &&
    line[2] >= 0;
  const isWhole =
    typeof head?.header === 'object' &&
    head.header &&
    Array.isArray(head.layout) &&
    head.layout.every(isLine);
  if (!isWhole)
    throw new DataError('restoreCache: the header is damaged; expected settings and a list of arrays.');
  return head;
}
