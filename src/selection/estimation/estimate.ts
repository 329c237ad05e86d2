// What a weighted sample says about all rows: total and mean loss with an interval.

import {
  requireFinite,
  requireLength,
  requireNumber,
  requireOneOf,
  requirePositive,
  requireProbability,
} from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type Interval, studentTQuantile } from '../../core/statistics/index.ts';
import { CompensatedSum } from '../../core/sums.ts';
import type { WeightedSample } from '../types.ts';
import { bootstrapQuantiles } from './bootstrap.ts';
import { designVariance, drawTerms } from './design-variance.ts';

export type EstimateMethod = 'weighted' | 'self-normalised' | 'control-variate' | 'auto';
export type IntervalMethod = 'auto' | 't' | 'bootstrap-t';

export interface EstimateOptions {
  /**
   * - `weighted` (default): Σwℓ, unbiased.
   * - `self-normalised`: (Σwℓ/Σw)·Σu, biased by O(1/s), often steadier for the mean.
   * - `control-variate`: Σuℓ̂ + Σw(ℓ − ℓ̂), unbiased; helps when the proxies ℓ̂ explain much of the losses.
   * - `auto`: of `weighted` and `control-variate` the one with the smaller estimated variance (choosing by the sample adds a little bias).
   */
  method?: EstimateMethod;
  /** Proxies ℓ̂ of the sample's rows and Σuℓ̂ over all rows. Default: those of the sample when it is a `Selection`. */
  control?: { proxies: ArrayLike<number>; total: number } | undefined;
  /** Confidence of the interval in (0, 1). Default 0.95. */
  confidence?: number;
  /** Default `auto`: bootstrap-t below 100 draws, Student t from there on. */
  interval?: IntervalMethod;
  /** Cuts the weight of a draw at this value: less variance, and a bias that is reported. Default: none. */
  clip?: number | undefined;
  /** Seed of the bootstrap. Default 0. */
  seed?: number;
}

export interface Estimate {
  /** Estimated total or mean, unit of the loss. */
  value: number;
  /** Estimated standard error. */
  standardError: number;
  interval: Interval;
  method: Exclude<EstimateMethod, 'auto'>;
  intervalMethod: Exclude<IntervalMethod, 'auto'>;
  /** Whether the estimate has a bias at all: true for `self-normalised` and for clipped weights. */
  biased: boolean;
  /** Estimated bias of clipping, unit of the value; 0 without clipping. */
  clipBias: number;
  /** Draws behind the estimate. */
  draws: number;
  /** Estimated standard error of a uniform sample of as many draws, from the same losses. */
  uniformStandardError: number;
}

/** A sample that also brings control variates. */
type SampleWithProxies = WeightedSample & { proxies?: ArrayLike<number>; proxyTotal?: number };

/**
 * Estimates Σu·ℓ over all rows from the losses of a weighted sample.
 *
 * @param sample - of `drawSample` or `selectData`
 * @param losses - ℓ of `sample.ids` in that order, shape (rows,); any sign (e.g. differences of two models)
 * @returns estimate, standard error and interval. The variance is estimated by the scheme's own formula: exact expectation for `hansen-hurwitz`,
 *   `poisson` and `gumbel`; the usual high-entropy approximation for `fixed-size`
 * @throws {ShapeError} not one loss per row
 * @throws {InvalidArgumentError} a loss is not finite, `control-variate` without proxies, or fewer than 2 draws
 *
 * Time O(rows), with the bootstrap O(2000 · rows).
 */
export function estimateTotal(
  sample: SampleWithProxies,
  losses: ArrayLike<number>,
  options: EstimateOptions = {},
): Estimate {
  const { method = 'weighted', confidence = 0.95, interval = 'auto', clip, seed = 0 } = options;
  requireLength('estimateTotal: losses', losses, sample.ids.length);
  requireFinite('estimateTotal: losses', losses);
  requireProbability('estimateTotal: confidence', confidence);
  requireOneOf('estimateTotal: method', method, ['weighted', 'self-normalised', 'control-variate', 'auto']);
  requireOneOf('estimateTotal: interval', interval, ['auto', 't', 'bootstrap-t']);
  if (clip !== undefined) requirePositive('estimateTotal: clip', clip);
  if (sample.draws < 2) {
    throw new InvalidArgumentError(
      `estimateTotal: the sample has ${sample.draws} draws; expected at least 2, or there is no variance to estimate. Draw more rows.`,
    );
  }

  const weights = clippedWeights(sample, clip);
  const control = controlOf(sample, options.control);
  if (method === 'auto') {
    const candidates: EstimateMethod[] = control ? ['weighted', 'control-variate'] : ['weighted'];
    const [best] = candidates
      .map((candidate) => estimateTotal(sample, losses, { ...options, interval: 't', method: candidate }))
      .sort((a, b) => a.standardError - b.standardError);
    return estimateTotal(sample, losses, { ...options, method: best.method });
  }
  if (method === 'control-variate' && !control) {
    throw new InvalidArgumentError(
      'estimateTotal: method "control-variate" has no proxies; expected control: { proxies, total }, or a Selection as the sample.',
    );
  }

  const { value, residuals } = pointEstimate(sample, weights, losses, method, control);
  const variance = designVariance(sample, weights, residuals);
  const standardError = Math.sqrt(variance);
  const intervalMethod = interval === 'auto' ? (sample.draws < 100 ? 'bootstrap-t' : 't') : interval;
  const tail = (1 - confidence) / 2;
  const t = studentTQuantile(1 - tail, sample.draws - 1);
  const [low, high] =
    intervalMethod === 't' ? [-t, t] : bootstrapQuantiles(drawTerms(sample, weights, residuals), tail, seed);
  return {
    value,
    standardError,
    // The studentised error (estimate − truth)/se lies between the quantiles: the truth between value − high·se and value − low·se.
    interval: { low: value - high * standardError, high: value - low * standardError, confidence },
    method,
    intervalMethod,
    biased: method === 'self-normalised' || clip !== undefined,
    clipBias: clipBias(sample, weights, residuals),
    draws: sample.draws,
    uniformStandardError: uniformError(sample, weights, losses),
  };
}

/**
 * Estimates the mean loss Σuℓ/Σu: `estimateTotal` divided by the population.
 *
 * @throws as `estimateTotal`
 */
export function estimateMean(
  sample: SampleWithProxies,
  losses: ArrayLike<number>,
  options: EstimateOptions = {},
): Estimate {
  const total = estimateTotal(sample, losses, options);
  const scale = 1 / sample.population;
  return {
    ...total,
    value: total.value * scale,
    standardError: total.standardError * scale,
    interval: { ...total.interval, low: total.interval.low * scale, high: total.interval.high * scale },
    clipBias: total.clipBias * scale,
    uniformStandardError: total.uniformStandardError * scale,
  };
}

/**
 * Estimates the difference of the totals of two models on one sample, with the interval of the paired differences.
 *
 * @returns estimate of Σu·(a − b)
 */
export function estimateDifference(
  sample: WeightedSample,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: Omit<EstimateOptions, 'control' | 'method'> & { method?: 'weighted' | 'self-normalised' } = {},
): Estimate {
  requireLength('estimateDifference: b', b, a.length);
  return estimateTotal(
    sample,
    Float64Array.from(a, (loss, j) => loss - b[j]),
    options,
  );
}

export interface RowsNeeded {
  /** Draws altogether. */
  total: number;
  /** Draws to add to those at hand. */
  more: number;
  /** Draws a uniform sample would need for the same. */
  uniform: number;
}

/**
 * How many draws make the interval ± `relativeError` of the estimate: (z·se/(x·value))² times the draws at hand.
 *
 * Counts draws with repeats; schemes without repeats need no more.
 *
 * @param relativeError - half width as a share of the value, in (0, ∞)
 * @param confidence - of that interval. Default 0.95
 * @throws {InvalidArgumentError} the estimate is 0: no share of it can be asked for
 */
export function rowsNeeded(estimate: Estimate, relativeError: number, confidence: number = 0.95): RowsNeeded {
  requirePositive('rowsNeeded: relativeError', relativeError);
  requireProbability('rowsNeeded: confidence', confidence);
  requireNumber('rowsNeeded: estimate.value', estimate.value);
  if (estimate.value === 0) {
    throw new InvalidArgumentError(
      'rowsNeeded: the estimate is 0; expected another value, as ±x % of 0 is 0.',
    );
  }
  const t = studentTQuantile(1 - (1 - confidence) / 2, Math.max(1, estimate.draws - 1));
  const drawsFor = (error: number): number =>
    Math.max(1, Math.ceil(estimate.draws * ((t * error) / (relativeError * Math.abs(estimate.value))) ** 2));
  const total = drawsFor(estimate.standardError);
  return {
    total,
    more: Math.max(0, total - estimate.draws),
    uniform: drawsFor(estimate.uniformStandardError),
  };
}

function clippedWeights({ weights, counts }: WeightedSample, clip: number | undefined): Float64Array {
  if (clip === undefined) return weights;
  return weights.map((w, j) => Math.min(w, clip * counts[j]));
}

function controlOf(
  sample: SampleWithProxies,
  given: EstimateOptions['control'],
): { proxies: ArrayLike<number>; total: number } | undefined {
  if (given) {
    requireLength('estimateTotal: control.proxies', given.proxies, sample.ids.length);
    return given;
  }
  if (!sample.proxies || sample.proxyTotal === undefined || sample.proxies.length !== sample.ids.length)
    return undefined;
  return { proxies: sample.proxies, total: sample.proxyTotal };
}

function pointEstimate(
  sample: WeightedSample,
  weights: Float64Array,
  losses: ArrayLike<number>,
  method: EstimateMethod,
  control: { proxies: ArrayLike<number>; total: number } | undefined,
): { value: number; residuals: Float64Array } {
  const sum = new CompensatedSum();
  const mass = new CompensatedSum();
  const values = Float64Array.from(losses, (loss, j) =>
    method === 'control-variate' ? loss - control!.proxies[j] : loss,
  );
  for (let j = 0; j < values.length; j++) {
    sum.add(weights[j] * values[j]);
    mass.add(weights[j]);
  }
  if (method === 'weighted') return { value: sum.value, residuals: values };
  if (method === 'control-variate') return { value: control!.total + sum.value, residuals: values };
  // Linearised: the error of U·Σwℓ/Σw is that of Σw(ℓ − mean), scaled by U/Σw.
  const mean = sum.value / mass.value;
  const scale = sample.population / mass.value;
  return { value: mean * sample.population, residuals: values.map((loss) => (loss - mean) * scale) };
}

/** Minus what the cut weights would have added. */
function clipBias(sample: WeightedSample, weights: Float64Array, residuals: Float64Array): number {
  if (weights === sample.weights) return 0;
  return residuals.reduce((sum, residual, j) => sum - (sample.weights[j] - weights[j]) * residual, 0);
}

/** √((U·Σuℓ² − (Σuℓ)²)/s) with both sums estimated from the sample. */
function uniformError(
  { population, draws }: WeightedSample,
  weights: Float64Array,
  losses: ArrayLike<number>,
): number {
  let total = 0;
  let squares = 0;
  for (let j = 0; j < weights.length; j++) {
    total += weights[j] * losses[j];
    squares += weights[j] * losses[j] ** 2;
  }
  return Math.sqrt(Math.max(0, population * squares - total ** 2) / draws);
}
