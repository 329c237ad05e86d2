// How the next token is chosen.

import { requireInteger, requireNumber, requirePositive, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';

/**
 * The steps, in their order: logit bias; repetition penalty; frequency and presence penalty; temperature; top-k; top-p of what
 * top-k left; min-p; one draw. This is the order of transformers and vLLM (llama.cpp truncates before the temperature).
 */
export interface SamplingOptions {
  /** Divides logits: below 1 bolder, above 1 more even. 0 takes the most likely token always. ≥ 0. Default 1. */
  temperature?: number | undefined;
  /** Keeps the k most likely tokens; 0 keeps all. Default 0. */
  topK?: number | undefined;
  /** Keeps the fewest tokens that hold this probability together, in (0, 1]. Default 1: all. */
  topP?: number | undefined;
  /** Keeps tokens at least this fraction as likely as the most likely one, in [0, 1]. Default 0: all. */
  minP?: number | undefined;
  /**
   * Divides positive logits of tokens seen in prompt or output, and multiplies negative ones (CTRL, arXiv 1909.05858 §4.1).
   * > 0; 1 changes nothing. Default 1.
   */
  repetitionPenalty?: number | undefined;
  /** How many of the last tokens the repetition penalty looks at; Infinity for all. Default Infinity. */
  repetitionWindow?: number | undefined;
  /** Taken off a logit for each time its token is in the output, as in the OpenAI API. Any finite number. Default 0. */
  frequencyPenalty?: number | undefined;
  /** Taken off a logit once if its token is in the output, as in the OpenAI API. Any finite number. Default 0. */
  presencePenalty?: number | undefined;
  /** Added to the logits of these ids; −Infinity bans one. Default none. */
  logitBias?: ReadonlyMap<number, number> | undefined;
  /** Seed of the draws. Token t of the output uses number t of the seed's stream, whatever came before. Default 0. */
  seed?: number | undefined;
  /** Numbers sequences that share a seed (choices of one request): each has a stream of its own. Default 0. */
  sequence?: number | undefined;
  /**
   * Reports ln p of the chosen token and of this many most likely ones, of the model's own distribution: before bias,
   * penalties and temperature, as the OpenAI API does. Default: nothing is reported.
   */
  logprobs?: number | undefined;
}

/** Options with every default in its place. */
export type CompleteSampling = {
  [Key in keyof Required<SamplingOptions>]: NonNullable<SamplingOptions[Key]>;
};

/** @throws {InvalidArgumentError} an option leaves its range */
export function completeSampling(vocabularySize: number, options: SamplingOptions): CompleteSampling {
  const complete: CompleteSampling = {
    temperature: options.temperature ?? 1,
    topK: options.topK ?? 0,
    topP: options.topP ?? 1,
    minP: options.minP ?? 0,
    repetitionPenalty: options.repetitionPenalty ?? 1,
    repetitionWindow: options.repetitionWindow ?? Infinity,
    frequencyPenalty: options.frequencyPenalty ?? 0,
    presencePenalty: options.presencePenalty ?? 0,
    logitBias: options.logitBias ?? new Map(),
    seed: options.seed ?? 0,
    sequence: options.sequence ?? 0,
    logprobs: options.logprobs ?? -1,
  };
  requireNumber('sampling: temperature', complete.temperature, 0);
  requireInteger('sampling: topK', complete.topK, 0);
  requireNumber('sampling: topP', complete.topP, 0, 1);
  requirePositive('sampling: topP', complete.topP);
  requireNumber('sampling: minP', complete.minP, 0, 1);
  requirePositive('sampling: repetitionPenalty', complete.repetitionPenalty);
  if (complete.repetitionWindow !== Infinity) {
    requireInteger('sampling: repetitionWindow', complete.repetitionWindow, 0);
  }
  requireNumber('sampling: frequencyPenalty', complete.frequencyPenalty);
  requireNumber('sampling: presencePenalty', complete.presencePenalty);
  requireSeed('sampling: seed', complete.seed);
  requireInteger('sampling: sequence', complete.sequence, 0);
  if (options.logprobs !== undefined)
    requireInteger('sampling: logprobs', complete.logprobs, 0, vocabularySize);
  for (const [id, bias] of complete.logitBias) {
    requireInteger('sampling: an id of logitBias', id, 0, vocabularySize - 1);
    if (Number.isNaN(bias) || bias === Infinity) {
      throw new InvalidArgumentError(
        `sampling: logitBias of token ${id} is ${bias}; expected a number or −Infinity.`,
      );
    }
  }
  return complete;
}
