// POST /v1/embeddings.

import { z } from 'zod';
import { ignored, optional, texts } from './fields.ts';

export interface EmbeddingFields {
  model: string;
  input: (string | number[])[];
  encoding_format?: 'float' | 'base64' | undefined;
  dimensions?: number | undefined;
}

export const embeddingSchema: z.ZodType<EmbeddingFields> = z.strictObject({
  model: z.string(),
  input: texts.refine((list) => list.length <= 2048, { error: 'expected at most 2048 texts' }),
  encoding_format: optional(z.enum(['float', 'base64'])),
  dimensions: optional(z.int().min(1)),
  user: ignored,
});
