// The configuration of a model from config.json as the Hugging Face hub has it.

import { z } from 'zod';
import { UnsupportedError } from '../../core/errors.ts';
import { quoted } from '../files/quoted.ts';
import type { StoredTensor } from '../files/stored-tensor.ts';
import { architectureOf, layerCount, parseFields, positive, size } from './config-fields.ts';
import { type Architecture, type ModelConfig, requireConsistent } from './model-config.ts';
import { type RopeConfig, type RopeScaling, yarnAmplitude } from './rope.ts';

const where = 'config.json';

/** Old files name the kind `type`, newer ones `rope_type`. */
const ropeSchema = z.strictObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: positive.optional(),
  partial_rotary_factor: positive.max(1).optional(),
  factor: positive.optional(),
  low_freq_factor: positive.optional(),
  high_freq_factor: positive.optional(),
  original_max_position_embeddings: size.optional(),
  attention_factor: positive.nullish(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  /** YaRN's range in whole pairs, which is what is computed. */
  truncate: z.literal(true).nullish(),
});
type RopeFields = z.infer<typeof ropeSchema>;

const fieldsSchema = z.object({
  _name_or_path: z.string().optional(),
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: layerCount,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  vocab_size: size,
  max_position_embeddings: size.default(2048),
  rms_norm_eps: positive.default(1e-6),
  hidden_act: z.string().default('silu'),
  rope_theta: positive.optional(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  partial_rotary_factor: positive.max(1).optional(),
  tie_word_embeddings: z.boolean().optional(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  sliding_window: size.nullish(),
  use_sliding_window: z.boolean().default(false),
  max_window_layers: z.number().int().min(0).optional(),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
  quantization_config: z.unknown().optional(),
});
type Fields = z.infer<typeof fieldsSchema>;

/**
 * Configuration of a model of the Llama family.
 *
 * @param json - the parsed file
 * @param tensors - by name, none is read: biases and a missing output matrix show there
 * @throws {DataError} a value is missing or out of range, naming it
 * @throws {UnsupportedError} another architecture, or a property that is not computed
 */
export function configFromHub(json: unknown, tensors: ReadonlyMap<string, StoredTensor>): ModelConfig {
  const { model_type } = parseFields(where, z.object({ model_type: z.string() }), json);
  const architecture = architectureOf(where, model_type);
  const fields = parseFields(where, fieldsSchema, json);
  refuse(fields);
  const { hidden_size: hidden, num_attention_heads: heads } = fields;
  const headDim = fields.head_dim ?? (architecture === 'qwen3' ? 128 : Math.floor(hidden / heads));
  return requireConsistent(where, {
    architecture,
    name: fields._name_or_path || undefined,
    layers: fields.num_hidden_layers,
    hidden,
    intermediate: fields.intermediate_size,
    heads,
    keyHeads: fields.num_key_value_heads ?? heads,
    headDim,
    vocabulary: fields.vocab_size,
    context: fields.max_position_embeddings,
    normEpsilon: fields.rms_norm_eps,
    rope: ropeOf(fields, headDim),
    slidingWindows: windowsOf(architecture, fields),
    tiedEmbeddings: fields.tie_word_embeddings ?? !tensors.has('lm_head.weight'),
    qkvBias: architecture === 'qwen2' || fields.attention_bias,
    outputBias: architecture !== 'qwen2' && fields.attention_bias,
    qkNorm: architecture === 'qwen3',
    attentionScale: 1 / Math.sqrt(headDim),
  });
}

function refuse({ hidden_act, mlp_bias, quantization_config }: Fields): void {
  if (hidden_act !== 'silu') {
    throw new UnsupportedError(`${where}: hidden_act is ${quoted(hidden_act)}; expected silu.`);
  }
  if (mlp_bias) throw new UnsupportedError(`${where}: mlp_bias is true; expected a network without biases.`);
  if (quantization_config) {
    throw new UnsupportedError(
      `${where}: it has a quantization_config; expected F32, F16 or BF16 weights. Take the model's GGUF file instead.`,
    );
  }
}

function ropeOf(fields: Fields, headDim: number): RopeConfig {
  const given: RopeFields = fields.rope_parameters ?? fields.rope_scaling ?? {};
  const share = given.partial_rotary_factor ?? fields.partial_rotary_factor ?? 1;
  return {
    base: given.rope_theta ?? fields.rope_theta ?? 10000,
    dims: Math.floor(headDim * share),
    pairing: 'half-split',
    scaling: scalingOf(given, fields.max_position_embeddings),
  };
}

function scalingOf(given: RopeFields, context: number): RopeScaling {
  const type = given.rope_type ?? given.type ?? 'default';
  if (type === 'default') return { type: 'none' };
  const need = (
    name: 'factor' | 'low_freq_factor' | 'high_freq_factor' | 'original_max_position_embeddings',
  ) => parseFields(`${where}: rope scaling ${type}`, z.object({ [name]: positive }), given)[name];
  switch (type) {
    case 'linear':
      return { type, factor: need('factor') };
    case 'llama3':
      return {
        type,
        factor: need('factor'),
        lowFrequencyFactor: need('low_freq_factor'),
        highFrequencyFactor: need('high_freq_factor'),
        trainedContext: need('original_max_position_embeddings'),
      };
    case 'yarn': {
      const factor = need('factor');
      return {
        type,
        factor,
        betaFast: given.beta_fast ?? 32,
        betaSlow: given.beta_slow ?? 1,
        trainedContext: given.original_max_position_embeddings ?? context,
        amplitude: given.attention_factor ?? yarnAmplitude(factor),
      };
    }
    default:
      throw new UnsupportedError(
        `${where}: the rope scaling is ${quoted(type)}; expected default, linear, llama3 or yarn.`,
      );
  }
}

/** Mistral slides in all layers, Qwen only where it says so, from a certain layer on. What is left out has the family's usual value. */
function windowsOf(architecture: Architecture, fields: Fields): (number | null)[] {
  const { num_hidden_layers: layers, layer_types, max_window_layers = 28, sliding_window = 4096 } = fields;
  const qwen = architecture === 'qwen2' || architecture === 'qwen3';
  const slides = qwen ? fields.use_sliding_window : architecture === 'mistral';
  if (!slides) return Array(layers).fill(null);
  if (layer_types) return layer_types.map((type) => (type === 'sliding_attention' ? sliding_window : null));
  return Array.from({ length: layers }, (_, layer) =>
    qwen && layer < max_window_layers ? null : sliding_window,
  );
}
