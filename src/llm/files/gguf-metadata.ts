// The named values of a GGUF file. Lists stay compact: typed arrays, and texts that are decoded when asked for.

import type { GgufCursor } from './gguf-cursor.ts';
import { quoted } from './quoted.ts';
import { StringList } from './string-list.ts';

/** A list of one type; truth values are 0 and 1 in a Uint8Array. Lists of lists are plain arrays. */
export type GgufList =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | StringList
  | readonly GgufList[];

/** 64-bit integers that a number holds exactly are numbers. */
export type GgufValue = number | bigint | boolean | string | GgufList;

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** What real files stay far below; keeps a made-up header from becoming millions of objects. Lists: within lists, in the whole file. */
const MAX_KEYS = 2 ** 16;
const MAX_LISTS = 2 ** 16;
/** The format's own limit. */
const MAX_NAME = 2 ** 16 - 1;
/** Far above any chat template; keeps one text from filling the memory. */
const MAX_TEXT = 2 ** 26;
const MAX_DEPTH = 4;

interface NumberArray {
  readonly BYTES_PER_ELEMENT: number;
  new (
    buffer: ArrayBuffer,
  ):
    | Uint8Array
    | Int8Array
    | Uint16Array
    | Int16Array
    | Uint32Array
    | Int32Array
    | BigUint64Array
    | BigInt64Array
    | Float32Array
    | Float64Array;
}

/** What is left of the lists within lists. */
interface Budget {
  lists: number;
}

interface ValueType {
  /** Bytes a value takes at least. */
  least: number;
  /** `key` is its name in quotes, for messages. */
  read: (cursor: GgufCursor, key: string, budget: Budget) => GgufValue;
  /** For lists of them. */
  array?: NumberArray;
}

/** By their numbers in the file. */
const TYPES: readonly ValueType[] = [
  { least: 1, read: (cursor) => cursor.uint8(), array: Uint8Array },
  { least: 1, read: (cursor) => cursor.int8(), array: Int8Array },
  { least: 2, read: (cursor) => cursor.uint16(), array: Uint16Array },
  { least: 2, read: (cursor) => cursor.int16(), array: Int16Array },
  { least: 4, read: (cursor) => cursor.uint32(), array: Uint32Array },
  { least: 4, read: (cursor) => cursor.int32(), array: Int32Array },
  { least: 4, read: (cursor) => cursor.float32(), array: Float32Array },
  { least: 1, read: (cursor, key) => truth(cursor, key, cursor.uint8()), array: Uint8Array },
  { least: 8, read: (cursor, key) => cursor.text(key, MAX_TEXT) },
  { least: 12, read: (cursor, key, budget) => readList(cursor, key, 1, budget) },
  { least: 8, read: (cursor) => compactInteger(cursor.uint64()), array: BigUint64Array },
  { least: 8, read: (cursor) => compactInteger(cursor.int64()), array: BigInt64Array },
  { least: 8, read: (cursor) => cursor.float64(), array: Float64Array },
];
const [TRUTH, TEXT, LIST] = [7, 8, 9];

/** @throws {DataError} damaged, a name occurs twice, or more than 65536 names */
export function readMetadata(cursor: GgufCursor, count: number): Map<string, GgufValue> {
  if (count > MAX_KEYS) throw cursor.damaged(`announces ${count} values; expected ≤ ${MAX_KEYS}`);
  const metadata = new Map<string, GgufValue>();
  const budget = { lists: MAX_LISTS };
  for (let i = 0; i < count; i++) {
    const name = cursor.text('the name of a value', MAX_NAME);
    const key = quoted(name);
    if (metadata.has(name)) throw cursor.damaged(`names the value ${key} twice`);
    metadata.set(name, typeAt(cursor, key).read(cursor, key, budget));
  }
  return metadata;
}

function typeAt(cursor: GgufCursor, key: string): ValueType & { code: number } {
  const code = cursor.uint32();
  const type = TYPES[code];
  if (type === undefined) {
    throw cursor.damaged(`gives the value ${key} type ${code}; expected 0 to ${TYPES.length - 1}`);
  }
  return { ...type, code };
}

function readList(cursor: GgufCursor, key: string, depth: number, budget: Budget): GgufList {
  const { code, least, array } = typeAt(cursor, key);
  const count = cursor.count(`entries of ${key}`, least);
  if (code === TEXT) return readTexts(cursor, key, count);
  if (code === LIST) {
    budget.lists -= count;
    if (depth === MAX_DEPTH || budget.lists < 0) {
      throw cursor.damaged(
        `nests ${count} lists in ${key}, ${depth} deep; expected ≤ ${MAX_LISTS} in the file, at most ${MAX_DEPTH} deep`,
      );
    }
    return Array.from({ length: count }, () => readList(cursor, key, depth + 1, budget));
  }
  const numbers = array as NumberArray;
  // A copy: the bytes may be those of a larger buffer, at any alignment.
  const bytes = cursor.bytes(key, count * numbers.BYTES_PER_ELEMENT).slice();
  if (code === TRUTH) for (const byte of bytes) truth(cursor, key, byte);
  return new numbers(bytes.buffer);
}

function readTexts(cursor: GgufCursor, key: string, count: number): StringList {
  const [what, lengthOf] = [key, `bytes of ${key}`];
  // Once to see that they are all there, then once more to copy them: nothing is allocated for texts that are only announced.
  const first = cursor.at;
  for (let i = 0; i < count; i++) cursor.skip(what, cursor.count(lengthOf, 1));
  const bytes = new Uint8Array(cursor.at - first - 8 * count);
  const starts = new Uint32Array(count + 1);
  cursor.at = first;
  for (let i = 0; i < count; i++) {
    const text = cursor.bytes(what, cursor.count(lengthOf, 1));
    bytes.set(text, starts[i]);
    starts[i + 1] = starts[i] + text.length;
  }
  return new StringList(bytes, starts);
}

function truth(cursor: GgufCursor, key: string, byte: number): boolean {
  if (byte > 1) throw cursor.damaged(`has ${byte} as a truth value in ${key}; expected 0 or 1`);
  return byte === 1;
}

function compactInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
