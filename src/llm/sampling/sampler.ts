// The next token, again and again.

import { requireInteger, requireLength } from '../../core/check.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import { LogitAdjuster } from './adjust.ts';
import { type Choices, chooseTokens, total } from './choices.ts';
import { distributionFromChoices, type TokenDistribution, type TokenProbability } from './distribution.ts';
import { type Logits, largestLogit } from './logits.ts';
import { reportLogprobs } from './logprobs.ts';
import { type CompleteSampling, completeSampling, type SamplingOptions } from './options.ts';

/** A token that was taken. */
export interface SampledToken {
  id: number;
  /** With `logprobs`: ln p under the model's own distribution. */
  logprob?: number;
  /** With `logprobs`: the most likely tokens of that distribution, most likely first. */
  top?: TokenProbability[];
}

export interface SamplerOptions extends SamplingOptions {
  /** V, the number of logits at each step. */
  vocabularySize: number;
  /** Ids before the output: the repetition penalty counts them. Default none. */
  prompt?: ArrayLike<number> | undefined;
}

/** Takes the tokens of one sequence, one after another. */
export interface Sampler {
  /**
   * Takes a token and counts it as part of the output.
   * @param logits - shape (V,); read, not kept, not changed
   * @throws {NumericalError} a logit is NaN or ∞, or none is left @throws {ShapeError} wrong length
   * Time O(V).
   */
  next(logits: Logits): SampledToken;
  /** The distribution that `next` would draw from, all steps applied; takes nothing. At temperature 0, all on one token. */
  distribution(logits: Logits): TokenDistribution;
  /**
   * Counts a token that came from elsewhere (forced by a grammar, accepted from a draft) as part of the output.
   * @throws {InvalidArgumentError} an id outside the vocabulary
   */
  accept(id: number): void;
}

/** @throws {InvalidArgumentError} an option leaves its range */
export function createSampler({ vocabularySize, prompt = [], ...options }: SamplerOptions): Sampler {
  requireInteger('createSampler: vocabularySize', vocabularySize, 1);
  for (let i = 0; i < prompt.length; i++) {
    requireInteger(`createSampler: prompt[${i}]`, prompt[i], 0, vocabularySize - 1);
  }
  return new StepSampler(vocabularySize, completeSampling(vocabularySize, options), prompt);
}

class StepSampler implements Sampler {
  private readonly vocabularySize: number;
  private readonly options: CompleteSampling;
  private readonly adjuster: LogitAdjuster;
  private readonly rng: Rng;
  /** Weights of a step: a fresh megabyte for each token would keep the garbage collector busy. */
  private readonly weights: Float64Array;
  private taken = 0;

  constructor(vocabularySize: number, options: CompleteSampling, prompt: ArrayLike<number>) {
    this.vocabularySize = vocabularySize;
    this.options = options;
    this.weights = new Float64Array(options.temperature === 0 ? 0 : vocabularySize);
    this.adjuster = new LogitAdjuster(vocabularySize, options, prompt);
    this.rng = createRng(options.seed).fork('sampling').fork(options.sequence);
  }

  next(logits: Logits): SampledToken {
    requireLength('Sampler.next: logits', logits, this.vocabularySize);
    const { adjusted, best } = this.adjust(logits);
    const { temperature, logprobs } = this.options;
    // Token t takes number t of the stream: a forced token before it changes no draw.
    const id =
      temperature === 0
        ? best
        : draw(chooseTokens(adjusted, best, this.options, this.weights), this.rng.at(this.taken));
    const token: SampledToken = { id };
    if (logprobs >= 0) {
      const own = adjusted === logits ? best : largestLogit('Sampler.next', logits);
      Object.assign(token, reportLogprobs(logits, own, id, logprobs));
    }
    this.accept(id);
    return token;
  }

  distribution(logits: Logits): TokenDistribution {
    requireLength('Sampler.distribution: logits', logits, this.vocabularySize);
    const { adjusted, best } = this.adjust(logits);
    const choices =
      this.options.temperature === 0
        ? { ids: Uint32Array.of(best), weights: Float64Array.of(1) }
        : chooseTokens(adjusted, best, this.options);
    return distributionFromChoices(choices, this.vocabularySize);
  }

  accept(id: number): void {
    requireInteger('Sampler.accept: id', id, 0, this.vocabularySize - 1);
    this.taken++;
    this.adjuster.accept(id);
  }

  private adjust(logits: Logits): { adjusted: Logits; best: number } {
    const adjusted = this.adjuster.apply(logits);
    return { adjusted, best: largestLogit('Sampler', adjusted) };
  }
}

/** Inverse of the cumulative distribution, tokens in the order of their ids. */
function draw({ ids, weights }: Choices, u: number): number {
  const height = u * total(weights);
  let mass = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    mass += weights[i];
    last = i;
    if (mass > height) break; // else rounding left the sum below the height: the last one it is
  }
  return ids === undefined ? last : ids[last];
}
