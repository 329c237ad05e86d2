// Markets as bidders believe them to be: values predicted with an error.

import { requireNumber, requireOneOf, requireSeed } from '../../core/check.ts';
import { createRng } from '../../core/rng.ts';
import type { Market } from '../types.ts';

/**
 * How predictions err, σ being the spread of the error of ln v:
 * - `calibrated`: v̂ = E[v | ln v + σ Z], each advertiser's ln v taken for normal: right on average wherever they are looked at, and drawn to
 *   the mean where they know little. What a well-trained model does
 * - `unbiased`: v̂ = v e^(σ Z − σ²/2): right on average at each v, and so too high where they are high (the winner's curse)
 */
export type PredictionModel = 'calibrated' | 'unbiased';

/** What bidders believe, and what is. */
export interface BelievedMarket {
  /** Values as predicted: bids are made of these. */
  readonly believed: Market;
  /** The market as given: value is made of this. */
  readonly truth: Market;
  readonly sigma: number;
  readonly seed: number;
  readonly model: PredictionModel;
}

/**
 * Adds an error to the values that bidders know.
 *
 * The same normal numbers at every σ: with one seed, markets of several σ differ by the size of the error only.
 *
 * @param sigma - spread σ ≥ 0 of the error of ln v, dimensionless; 0: believed and true values are the same
 * @param seed - unsigned 32-bit integer
 * @throws {InvalidArgumentError} σ leaves [0, 10], or the seed its range
 *
 * Time and memory O(entries).
 */
export function withPredictionNoise(
  market: Market,
  sigma: number,
  seed: number,
  model: PredictionModel = 'calibrated',
): BelievedMarket {
  requireNumber('withPredictionNoise: sigma', sigma, 0, 10);
  requireSeed('withPredictionNoise: seed', seed);
  requireOneOf('withPredictionNoise: model', model, ['calibrated', 'unbiased']);
  const rng = createRng(seed).fork('prediction noise');
  const predict = model === 'unbiased' ? unbiased(sigma) : calibrated(market, sigma);
  const values = market.values.map((value, e) => {
    const error = sigma * rng.normal();
    return sigma === 0 ? value : inRange(predict(Math.log(value), error, market.advertiserOf[e]));
  });
  return { believed: { ...market, values }, truth: market, sigma, seed, model };
}

type Predict = (logValue: number, error: number, advertiser: number) => number;

function unbiased(sigma: number): Predict {
  return (logValue, error) => Math.exp(logValue + error - (sigma * sigma) / 2);
}

/** With ln v ~ N(m, s²) and a signal of it with error σ: ln v | signal ~ N(m + w (signal − m), w σ²), w = s² / (s² + σ²). */
function calibrated(market: Market, sigma: number): Predict {
  const { mean, variance } = logMoments(market);
  return (logValue, error, advertiser) => {
    const weight = variance[advertiser] / (variance[advertiser] + sigma * sigma);
    const centre = mean[advertiser];
    return Math.exp(centre + weight * (logValue + error - centre) + (weight * sigma * sigma) / 2);
  };
}

/** Mean and variance of each advertiser's ln v. */
function logMoments({ advertisers, advertiserOf, values }: Market): {
  mean: Float64Array;
  variance: Float64Array;
} {
  const counts = new Float64Array(advertisers);
  const mean = new Float64Array(advertisers);
  const squares = new Float64Array(advertisers);
  // Welford's updates: nothing cancels.
  for (let e = 0; e < values.length; e++) {
    const i = advertiserOf[e];
    const step = Math.log(values[e]) - mean[i];
    mean[i] += step / ++counts[i];
    squares[i] += step * (Math.log(values[e]) - mean[i]);
  }
  return { mean, variance: squares.map((square, i) => square / Math.max(1, counts[i])) };
}

/** Markets hold values of e^±50; an error of many σ may lead out of them. */
function inRange(value: number): number {
  return Math.min(Math.exp(50), Math.max(Math.exp(-50), value));
}
