// POST /v1/completions.

import { z } from 'zod';
import { notOffered, optional, texts } from './fields.ts';
import { type CommonFields, commonShape } from './sampling.ts';

export interface CompletionFields extends CommonFields {
  prompt: (string | number[])[];
  max_tokens?: number | undefined;
  echo?: boolean | undefined;
  logprobs?: number | undefined;
}

export const completionSchema: z.ZodType<CompletionFields> = z.strictObject({
  ...commonShape,
  prompt: texts,
  max_tokens: optional(z.int().min(0)),
  echo: optional(z.boolean()),
  logprobs: optional(z.int().min(0).max(20)),
  best_of: notOffered('best_of above 1 is not offered', (value) => value === 1),
  suffix: notOffered('Text to insert before a suffix is not offered', (value) => value === ''),
});
