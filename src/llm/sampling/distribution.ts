// Distributions of the next token, whole: for whatever reasons about what a model might say, not only what it says.

import { requireInteger, requireNumber } from '../../core/check.ts';
import type { Rng } from '../../core/rng.ts';
import { type Choices, total } from './choices.ts';
import { largestIndices } from './largest.ts';
import { type Logits, largestLogit, logSumExp } from './logits.ts';

/** A token with ln of its probability. */
export interface TokenProbability {
  id: number;
  /** Natural logarithm, ≤ 0; −∞ for probability 0. */
  logprob: number;
}

/** A distribution over a vocabulary. Probabilities sum to 1 up to rounding, V · 2⁻⁵² at most. */
export interface TokenDistribution {
  readonly vocabularySize: number;
  /** ln p by id, shape (V,), float64; −∞ for probability 0. The distribution's own: not to be written. */
  readonly logProbabilities: Float64Array;
  /** @throws {InvalidArgumentError} an id outside the vocabulary */
  probability(id: number): number;
  /** The most likely tokens, most likely first, of equal ones the lower id first; none of probability 0. Time O(V). */
  top(count: number): TokenProbability[];
  /**
   * The token at height u of the cumulative distribution, tokens in the order of their ids: equal distributions and equal u
   * give equal tokens, and a small change of the distribution changes few. Time O(V).
   * @param u - in [0, 1)
   */
  quantile(u: number): number;
  /** A token drawn with one number of the stream. Time O(V). */
  sample(rng: Rng): number;
}

/**
 * Softmax of logits at a temperature.
 *
 * @param logits - shape (V,); copied
 * @param temperature - > 0. Default 1: the model's own distribution
 * @throws {NumericalError} a logit is NaN or ∞, or all are −∞
 *
 * Time O(V), memory 8 V bytes.
 */
export function distributionFromLogits(logits: Logits, temperature: number = 1): TokenDistribution {
  requireNumber('distributionFromLogits: temperature', temperature, Number.MIN_VALUE);
  const largest = logits[largestLogit('distributionFromLogits', logits)];
  const scaled = new Float64Array(logits.length);
  for (let id = 0; id < logits.length; id++) scaled[id] = (logits[id] - largest) / temperature;
  const normaliser = logSumExp(scaled, 0);
  for (let id = 0; id < scaled.length; id++) scaled[id] -= normaliser;
  return new DenseDistribution(scaled);
}

/**
 * @param logProbabilities - shape (V,), ln p by id, summing to 1 as probabilities; kept, not copied
 * @throws {NumericalError} an entry is NaN or ∞, or all are −∞
 */
export function distributionFromLogProbabilities(logProbabilities: Float64Array): TokenDistribution {
  largestLogit('distributionFromLogProbabilities', logProbabilities);
  return new DenseDistribution(logProbabilities);
}

/** The distribution that choices are drawn from. */
export function distributionFromChoices(
  { ids, weights }: Choices,
  vocabularySize: number,
): TokenDistribution {
  const normaliser = Math.log(total(weights));
  const logProbabilities = new Float64Array(vocabularySize).fill(-Infinity);
  for (let i = 0; i < weights.length; i++) {
    logProbabilities[ids === undefined ? i : ids[i]] = Math.log(weights[i]) - normaliser;
  }
  return new DenseDistribution(logProbabilities);
}

class DenseDistribution implements TokenDistribution {
  readonly logProbabilities: Float64Array;

  constructor(logProbabilities: Float64Array) {
    this.logProbabilities = logProbabilities;
  }

  get vocabularySize(): number {
    return this.logProbabilities.length;
  }

  probability(id: number): number {
    requireInteger('TokenDistribution: id', id, 0, this.vocabularySize - 1);
    return Math.exp(this.logProbabilities[id]);
  }

  top(count: number): TokenProbability[] {
    requireInteger('TokenDistribution.top: count', count, 0);
    return Array.from(largestIndices(this.logProbabilities, count), (id) => ({
      id,
      logprob: this.logProbabilities[id],
    })).filter(({ logprob }) => logprob > -Infinity);
  }

  quantile(u: number): number {
    requireNumber('TokenDistribution.quantile: u', u, 0, 1);
    const { logProbabilities } = this;
    let mass = 0;
    let last = 0;
    for (let id = 0; id < logProbabilities.length; id++) {
      if (logProbabilities[id] === -Infinity) continue;
      mass += Math.exp(logProbabilities[id]);
      if (mass > u) return id;
      last = id;
    }
    return last; // rounding left the sum below u
  }

  sample(rng: Rng): number {
    return this.quantile(rng.next());
  }
}
