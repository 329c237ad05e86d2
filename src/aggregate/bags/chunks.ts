// Runs of equal size, of a random order or of the sorted one.

import { requireSeed } from '../../core/check.ts';
import { createRng, shuffle } from '../../core/rng.ts';
import type { Bags } from './bags.ts';
import { type Part, type PartOptions, requireBagSize, requirePart, toSamples } from './part.ts';
import { sortedOrder } from './sorted-order.ts';

export interface ChunkOptions extends PartOptions {
  /** Samples a bag, k ≥ 1. The remainder is spread one each over the last bags: none is smaller. */
  size: number;
  /** Unsigned 32-bit integer. */
  seed: number;
}

/**
 * Bags of random samples: a seeded permutation, cut into runs of k.
 *
 * @param options - `members` or `samples` says which samples there are
 * @returns ⌊n / k⌋ bags of k samples or more
 * @throws {InvalidArgumentError} n < k, `size` is no integer ≥ 1, or a member is out of range or there twice
 *
 * O(n). Source: arXiv 2402.04987, the baseline of random bags.
 */
export function randomBags(options: ChunkOptions): Bags {
  const { size, seed } = options;
  const part = requirePart('randomBags', options);
  requireBagSize('randomBags', 'size', size, part.count);
  requireSeed('randomBags: seed', seed);
  const order = Uint32Array.from({ length: part.count }, (_, i) => i);
  return chunksOf(shuffle(order, createRng(seed).fork('random bags')), part, size);
}

/**
 * Bags of samples with similar values: sorted, equal values in random order, and cut into runs of k.
 *
 * Any increasing transform of the values gives the same bags.
 *
 * @param values - predicted means or anything that orders the samples, shape (n,), finite
 * @returns ⌊n / k⌋ bags of k samples or more, in ascending order of their values
 * @throws {InvalidArgumentError} a value is not finite, n < k, or as `randomBags` @throws {ShapeError} not one member a value
 *
 * O(n). Source: arXiv 2402.04987; chunks instead of the optimal cuts are its practical variant.
 */
export function chunkBags(values: Float64Array, options: ChunkOptions): Bags {
  const { size, seed } = options;
  const part = requirePart('chunkBags', options, values.length);
  requireBagSize('chunkBags', 'size', size, part.count);
  const { order } = sortedOrder('chunkBags', values, seed);
  return chunksOf(order, part, size);
}

/** Where runs of `size` start in `count` entries; shape (bags + 1,). The last `count mod size` runs have one more, or more where there are fewer runs. */
export function chunkOffsets(count: number, size: number): Uint32Array {
  const bags = Math.floor(count / size);
  const offsets = new Uint32Array(bags + 1);
  const rest = count - bags * size;
  const every = Math.floor(rest / bags);
  const longer = rest - every * bags;
  for (let a = 0; a < bags; a++) offsets[a + 1] = offsets[a] + size + every + (a >= bags - longer ? 1 : 0);
  return offsets;
}

/** @param order - positions within the part; taken over */
function chunksOf(order: Uint32Array, part: Part, size: number): Bags {
  const offsets = chunkOffsets(part.count, size);
  return { samples: part.samples, members: toSamples(order, part), offsets };
}
