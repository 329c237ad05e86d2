// Markets as bidders believe them to be: values predicted with an error.

import { requireNumber, requireOneOf, requireSeed } from '../../core/check.ts';
import { createRng } from '../../core/rng.ts';
import { valuesByAdvertiser } from '../market/values-by-advertiser.ts';
import type { Market } from '../types.ts';
import { logPosteriorMean } from './posterior-mean.ts';

/**
 * How predictions err, σ being the spread of the error of ln v:
 * - `calibrated`: v̂ ∝ E[v | ln v + σ Z] over the advertiser's own values, with the mean of the true ones: right on average wherever they are
 *   looked at, and drawn to the mean where they know little. What a well-trained model does
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
  const signals = market.values.map((value) => Math.log(value) + sigma * rng.normal());
  const values =
    sigma === 0
      ? market.values.slice()
      : model === 'unbiased'
        ? signals.map((signal) => inRange(Math.exp(signal - (sigma * sigma) / 2)))
        : calibrated(market, signals, sigma);
  return { believed: { ...market, values }, truth: market, sigma, seed, model };
}

function calibrated(market: Market, signals: Float64Array, sigma: number): Float64Array {
  const { advertiserOf, values } = market;
  const predict = valuesByAdvertiser(market).map((own) =>
    own.length > 0 ? logPosteriorMean(own.map(Math.log), sigma) : () => 0,
  );
  const predicted = signals.map((signal, e) => Math.exp(predict[advertiserOf[e]](signal)));
  const totals = new Float64Array(market.advertisers);
  const guessed = new Float64Array(market.advertisers);
  for (let e = 0; e < values.length; e++) {
    totals[advertiserOf[e]] += values[e];
    guessed[advertiserOf[e]] += predicted[e];
  }
  // A model that is off on average over its own data would be corrected.
  return predicted.map((value, e) => inRange((value * totals[advertiserOf[e]]) / guessed[advertiserOf[e]]));
}

/** Markets hold values of e^±50; an error of many σ may lead out of them. */
function inRange(value: number): number {
  return Math.min(Math.exp(50), Math.max(Math.exp(-50), value));
}
