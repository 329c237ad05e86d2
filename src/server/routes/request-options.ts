// From the fields of a request to what the generator takes: the same for completions and chats.

import { ApiError } from '../api-error.ts';
import type { Job } from '../generation.ts';
import { type CommonFields, policyOf, samplingOf } from '../schemas/sampling.ts';
import { drawSeed, type Service } from '../service.ts';

export interface ChosenOptions {
  options: Job['options'];
  /** The seed goes back to the client, so that the same text can be had again. */
  headers: Record<string, string>;
}

/** @param logprobs - how many of the most likely tokens to report; undefined: nothing @throws {ApiError} 400 */
export function chooseOptions(
  service: Service,
  fields: CommonFields,
  maxTokens: number,
  logprobs: number | undefined,
): ChosenOptions {
  const { n: choices = 1, provably } = fields;
  if (choices > service.maxActive) {
    throw new ApiError(
      400,
      `n: it is ${choices}; this server makes at most ${service.maxActive} texts at a time.`,
      {
        param: 'n',
      },
    );
  }
  if (provably !== undefined && !service.clientPolicies) {
    throw new ApiError(
      400,
      'provably: this server has one policy for all. Leave it out, or start the server with --client-policies.',
      { param: 'provably', code: 'unsupported_parameter' },
    );
  }
  const seed = fields.seed ?? drawSeed();
  return {
    headers: { 'provably-seed': String(seed) },
    options: {
      ...policyOf(provably ?? {}, service.policy),
      ...{ choices, maxTokens, stop: fields.stop, ignoreEnd: fields.ignore_eos },
      sampling: samplingOf(fields, seed, logprobs),
    },
  };
}
