// What the engine must know of a model of the Llama family, whatever file says it.

import { DataError } from '../../core/errors.ts';
import { type KeyValueStorage, rowBytes } from '../../kernels/index.ts';
import type { RopeConfig } from './rope.ts';

/** Families that are computed: attention with rotary positions, RMS norms before each part, a gated SiLU network. */
export const ARCHITECTURES = ['llama', 'mistral', 'qwen2', 'qwen3'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export interface ModelConfig {
  /** As the file calls it: GGUF files of Mistral and SmolLM2 say "llama". */
  architecture: Architecture;
  /** The model's own name, where the file tells it. */
  name: string | undefined;
  layers: number;
  /** Numbers in a token's state. */
  hidden: number;
  /** Numbers within the gated network. */
  intermediate: number;
  /** Query heads; a multiple of `keyHeads`. */
  heads: number;
  /** Heads of keys and values; heads / keyHeads query heads in a row share one. */
  keyHeads: number;
  /** Numbers of a query, key or value. */
  headDim: number;
  /** Tokens the model can name: rows of the embedding. */
  vocabulary: number;
  /** Positions it was trained for, scaling included. */
  context: number;
  /** ε of all RMS norms: x · weight / √(mean x² + ε). */
  normEpsilon: number;
  rope: RopeConfig;
  /** Per layer: a token sees itself and this many − 1 tokens before it; null: all. */
  slidingWindows: readonly (number | null)[];
  /** The output matrix is the embedding. */
  tiedEmbeddings: boolean;
  /** Queries, keys and values have biases. */
  qkvBias: boolean;
  /** The attention's output has a bias. */
  outputBias: boolean;
  /** Each head's queries and keys pass an RMS norm of their own before they turn. */
  qkNorm: boolean;
  /** Multiplies ⟨q, k⟩: 1 / √headDim as a rule. */
  attentionScale: number;
}

/** @throws {DataError} sizes that do not go together @returns `config` */
export function requireConsistent(where: string, config: ModelConfig): ModelConfig {
  const { heads, keyHeads, headDim, layers, slidingWindows, rope } = config;
  const refuse = (what: string): never => {
    throw new DataError(`${where}: ${what} The model's configuration is damaged.`);
  };
  if (heads % keyHeads !== 0) {
    refuse(`there are ${heads} query heads and ${keyHeads} key heads; expected a multiple.`);
  }
  if (rope.dims % 2 !== 0 || rope.dims > headDim) {
    refuse(
      `${rope.dims} entries of a head of ${headDim} turn; expected an even number of them, at most all.`,
    );
  }
  if (rope.divisors && rope.divisors.length !== rope.dims / 2) {
    refuse(`there are ${rope.divisors.length} divisors of angles; expected ${rope.dims / 2}, one a pair.`);
  }
  if (slidingWindows.length !== layers) {
    refuse(`windows are given for ${slidingWindows.length} layers; expected ${layers}.`);
  }
  return config;
}

/** Bytes that keys and values of one token take in all layers of a full cache. */
export function cacheBytesPerToken(
  { layers, keyHeads, headDim }: ModelConfig,
  storage: KeyValueStorage,
): number {
  return layers * keyHeads * (rowBytes(storage, 'keys', headDim) + rowBytes(storage, 'values', headDim));
}
