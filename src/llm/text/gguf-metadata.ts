// Reading the tokenizer's keys of a GGUF file's metadata, whoever parsed the file.

import { DataError } from '../../core/errors.ts';

/** The metadata of a GGUF file: numbers, booleans, strings, and arrays of them; undefined for a key it lacks. */
export interface MetadataSource {
  get(key: string): unknown;
}

/** A list of strings: an array, or any iterable that decodes them as it goes. @throws {DataError} it is something else, or missing */
export function requireStrings(source: MetadataSource, key: string): readonly string[] {
  const value = source.get(key);
  const texts = isIterable(value) ? Array.from(value) : [undefined];
  if (texts.some((text) => typeof text !== 'string')) {
    throw new DataError(`GGUF metadata: ${key} is ${describe(value)}; expected an array of strings.`);
  }
  return texts as string[];
}

/** A list of `length` numbers, or undefined when the key is missing. @throws {DataError} it is something else */
export function optionalNumbers(
  source: MetadataSource,
  key: string,
  length: number,
): ArrayLike<number> | undefined {
  const value = source.get(key);
  if (value === undefined) return undefined;
  const numbers = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  const list = value as ArrayLike<unknown>;
  if (!numbers || list.length !== length || (length > 0 && typeof list[0] !== 'number')) {
    throw new DataError(
      `GGUF metadata: ${key} is ${describe(value)}; expected ${length} numbers, one for each token.`,
    );
  }
  return list as ArrayLike<number>;
}

/** A token id below `size`, or undefined when the key is missing. @throws {DataError} it is something else */
export function optionalId(source: MetadataSource, key: string, size: number): number | undefined {
  const value = source.get(key);
  if (value === undefined) return undefined;
  const id = typeof value === 'bigint' ? Number(value) : value;
  // Some files write 2³² − 1 for "none".
  if (id === 0xffffffff || id === -1) return undefined;
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= size) {
    throw new DataError(`GGUF metadata: ${key} is ${describe(value)}; expected a token id below ${size}.`);
  }
  return id;
}

export function optionalBoolean(source: MetadataSource, key: string, fallback: boolean): boolean {
  const value = source.get(key);
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') {
    throw new DataError(`GGUF metadata: ${key} is ${describe(value)}; expected true or false.`);
  }
  return value;
}

export function optionalString(source: MetadataSource, key: string): string | undefined {
  const value = source.get(key);
  if (value === undefined || typeof value === 'string') return value;
  throw new DataError(`GGUF metadata: ${key} is ${describe(value)}; expected a string.`);
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'object' && value !== null && 'length' in value) return `an array of ${value.length}`;
  return typeof value === 'string' ? `"${value.slice(0, 40)}"` : String(value);
}
