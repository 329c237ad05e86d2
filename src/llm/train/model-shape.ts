// Sizes of a model to be trained, its initial weights, and the config.json that describes it.

import { requireInteger, requirePositive } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Rng } from '../../core/rng.ts';
import type { Tensor, Tensors } from '../../training/index.ts';
import { HUB_NAMES, type LayerTensor } from '../model/tensor-names.ts';

/** A Llama with tied embeddings and without biases; queries and keys turn by halves, as the Hugging Face hub has it. */
export interface TrainableShape {
  vocabulary: number;
  hidden: number;
  intermediate: number;
  layers: number;
  heads: number;
  /** A divisor of `heads`. */
  keyHeads: number;
  /** hidden / heads, even. */
  headDim: number;
  /** Base of the angles of rotary positions. */
  ropeBase: number;
  normEpsilon: number;
  /** Positions that training reaches. */
  context: number;
}

/** @throws {InvalidArgumentError} sizes that do not fit each other */
export function requireShape(where: string, shape: TrainableShape): void {
  for (const name of [
    'vocabulary',
    'hidden',
    'intermediate',
    'layers',
    'heads',
    'keyHeads',
    'headDim',
    'context',
  ] as const)
    requireInteger(`${where}: ${name}`, shape[name], 1);
  requirePositive(`${where}: ropeBase`, shape.ropeBase);
  requirePositive(`${where}: normEpsilon`, shape.normEpsilon);
  const { hidden, heads, keyHeads, headDim } = shape;
  if (heads % keyHeads !== 0 || headDim % 2 !== 0 || heads * headDim !== hidden) {
    throw new InvalidArgumentError(
      `${where}: ${heads} heads of ${headDim} entries, ${keyHeads} of them with keys, for ${hidden} hidden; expected keyHeads to divide heads, headDim even, and heads · headDim = hidden.`,
    );
  }
}

/** Name of a tensor of one layer. */
export function layerTensor(layer: number, tensor: LayerTensor): string {
  return `${HUB_NAMES.layers}${layer}.${HUB_NAMES.layer[tensor]}`;
}

/**
 * Initial weights under the hub's names, matrices as (outputs, inputs).
 *
 * Entries are normal with deviation 1 / √inputs; what is added to the residual stream is 1 / √(2 · layers) of that, so that the stream's size
 * does not grow with depth (GPT-2); embeddings have deviation 1 / √hidden, so that first logits are of size 1. Gains are one.
 */
export function initialWeights(shape: TrainableShape, rng: Rng): Tensors {
  requireShape('initialWeights', shape);
  const { vocabulary, hidden, intermediate, layers, keyHeads, headDim } = shape;
  const keys = keyHeads * headDim;
  const residual = 1 / Math.sqrt(2 * layers);
  const matrix = (name: string, rows: number, cols: number, scale = 1): [string, Tensor] => {
    const stream = rng.fork(name);
    const deviation = scale / Math.sqrt(cols);
    return [
      name,
      {
        shape: [rows, cols],
        data: Float32Array.from({ length: rows * cols }, () => deviation * stream.normal()),
      },
    ];
  };
  const ones = (name: string): [string, Tensor] => [
    name,
    { shape: [hidden], data: new Float32Array(hidden).fill(1) },
  ];
  return Object.fromEntries([
    matrix(HUB_NAMES.model.tokenEmbedding, vocabulary, hidden),
    ...Array.from({ length: layers }, (_, l) => [
      ones(layerTensor(l, 'attentionNorm')),
      matrix(layerTensor(l, 'q'), hidden, hidden),
      matrix(layerTensor(l, 'k'), keys, hidden),
      matrix(layerTensor(l, 'v'), keys, hidden),
      matrix(layerTensor(l, 'output'), hidden, hidden, residual),
      ones(layerTensor(l, 'ffnNorm')),
      matrix(layerTensor(l, 'gate'), intermediate, hidden),
      matrix(layerTensor(l, 'up'), intermediate, hidden),
      matrix(layerTensor(l, 'down'), hidden, intermediate, residual),
    ]).flat(),
    ones(HUB_NAMES.model.outputNorm),
  ]);
}

/** config.json of a model of this shape, with the names of the Hugging Face hub. */
export function hubConfig(shape: TrainableShape, endOfText: number, storedAs: 'float16' | 'float32'): object {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: shape.vocabulary,
    hidden_size: shape.hidden,
    intermediate_size: shape.intermediate,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.keyHeads,
    head_dim: shape.headDim,
    hidden_act: 'silu',
    max_position_embeddings: shape.context,
    rms_norm_eps: shape.normEpsilon,
    rope_theta: shape.ropeBase,
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: true,
    eos_token_id: endOfText,
    torch_dtype: storedAs,
  };
}
