// Angular locality-sensitive hashing with buckets in Gray order (arXiv 2310.05869 §"sortLSH"; the order goes back to KDEformer, arXiv 2302.02451).

import { requireInteger, requireNumber } from '../core/check.ts';
import type { Rng } from '../core/rng.ts';
import type { Kernels } from '../kernels/index.ts';
import type { BucketOrder } from './types.ts';

/** Most bits of a hash: 2¹⁶ buckets. */
export const MOST_HASH_BITS = 16;

/**
 * Position p in Gray order of the bucket with a code: p XOR (p >> 1) = code. Neighbouring positions, cyclically, differ in one bit.
 *
 * The public implementations index a Gray table with the code, which is the map the other way round; see `BucketOrder`.
 */
export function grayInverse(code: number): number {
  let position = code;
  for (let rest = code >> 1; rest > 0; rest >>= 1) position ^= rest;
  return position;
}

/** Probability that vectors at an angle (radians, in [0, π]) get the same code of so many bits: (1 − θ/π)^r. */
export function collisionProbability(angle: number, bits: number): number {
  requireNumber('collisionProbability: angle', angle, 0, Math.PI);
  requireInteger('collisionProbability: bits', bits, 1, MOST_HASH_BITS);
  return (1 - angle / Math.PI) ** bits;
}

/** Probability that their positions in Gray order are cyclic neighbours: 2u(1 − u)^(r − 1) with u = θ/π, for r ≥ 2 (derived). */
export function adjacencyProbability(angle: number, bits: number): number {
  requireNumber('adjacencyProbability: angle', angle, 0, Math.PI);
  requireInteger('adjacencyProbability: bits', bits, 2, MOST_HASH_BITS);
  const u = angle / Math.PI;
  return 2 * u * (1 - u) ** (bits - 1);
}

/** r directions, i.i.d. standard normal: W, shape (dim, bits). */
export function drawDirections(dim: number, bits: number, rng: Rng): Float32Array {
  return Float32Array.from({ length: dim * bits }, () => rng.normal());
}

/**
 * code(x) = Σ_t 2^t · [⟨x, w_t⟩ > 0] of every row; a zero row has code 0.
 *
 * @param rows - shape (count, dim) @param directions - shape (dim, bits) @returns shape (count,)
 */
export async function hashCodes(
  rows: Float32Array,
  count: number,
  dim: number,
  directions: Float32Array,
  kernels: Kernels,
): Promise<Uint16Array> {
  const bits = directions.length / dim;
  const products = new Float32Array(count * bits);
  await kernels.gemm({ m: count, n: bits, k: dim, a: rows, b: directions, c: products });
  // A float is > 0 just where its bits are, as an integer: half of all signs are either way, and a branch on them is foretold wrongly as often.
  const signs = new Int32Array(products.buffer);
  const codes = new Uint16Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let code = 0;
    for (let t = 0; t < bits; t++, at++) code |= ((-signs[at] & ~signs[at]) >>> 31) << t;
    codes[i] = code;
  }
  return codes;
}

/** Position of every code among 2^bits buckets. @param rng - used by order 'random' alone */
export function bucketPositions(bits: number, order: BucketOrder, rng: Rng): Uint32Array {
  const buckets = 1 << bits;
  const positions = Uint32Array.from({ length: buckets }, (_, code) => {
    if (order === 'gray') return grayInverse(code);
    if (order === 'gray-forward') return code ^ (code >> 1);
    return code;
  });
  if (order === 'random')
    for (let i = buckets - 1; i > 0; i--) {
      const j = rng.integer(i + 1);
      [positions[i], positions[j]] = [positions[j], positions[i]];
    }
  return positions;
}
