// One door to the four sampling schemes; each returns its own weights.

import { requireInteger, requireLength, requireNonNegative, requireOneOf } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import { compensatedSum } from '../../core/sums.ts';
import { SAMPLING_SCHEMES, type SamplingScheme, type WeightedSample } from '../types.ts';
import { drawIndependent } from './hansen-hurwitz.ts';
import { inclusionProbabilities } from './inclusion.ts';
import { drawGumbel, drawPoisson } from './keyed.ts';
import { sumBlocks } from './masses.ts';
import { drawPivotal } from './pivotal.ts';

export interface DrawOptions {
  /** Rows to draw, s ≥ 1 (expected rows for `poisson`). More than there are rows is legal: the schemes without repeats then return all rows with weight u. */
  size: number;
  /** Default `hansen-hurwitz`. */
  scheme?: SamplingScheme;
  /** Unsigned 32-bit integer. Default 0. */
  seed?: number;
  /** How many rows each row stands for, u, already contained in p; multiplies the weights. Default: ones. */
  rowWeights?: ArrayLike<number> | undefined;
  /**
   * Identity of each row, a distinct integer in [0, 2⁵²): the same identities and p give the same rows in whatever order they
   * are passed. Default: the position.
   */
  keys?: ArrayLike<number> | undefined;
}

/**
 * Draws a weighted sample with probabilities proportional to p.
 *
 * @param p - shape (n,), ≥ 0, not all 0; normalised to sum 1. Rows with p = 0 are never drawn
 * @returns positions of the rows drawn (ascending) and the weights of the scheme
 * @throws {InvalidArgumentError} p has a bad entry or only zeros, size < 1
 * @throws {ShapeError} lengths differ
 *
 * Time O(n + s log s). Same p and seed: same rows.
 */
export function drawSample(
  p: ArrayLike<number>,
  { size, scheme = 'hansen-hurwitz', seed = 0, rowWeights, keys }: DrawOptions,
): WeightedSample {
  requireInteger('drawSample: size', size, 1);
  requireOneOf('drawSample: scheme', scheme, SAMPLING_SCHEMES);
  if (rowWeights) {
    requireLength('drawSample: rowWeights', rowWeights, p.length);
    requireNonNegative('drawSample: rowWeights', rowWeights);
  }
  if (keys) requireLength('drawSample: keys', keys, p.length);
  return drawWith(p, { size, scheme, rowWeights, keys, rng: createRng(seed).fork('draw') });
}

/** `drawSample` for callers inside the module, with a stream instead of a seed. */
export function drawWith(
  p: ArrayLike<number>,
  {
    size,
    scheme,
    rowWeights,
    keys,
    rng,
  }: {
    size: number;
    scheme: SamplingScheme;
    rowWeights?: ArrayLike<number> | undefined;
    keys?: ArrayLike<number> | undefined;
    rng: Rng;
  },
): WeightedSample {
  const values = p instanceof Float64Array ? p : Float64Array.from(p);
  const order = keys && sortedBy(keys);
  const masses = sumBlocks('drawSample: p', values, order);
  if (!(masses.total > 0)) {
    throw new InvalidArgumentError(
      `drawSample: p has ${p.length} entries that sum to ${masses.total}; expected at least one > 0. ` +
        'Mix in a uniform floor (mixWithUniform) when all scores are 0.',
    );
  }
  const keyOf = keys ? (row: number): number => keys[row] : (row: number): number => row;
  const weightOf = (e: number): number => (rowWeights ? rowWeights[e] : 1);
  const population = rowWeights ? compensatedSum(rowWeights) : p.length;

  if (scheme === 'hansen-hurwitz') {
    const { rows, counts } = drawIndependent(values, masses, size, rng, order);
    return assemble(rows, { scheme, draws: size, population }, (e, j) => {
      const share = Math.min(1, values[e] / masses.total);
      return {
        count: counts[j],
        weight: (counts[j] * weightOf(e)) / (size * share),
        inclusion: -Math.expm1(size * Math.log1p(-share)), // 1 − (1−p)^s
      };
    });
  }
  if (scheme === 'gumbel') {
    const { rows, threshold } = drawGumbel(values, size, rng, keyOf);
    return assemble(rows, { scheme, draws: rows.length, population }, (e) => {
      const inclusion = threshold === Infinity ? 1 : -Math.expm1(-values[e] * threshold);
      return { count: 1, weight: weightOf(e) / inclusion, inclusion };
    });
  }
  const { inclusion } = inclusionProbabilities(values, size);
  const rows =
    scheme === 'poisson'
      ? drawPoisson(inclusion, rng, keyOf)
      : drawPivotal(inclusion, Math.min(size, masses.positive), rng, keyOf, order);
  return assemble(rows, { scheme, draws: rows.length, population }, (e) => ({
    count: 1,
    weight: weightOf(e) / inclusion[e],
    inclusion: inclusion[e],
  }));
}

/** Positions in ascending order of their keys. */
function sortedBy(keys: ArrayLike<number>): Uint32Array {
  return Uint32Array.from({ length: keys.length }, (_, i) => i).sort((a, b) => keys[a] - keys[b]);
}

interface DrawnRow {
  count: number;
  weight: number;
  inclusion: number;
}

function assemble(
  rows: number[],
  common: { scheme: SamplingScheme; draws: number; population: number },
  describe: (row: number, j: number) => DrawnRow,
): WeightedSample {
  const drawn = rows.map((id, j) => ({ id, ...describe(id, j) })).sort((a, b) => a.id - b.id);
  return {
    ...common,
    ids: Uint32Array.from(drawn, ({ id }) => id),
    counts: Uint32Array.from(drawn, ({ count }) => count),
    weights: Float64Array.from(drawn, ({ weight }) => weight),
    inclusion: Float64Array.from(drawn, ({ inclusion }) => inclusion),
  };
}
