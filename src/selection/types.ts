// The words the whole module shares: a weighted sample, a loss oracle, losses that were looked at.

/**
 * How rows are drawn. Each scheme has its own weights; estimates must use the ones of the scheme that drew the sample.
 *
 * - `hansen-hurwitz`: s independent draws from p with repeats; weight of a draw 1/(s·p).
 * - `fixed-size`: exactly s distinct rows, inclusion probability π = min(1, τp), Σπ = s; weight 1/π.
 * - `poisson`: every row on its own with probability π; the number of rows is random; weight 1/π.
 * - `gumbel`: the s rows with the largest ln p + Gumbel noise; weight 1/P(kept | the (s+1)-th largest key).
 */
export type SamplingScheme = 'hansen-hurwitz' | 'fixed-size' | 'poisson' | 'gumbel';

export const SAMPLING_SCHEMES: readonly ['hansen-hurwitz', 'fixed-size', 'poisson', 'gumbel'] = [
  'hansen-hurwitz',
  'fixed-size',
  'poisson',
  'gumbel',
];

/** Rows with the weights that make Σ weightᵢ · f(idᵢ) an unbiased estimate of Σ f over all rows. */
export interface WeightedSample {
  scheme: SamplingScheme;
  /** Distinct row ids, ascending, shape (rows,). */
  ids: Uint32Array;
  /** How often each row was drawn, ≥ 1, shape (rows,); all ones unless `hansen-hurwitz`. */
  counts: Uint32Array;
  /** Weight of each row, its count and its input weight u included: count · u/(s·p) or u/π, shape (rows,). */
  weights: Float64Array;
  /** Probability that the row is in a sample at all (for `gumbel` given the threshold), shape (rows,). */
  inclusion: Float64Array;
  /** Draws s for `hansen-hurwitz`, rows in the sample otherwise. */
  draws: number;
  /** Rows that could be drawn: Σu over the rows, their number when no input weights were given. */
  population: number;
}

/** Losses of the rows asked for, in the order asked: one finite number ≥ 0 per id. May be slow; is called in batches. */
export type LossOracle = (ids: Uint32Array) => ArrayLike<number> | Promise<ArrayLike<number>>;

/** Losses looked at beside those of the representatives: probes, or rows of earlier rounds. All arrays have one entry per row looked at. */
export interface Observations {
  /** Row ids. */
  ids: Uint32Array;
  /** Cluster of each row. */
  clusters: Uint32Array;
  /** Loss of each row. */
  losses: Float64Array;
  /** Distance power v(e) of each row to its representative. */
  distancePowers: Float64Array;
  /** How much each counts in a cluster mean; a probe counts 1. Default: ones. */
  trust?: Float64Array | undefined;
}

/** The three kinds of score: see `scoreRows`. */
export type ScoreMode = 'robust' | 'paper' | 'balanced';
