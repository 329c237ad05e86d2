// Answers of a cache with what is promised of them: for certain, or by SubGen's theorem but for a given chance.

import type { Certificate, Certified } from '../core/certificate.ts';
import { requireProbability } from '../core/check.ts';
import { ShapeError } from '../core/errors.ts';
import { loadKernels } from '../kernels/index.ts';
import { SubGenCache } from './policies/subgen.ts';
import { subGenBound } from './subgen-bound.ts';
import type { CacheAttention, KeyValueCache } from './types.ts';

export interface CertifiedAttendOptions {
  /** Chance in (0, 1) that the bound of policy 'subgen' fails; the others' are certain. Default 0.05. */
  failureProbability?: number;
}

/**
 * Answers queries and promises how far the worst answer is from exact attention over all tokens absorbed: max ‖õ − o‖₂ over queries and heads. The bound
 * is deterministic; it is infinite where the policy forgot tokens without keeping count of them. Of policy 'subgen' it is that of the theorem, for
 * ‖õ − o‖ / (‖softmax‖₂ ‖V‖_op), and holds but for `failureProbability`: see `subGenBound`.
 *
 * @param queries - shape (count, heads, dim), count ≥ 1
 * @returns one answer a query, each with its interval; the bound's scale is ‖õ‖₂ of the answer it is largest for
 * @throws {ShapeError} no whole number of queries, or none
 * @throws {InvalidArgumentError} a query is NaN or infinite, or `failureProbability` leaves (0, 1)
 *
 * Time: that of `attend`, and O(rows kept) in TypeScript a head for the interval. Source: derived, see `clusterInterval`; arXiv 2402.06082.
 */
export async function certifiedAttend(
  cache: KeyValueCache,
  queries: Float32Array,
  { failureProbability = 0.05 }: CertifiedAttendOptions = {},
): Promise<Certified<CacheAttention[]>> {
  requireProbability('certifiedAttend: failureProbability', failureProbability);
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
  const kernels = `${backend} ${simd}`;
  const certificate =
    cache instanceof SubGenCache
      ? theoremCertificate(cache, queries, failureProbability, kernels)
      : certificateOf(cache, count, worst, kernels);
  return { value, certificate };
}

function theoremCertificate(
  cache: SubGenCache,
  queries: Float32Array,
  failureProbability: number,
  backend: string,
): Certificate {
  const { heads, dim, scale } = cache.shape;
  const answers = queries.length / dim;
  let r = 0;
  for (let i = 0; i < answers; i++) {
    const own = queries.subarray(i * dim, (i + 1) * dim);
    r = Math.max(r, scale * Math.sqrt(own.reduce((sum, x) => sum + x * x, 0)));
  }
  const { epsilon, assumptions, warnings } = subGenBound(cache, r, answers, failureProbability);
  return {
    statement: `‖õ − o‖ / (‖softmax‖₂ ‖V‖_op) of the worst of ${answers / heads} answers${heads === 1 ? '' : ` of ${heads} heads`}`,
    source: 'arXiv 2402.06082, main theorem; constants derived by Chebyshev and Kantorovich',
    bound: { value: epsilon, unit: 'dimensionless', failureProbability, scale: 1 },
    ...{ assumptions, warnings, seed: cache.settings.seed, backend },
  };
}

function certificateOf(
  { policy, tokens, shape: { heads, storage } }: KeyValueCache,
  count: number,
  { bound, scale }: { bound: number; scale: number },
  backend: string,
): Certificate {
  const known = bound < Infinity;
  return {
    statement: `‖õ − o‖₂ of the worst of ${count} answers${heads === 1 ? '' : ` of ${heads} heads`}`,
    source:
      'derived: Jensen, Bennett and Kantorovich on groups of tokens; caches of the kind of arXiv 2402.06082',
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
            statement:
              'every token is kept, or counted in a group with known mean and radius, and its rounding is known',
            status: 'violated',
          },
        ],
    // An exact answer is of length 0 at the least; the scale tells a bound that says nothing.
    bound: { value: bound, unit: 'in the unit of the values', failureProbability: 0, scale },
    seed: 0,
    backend,
    warnings: known
      ? []
      : [
          `The policy ${policy} has forgotten some of ${tokens} tokens, or keeps them as ${storage} without knowing how far they were rounded: nothing is promised.`,
        ],
  };
}
