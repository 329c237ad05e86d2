// Checks of what goes into a cache, before anything is touched.

import { requireInteger, requireNumber, requireOneOf, requirePositive } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { STORAGES } from '../kernels/index.ts';
import type { CacheShape } from './types.ts';

/** Fills in the defaults. @throws {InvalidArgumentError} a size leaves its range @throws {ShapeError} heads is no multiple of keyHeads */
export function completeShape(name: string, shape: CacheShape): Required<CacheShape> {
  const { heads, keyHeads, dim, valueDim, scale = 1 / Math.sqrt(shape.dim), storage = 'float32' } = shape;
  requireInteger(`${name}: heads`, heads, 1);
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

/**
 * @returns tokens in `keys`
 * @throws {ShapeError} keys and values are not whole tokens, or not equally many
 * @throws {InvalidArgumentError} an entry is NaN or infinite
 */
export function checkTokens(
  shape: CacheShape,
  keys: Float32Array,
  values: Float32Array,
  queries?: Float32Array,
): number {
  const count = keys.length / (shape.keyHeads * shape.dim);
  if (!Number.isInteger(count)) {
    throw new ShapeError(
      `append: keys has length ${keys.length}; expected a multiple of keyHeads × dim = ${shape.keyHeads * shape.dim}.`,
    );
  }
  requireCount('append: values', values, count * shape.keyHeads * shape.valueDim, count);
  if (queries) requireCount('append: queries', queries, count * shape.heads * shape.dim, count);
  requireFiniteTokens('append: keys', keys, shape.dim, shape.keyHeads);
  requireFiniteTokens('append: values', values, shape.valueDim, shape.keyHeads);
  if (queries) requireFiniteTokens('append: queries', queries, shape.dim, shape.heads);
  return count;
}

/** @throws {ShapeError} not one query a head @throws {InvalidArgumentError} an entry is NaN or infinite */
export function checkQueries(shape: CacheShape, queries: Float32Array): void {
  requireCount('attend: queries', queries, shape.heads * shape.dim, 1);
  requireFiniteTokens('attend: queries', queries, shape.dim, shape.heads);
}

function requireCount(name: string, array: Float32Array, length: number, tokens: number): void {
  if (array.length !== length) {
    throw new ShapeError(`${name} has length ${array.length}; expected ${length} for ${tokens} tokens.`);
  }
}

function requireFiniteTokens(name: string, array: Float32Array, width: number, heads: number): void {
  for (let i = 0; i < array.length; i++)
    if (!Number.isFinite(array[i])) {
      const row = Math.floor(i / width);
      throw new InvalidArgumentError(
        `${name} is ${array[i]} at token ${Math.floor(row / heads)}, head ${row % heads}, column ${i % width}; expected finite numbers.`,
      );
    }
}
