// Checks of what goes into a cache, before anything is touched.

import { requireInteger, requireNumber, requireOneOf, requirePositive } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { type KeyValueStorage, STORAGES } from '../kernels/index.ts';
import type { CacheShape } from './types.ts';

/** More than any model has: a number beyond is a mistake, or a damaged file. */
const MOST_HEADS = 2 ** 16;

/** Fills in the defaults. @throws {InvalidArgumentError} a size leaves its range @throws {ShapeError} heads is no multiple of keyHeads */
export function completeShape(name: string, shape: CacheShape): Required<CacheShape> {
  const { heads, keyHeads, dim, valueDim, scale = 1 / Math.sqrt(shape.dim), storage = 'float32' } = shape;
  requireInteger(`${name}: heads`, heads, 1, MOST_HEADS);
  requireInteger(`${name}: keyHeads`, keyHeads, 1);
  requireInteger(`${name}: dim`, dim, 1);
  requireInteger(`${name}: valueDim`, valueDim, 1);
  requireNumber(`${name}: scale`, scale);
  requirePositive(`${name}: scale`, scale);
  requireOneOf(`${name}: storage`, storage, STORAGES);
  if (heads % keyHeads !== 0) {
    throw new ShapeError(`${name}: heads is ${heads}; expected a multiple of keyHeads = ${keyHeads}.`);
  }
  return { heads, keyHeads, dim, valueDim, scale, storage };
}

/** Whether a number stays finite when it is stored. */
export function fitsStorage(x: number, storage: KeyValueStorage): boolean {
  return Math.abs(x) < OVERFLOWS[storage];
}

/** From here on rounding to the storage gives infinity: half a unit above the largest number; of few bits, what is surely safe. */
const OVERFLOWS: Record<KeyValueStorage, number> = {
  float32: Infinity,
  float16: 65_520,
  bfloat16: (2 - 2 ** -8) * 2 ** 127,
  // A row's numbers are added up on their way, and its scale is a bfloat16.
  ...{ k8v8: 2 ** 100, k4v4: 2 ** 100, k4v3: 2 ** 100, k4v2: 2 ** 100 },
};

/**
 * @param queries - of the last tokens, so many as there are
 * @returns tokens in `keys`
 * @throws {ShapeError} keys and values are not whole tokens, or not equally many, or there are more queries
 * @throws {InvalidArgumentError} an entry is NaN or infinite, or a key or value would become so in the storage
 */
export function checkTokens(
  shape: Pick<Required<CacheShape>, 'heads' | 'keyHeads' | 'dim' | 'valueDim' | 'storage'>,
  keys: Float32Array,
  values: Float32Array,
  queries?: Float32Array,
): number {
  const { heads, keyHeads, dim, valueDim, storage } = shape;
  const count = keys.length / (keyHeads * dim);
  if (!Number.isInteger(count)) {
    throw new ShapeError(
      `append: keys has length ${keys.length}; expected a multiple of keyHeads × dim = ${keyHeads * dim}.`,
    );
  }
  requireCount('append: values', values, count * keyHeads * valueDim, count);
  const asked = (queries?.length ?? 0) / (heads * dim);
  if (!Number.isInteger(asked) || asked > count) {
    throw new ShapeError(
      `append: queries has length ${queries?.length}; expected ${count * heads * dim} for ${count} tokens, or those of the last ones, ${heads * dim} each.`,
    );
  }
  requireFiniteTokens('append: keys', keys, { width: dim, heads: keyHeads, storage });
  requireFiniteTokens('append: values', values, { width: valueDim, heads: keyHeads, storage });
  if (queries) requireFiniteTokens('append: queries', queries, { width: dim, heads, first: count - asked });
  return count;
}

/** @throws {ShapeError} not one query a head @throws {InvalidArgumentError} an entry is NaN or infinite */
export function checkQueries(shape: CacheShape, queries: Float32Array): void {
  requireCount('attend: queries', queries, shape.heads * shape.dim, 1);
  requireFiniteTokens('attend: queries', queries, { width: shape.dim, heads: shape.heads });
}

/**
 * @param queries - shape (heads, count, dim)
 * @throws {ShapeError} not `count` queries a head
 * @throws {InvalidArgumentError} `count` is no number of tokens, or an entry is NaN or infinite
 */
export function checkManyQueries({ heads, dim }: CacheShape, queries: Float32Array, count: number): void {
  requireInteger('attendMany: count', count, 0);
  requireCount('attendMany: queries', queries, heads * count * dim, count);
  for (let i = 0; i < queries.length; i++) {
    if (Number.isFinite(queries[i])) continue;
    const row = Math.floor(i / dim);
    throw new InvalidArgumentError(
      `attendMany: queries is ${queries[i]} at token ${row % count}, head ${Math.floor(row / count)}, column ${i % dim}; expected finite numbers.`,
    );
  }
}

/** @throws {ShapeError} `array` is not of `length`, which is that of so many tokens */
export function requireCount(name: string, array: Float32Array, length: number, tokens: number): void {
  if (array.length !== length) {
    throw new ShapeError(`${name} has length ${array.length}; expected ${length} for ${tokens} tokens.`);
  }
}

interface TokenEntries {
  width: number;
  heads: number;
  storage?: KeyValueStorage;
  /** Token of the first entry. */
  first?: number;
}

function requireFiniteTokens(
  name: string,
  array: Float32Array,
  { width, heads, storage = 'float32', first = 0 }: TokenEntries,
): void {
  const overflow = OVERFLOWS[storage];
  for (let i = 0; i < array.length; i++) {
    if (Math.abs(array[i]) < overflow) continue;
    const row = Math.floor(i / width);
    const place = `token ${first + Math.floor(row / heads)}, head ${row % heads}, column ${i % width}`;
    throw new InvalidArgumentError(
      Number.isFinite(array[i])
        ? `${name} is ${array[i]} at ${place}; expected less than ${overflow} in size, as storage "${storage}" has nothing larger. Use another storage, or scale.`
        : `${name} is ${array[i]} at ${place}; expected finite numbers.`,
    );
  }
}
