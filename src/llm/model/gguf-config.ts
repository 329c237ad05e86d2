// The configuration of a model from the named values and the tensors of its GGUF file.

import { z } from 'zod';
import { UnsupportedError } from '../../core/errors.ts';
import type { GgufMetadata } from '../files/gguf-metadata.ts';
import { quoted } from '../files/quoted.ts';
import { readTensorNumbers, type StoredTensor } from '../files/stored-tensor.ts';
import { StringList } from '../files/string-list.ts';
import { architectureOf, layerCount, parseFields, positive, shown, size } from './config-fields.ts';
import { type Architecture, type ModelConfig, requireConsistent } from './model-config.ts';
import { type RopeConfig, type RopeScaling, yarnAmplitude } from './rope.ts';

const where = 'modelConfig';

/** A size that some architectures give per layer; only equal ones are computed. */
const uniformSize = z.preprocess((value) => {
  if (!ArrayBuffer.isView(value)) return value;
  const sizes = new Set(Array.from(value as Uint32Array));
  return sizes.size === 1 ? [...sizes][0] : `${sizes.size} different sizes`;
}, size);

/** What stands below the name of the architecture. */
const fieldsSchema = z.object({
  block_count: layerCount,
  context_length: size,
  embedding_length: size,
  feed_forward_length: uniformSize,
  vocab_size: size.optional(),
  'attention.head_count': uniformSize,
  'attention.head_count_kv': uniformSize.optional(),
  'attention.key_length': size.optional(),
  'attention.value_length': size.optional(),
  'attention.layer_norm_rms_epsilon': positive,
  'attention.causal': z.boolean().optional(),
  'attention.scale': positive.optional(),
  'attention.sliding_window': z.number().int().min(0).optional(),
  'attention.sliding_window_pattern': z.union([z.number().int().min(0), z.instanceof(Uint8Array)]).optional(),
  'rope.dimension_count': size.optional(),
  'rope.freq_base': positive.default(10000),
  'rope.scale_linear': positive.optional(),
  'rope.scaling.type': z.string().default('linear'),
  'rope.scaling.factor': z.number().min(0).optional(),
  'rope.scaling.original_context_length': size.optional(),
  'rope.scaling.finetuned': z.boolean().optional(),
  'rope.scaling.attn_factor': positive.default(1),
  'rope.scaling.yarn_ext_factor': z.number().optional(),
  'rope.scaling.yarn_attn_factor': positive.default(1),
  'rope.scaling.yarn_beta_fast': positive.default(32),
  'rope.scaling.yarn_beta_slow': positive.default(1),
  embedding_scale: positive.optional(),
  residual_scale: positive.optional(),
  logit_scale: positive.optional(),
});
type Fields = z.infer<typeof fieldsSchema>;

/** Values that change what is computed, in ways that are not. */
const REFUSED = [
  ...['expert_count', 'attention.max_alibi_bias', 'attention.clamp_kqv', 'attn_logit_softcapping'],
  ...['final_logit_softcapping', 'attention.kv_lora_rank', 'use_parallel_residual', 'swin_norm'],
];

/**
 * Configuration of a model of the Llama family.
 *
 * @param tensors - by name; only rope_freqs.weight is read
 * @throws {DataError} a value is missing or out of range, naming it
 * @throws {UnsupportedError} another architecture, or a property that is not computed
 */
export async function configFromGguf(
  metadata: GgufMetadata,
  tensors: ReadonlyMap<string, StoredTensor>,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<ModelConfig> {
  const { 'general.architecture': family, 'general.name': name } = parseFields(
    where,
    z.object({ 'general.architecture': z.string(), 'general.name': z.string().optional() }),
    {
      'general.architecture': metadata.get('general.architecture'),
      'general.name': metadata.get('general.name'),
    },
  );
  const architecture = architectureOf(where, family);
  const own = Object.fromEntries(
    [...metadata]
      .filter(([key]) => key.startsWith(`${family}.`))
      .map(([key, value]) => [key.slice(family.length + 1), value]),
  );
  for (const key of REFUSED) {
    if (own[key])
      throw new UnsupportedError(
        `${where}: ${family}.${key} is ${shown(own[key])}; expected a model without it.`,
      );
  }
  const fields = parseFields(where, fieldsSchema, own);
  if (fields['attention.causal'] === false) {
    throw new UnsupportedError(
      `${where}: ${family}.attention.causal is false; expected a model that generates text.`,
    );
  }
  const heads = fields['attention.head_count'];
  const hidden = fields.embedding_length;
  const headDim = fields['attention.key_length'] ?? Math.floor(hidden / heads);
  if ((fields['attention.value_length'] ?? headDim) !== headDim) {
    throw new UnsupportedError(
      `${where}: keys have ${headDim} entries, values ${fields['attention.value_length']}; expected as many.`,
    );
  }
  refuseScales(family, fields);
  return requireConsistent(where, {
    architecture,
    name,
    layers: fields.block_count,
    hidden,
    intermediate: fields.feed_forward_length,
    heads,
    keyHeads: fields['attention.head_count_kv'] ?? heads,
    headDim,
    vocabulary: vocabularyOf(fields, metadata, tensors),
    context: fields.context_length,
    normEpsilon: fields['attention.layer_norm_rms_epsilon'],
    rope: await ropeOf(architecture, fields, headDim, tensors.get('rope_freqs.weight'), options),
    slidingWindows: windowsOf(fields),
    tiedEmbeddings: !tensors.has('output.weight'),
    qkvBias: tensors.has('blk.0.attn_q.bias'),
    outputBias: tensors.has('blk.0.attn_output.bias'),
    qkNorm: tensors.has('blk.0.attn_q_norm.weight'),
    attentionScale: fields['attention.scale'] ?? 1 / Math.sqrt(headDim),
  });
}

/** Families that are not computed have them. */
function refuseScales(family: string, fields: Fields): void {
  for (const key of ['embedding_scale', 'residual_scale', 'logit_scale'] as const) {
    if (fields[key] !== undefined && fields[key] !== 1) {
      throw new UnsupportedError(
        `${where}: ${family}.${key} is ${fields[key]}; expected a model without it.`,
      );
    }
  }
}

function vocabularyOf(
  { vocab_size }: Fields,
  metadata: GgufMetadata,
  tensors: ReadonlyMap<string, StoredTensor>,
): number {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const listed = tokens instanceof StringList ? tokens.length : undefined;
  const rows = tensors.get('token_embd.weight')?.shape[0];
  return parseFields(where, z.object({ vocab_size: size }), { vocab_size: vocab_size ?? listed ?? rows })
    .vocab_size;
}

async function ropeOf(
  architecture: Architecture,
  fields: Fields,
  headDim: number,
  divisors: StoredTensor | undefined,
  options: { signal?: AbortSignal | undefined },
): Promise<RopeConfig> {
  return {
    base: fields['rope.freq_base'],
    dims: fields['rope.dimension_count'] ?? headDim,
    // The converter permutes rows of queries and keys of the former, not of the latter.
    pairing: architecture === 'qwen2' || architecture === 'qwen3' ? 'half-split' : 'interleaved',
    scaling: scalingOf(fields),
    divisors: divisors && [...(await readTensorNumbers(divisors, options))],
  };
}

function scalingOf(fields: Fields): RopeScaling {
  const type = fields['rope.scaling.type'];
  const factor = fields['rope.scaling.factor'] || fields['rope.scale_linear'] || 1;
  if (type === 'none' || (type === 'linear' && factor === 1)) return { type: 'none' };
  if (type === 'linear') return { type, factor };
  if (type !== 'yarn') {
    throw new UnsupportedError(
      `${where}: rope.scaling.type is ${quoted(type)}; expected none, linear or yarn.`,
    );
  }
  const extrapolation = fields['rope.scaling.yarn_ext_factor'];
  if (extrapolation !== undefined && extrapolation !== 1 && extrapolation >= 0) {
    throw new UnsupportedError(`${where}: rope.scaling.yarn_ext_factor is ${extrapolation}; expected 1.`);
  }
  return {
    type,
    factor,
    betaFast: fields['rope.scaling.yarn_beta_fast'],
    betaSlow: fields['rope.scaling.yarn_beta_slow'],
    trainedContext: fields['rope.scaling.original_context_length'] ?? fields.context_length,
    amplitude:
      yarnAmplitude(factor) * fields['rope.scaling.attn_factor'] * fields['rope.scaling.yarn_attn_factor'],
  };
}

function windowsOf({
  block_count: layers,
  'attention.sliding_window': window,
  'attention.sliding_window_pattern': pattern = 0,
}: Fields): (number | null)[] {
  return Array.from({ length: layers }, (_, layer) => {
    if (!window) return null;
    if (typeof pattern !== 'number') return pattern[layer] ? window : null;
    // Every pattern-th layer sees all; without a pattern none does.
    return pattern === 0 || layer % pattern < pattern - 1 ? window : null;
  });
}
