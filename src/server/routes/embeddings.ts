// POST /v1/embeddings: texts as vectors.

import { embed } from '../../llm/index.ts';
import { ApiError } from '../api-error.ts';
import { requireContext } from '../generation.ts';
import { parseBody } from '../json-body.ts';
import type { RequestLife } from '../request-life.ts';
import { embeddingSchema } from '../schemas/embedding.ts';
import type { Service } from '../service.ts';
import type { Answer } from './answer.ts';

/** @throws {ApiError} and what the engine refuses */
export async function embeddings(service: Service, life: RequestLife, body: unknown): Promise<Answer> {
  const fields = parseBody(embeddingSchema, body);
  service.requireModel(fields.model);
  const { model, tokenizer, pooling, side, metrics } = service;
  const { encoding_format: format = 'float', dimensions = model.config.hidden } = fields;
  if (dimensions > model.config.hidden) {
    throw new ApiError(400, `dimensions: it is ${dimensions}; this model has ${model.config.hidden}.`, {
      param: 'dimensions',
    });
  }
  const inputs = fields.input.map((input) => (typeof input === 'string' ? tokenizer.encode(input) : input));
  requireContext(service, inputs, 0, 'input');
  for (const input of inputs) model.requireTokens('input', input);
  const total = inputs.reduce((sum, { length }) => sum + length, 0);
  life.report.tokens = { prompt: total, cached: 0, output: 0 };
  metrics.promptTokens.inc(total);
  const { signal } = life;
  const vectors = await side.run(async () => {
    const all: Float32Array[] = [];
    for (const input of inputs) all.push(await embed(model, input, { pooling, signal }));
    return all;
  }, signal);
  const data = vectors.map((vector, index) => {
    const short = shortened(vector, dimensions);
    return {
      object: 'embedding',
      index,
      embedding: format === 'float' ? Array.from(short) : base64(short),
    };
  });
  const usage = { prompt_tokens: total, total_tokens: total };
  return { body: { object: 'list', data, model: service.modelName, usage }, headers: {} };
}

/** The first dimensions, scaled to length 1 again. */
function shortened(vector: Float32Array, dimensions: number): Float32Array {
  if (dimensions === vector.length) return vector;
  const first = vector.subarray(0, dimensions);
  const length = Math.hypot(...first);
  return length > 0 ? first.map((x) => x / length) : first;
}

/** Little-endian float32, as the API has it. */
function base64(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length);
  vector.forEach((x, i) => {
    bytes.writeFloatLE(x, 4 * i);
  });
  return bytes.toString('base64');
}
