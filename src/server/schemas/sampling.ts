// What completions and chats have in common: how tokens are chosen, and what comes back.

import { z } from 'zod';
import { STORAGES } from '../../kernels/index.ts';
import { CACHE_POLICIES, type CacheOptions } from '../../kv-cache/index.ts';
import type { PrefillOptions, SamplingOptions, SequenceOptions } from '../../llm/index.ts';
import { ignored, optional } from './fields.ts';

/** In OpenAI's names. */
export interface SamplingFields {
  temperature?: number | undefined;
  top_p?: number | undefined;
  top_k?: number | undefined;
  min_p?: number | undefined;
  repetition_penalty?: number | undefined;
  frequency_penalty?: number | undefined;
  presence_penalty?: number | undefined;
  logit_bias?: Record<string, number> | undefined;
  seed?: number | undefined;
}

/** A policy for this request alone. */
export interface PolicyFields {
  cache?: CacheOptions | undefined;
  storage?: SequenceOptions['storage'] | undefined;
  attention?: 'exact' | 'hyper' | undefined;
}

export interface CommonFields extends SamplingFields {
  model: string;
  n?: number | undefined;
  stop?: string[] | undefined;
  stream?: boolean | undefined;
  stream_options?: { include_usage?: boolean | undefined } | undefined;
  ignore_eos?: boolean | undefined;
  provably?: PolicyFields | undefined;
}

const stopText = z.string().min(1).max(1000);
// Caches may set aside memory for all of their rows at once.
const rows = z
  .int()
  .min(0)
  .max(2 ** 20);

const policy = z.strictObject({
  cache: optional(
    z.strictObject({
      policy: z.enum(CACHE_POLICIES),
      budget: rows.optional(),
      sinks: rows.optional(),
      recent: rows.optional(),
      delta: z.number().min(0).optional(),
    }),
  ),
  storage: optional(z.enum(STORAGES)),
  attention: optional(z.enum(['exact', 'hyper'])),
});

/** Fields of a strict object. */
export const commonShape: { [Key in keyof CommonFields]-?: z.ZodType<CommonFields[Key]> } & Record<
  'user' | 'metadata' | 'store' | 'service_tier' | 'safety_identifier' | 'prompt_cache_key',
  z.ZodType
> = {
  model: z.string(),
  n: optional(z.int().min(1).max(128)),
  stop: optional(
    z
      .union([stopText, z.array(stopText).max(16)], {
        error: 'expected a text of 1 to 1000 characters, or up to 16 of them',
      })
      .transform((value) => [value].flat()),
  ),
  stream: optional(z.boolean()),
  stream_options: optional(
    z.strictObject({ include_usage: optional(z.boolean()), include_obfuscation: ignored }),
  ),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  top_k: optional(z.int().min(-1)),
  min_p: optional(z.number().min(0).max(1)),
  repetition_penalty: optional(z.number().gt(0).max(100)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  presence_penalty: optional(z.number().min(-2).max(2)),
  logit_bias: optional(z.record(z.string().regex(/^\d{1,9}$/), z.number().min(-100).max(100))),
  seed: optional(z.int()),
  ignore_eos: optional(z.boolean()),
  provably: optional(policy) as z.ZodType<PolicyFields | undefined>,
  ...{ user: ignored, metadata: ignored, store: ignored, service_tier: ignored },
  ...{ safety_identifier: ignored, prompt_cache_key: ignored },
};

/** @param seed - of the request, or one drawn for it */
export function samplingOf(fields: SamplingFields, seed: number, logprobs?: number): SamplingOptions {
  const { top_p: topP = 1, top_k: topK = 0, logit_bias } = fields;
  return {
    temperature: fields.temperature ?? 1,
    // Both APIs that have them read 0 and −1 as the ends of the scale: the most likely token alone, and all of them.
    topP: Math.max(topP, Number.MIN_VALUE),
    topK: Math.max(topK, 0),
    minP: fields.min_p ?? 0,
    repetitionPenalty: fields.repetition_penalty ?? 1,
    frequencyPenalty: fields.frequency_penalty ?? 0,
    presencePenalty: fields.presence_penalty ?? 0,
    logitBias: new Map(Object.entries(logit_bias ?? {}).map(([id, bias]) => [Number(id), bias])),
    // Seeds of the API have 64 bits and a sign, ours 32 bits.
    seed: seed >>> 0,
    logprobs,
  };
}

export interface Policy {
  sequence: SequenceOptions;
  attention: NonNullable<PrefillOptions['attention']>;
}

/** The server's policy, with what the request says instead. */
export function policyOf({ cache, storage, attention }: PolicyFields, usual: Policy): Policy {
  return {
    sequence: {
      ...usual.sequence,
      ...(cache === undefined ? {} : { cache }),
      ...(storage === undefined ? {} : { storage }),
    },
    attention: attention === undefined ? usual.attention : attention === 'exact' ? 'exact' : {},
  };
}
