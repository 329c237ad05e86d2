// Answers of a cache with what is certain of them.

import type { Certificate, Certified } from '../core/certificate.ts';
import { ShapeError } from '../core/errors.ts';
import { loadKernels } from '../kernels/index.ts';
import type { CacheAttention, KeyValueCache } from './types.ts';

/**
 * Answers queries and promises how far the worst answer is from exact attention over all tokens absorbed: max ‖õ − o‖₂ over queries and heads. The bound
 * is deterministic; it is infinite where the policy forgot tokens without keeping count of them.
 *
 * @param queries - shape (count, heads, dim), count ≥ 1
 * @returns one answer a query, each with its interval; the bound's scale is ‖õ‖₂ of the answer it is largest for
 * @throws {ShapeError} no whole number of queries, or none
 * @throws {InvalidArgumentError} a query is NaN or infinite
 *
 * Time: that of `attend`, and O(rows kept) in TypeScript a head for the interval. Source: derived, see `clusterInterval`; arXiv 2402.06082 promises
 * less error on average instead, with constants that are not known.
 */
export async function certifiedAttend(
  cache: KeyValueCache,
  queries: Float32Array,
): Promise<Certified<CacheAttention[]>> {
  const { heads, dim, valueDim } = cache.shape;
  const count = queries.length / (heads * dim);
  if (count < 1 || !Number.isInteger(count)) {
    throw new ShapeError(
      `certifiedAttend: queries have ${queries.length} entries; expected a multiple of heads × dim = ${heads} × ${dim} that is not 0.`,
    );
  }
  const value: CacheAttention[] = [];
  let worst = { bound: -1, scale: 0 };
  for (let i = 0; i < count; i++) {
    const answer = await cache.attend(queries.subarray(i * heads * dim, (i + 1) * heads * dim), {
      interval: true,
    });
    value.push(answer);
    for (let head = 0; head < heads; head++) {
      const bound = answer.interval?.outputError[head] ?? Infinity;
      const own = answer.output.subarray(head * valueDim, (head + 1) * valueDim);
      if (bound > worst.bound) worst = { bound, scale: Math.sqrt(own.reduce((sum, x) => sum + x * x, 0)) };
    }
  }
  const { backend, simd } = await loadKernels();
  return { value, certificate: certificateOf(cache, count, worst, `${backend} ${simd}`) };
}

function certificateOf(
  { policy, tokens, shape: { heads } }: KeyValueCache,
  count: number,
  { bound, scale }: { bound: number; scale: number },
  backend: string,
): Certificate {
  const known = bound < Infinity;
  return {
    statement: `‖õ − o‖₂ of the worst of ${count} answers${heads === 1 ? '' : ` of ${heads} heads`}`,
    source:
      'derived: Cauchy–Schwarz on the radii of groups of tokens; caches of the kind of arXiv 2402.06082',
    assumptions: known
      ? [
          {
            statement: 'every token is kept, or counted in a group with known mean and radius',
            status: 'proved',
          },
          { statement: 'exact attention is over the tokens absorbed', status: 'proved' },
        ]
      : [
          {
            statement: 'every token is kept, or counted in a group with known mean and radius',
            status: 'violated',
          },
        ],
    // An exact answer is of length 0 at the least; the scale tells a bound that says nothing.
    bound: { value: bound, unit: 'in the unit of the values', failureProbability: 0, scale },
    seed: 0,
    backend,
    warnings: known
      ? []
      : [`The policy ${policy} has forgotten some of ${tokens} tokens: nothing is promised.`],
  };
}
