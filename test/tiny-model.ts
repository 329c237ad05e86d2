// For tests: whole models of the Llama family, small and with random weights, as a GGUF file and as a hub folder.

import { WEIGHT_FORMATS, type WeightFormat, weightBytes } from '../src/kernels/index.ts';
import type { ByteSource } from '../src/llm/files/byte-source.ts';
import { bytesSource } from '../src/llm/files/byte-source.ts';
import { GGUF_NAMES, HUB_NAMES, type LayerTensor, type TensorNaming } from '../src/llm/model/tensor-names.ts';
import { randomFloats } from './each-backend.ts';
import { type GgufTensorToWrite, type GgufWritable, writeGguf } from './gguf-writer.ts';

export interface TinyModelOptions {
  architecture?: string;
  layers?: number;
  hidden?: number;
  intermediate?: number;
  heads?: number;
  keyHeads?: number;
  headDim?: number;
  vocabulary?: number;
  tied?: boolean;
  qkvBias?: boolean;
  outputBias?: boolean;
  qkNorm?: boolean;
  /** Of all matrices; norms and biases are F32. */
  format?: WeightFormat;
  seed?: number;
}

type Sizes = Required<TinyModelOptions>;

export interface TinyTensor {
  name: string;
  type: WeightFormat;
  shape: readonly number[];
  bytes: Uint8Array;
}

function complete(options: TinyModelOptions): Sizes {
  return {
    ...{ architecture: 'llama', layers: 2, hidden: 64, intermediate: 96, heads: 4, keyHeads: 2, headDim: 16 },
    ...{
      vocabulary: 40,
      tied: false,
      qkvBias: false,
      outputBias: false,
      qkNorm: false,
      format: 'F32',
      seed: 1,
    },
    ...options,
  } as Sizes;
}

/** Every tensor of the model, with the names of either kind of file. */
export function tinyTensors(options: TinyModelOptions, naming: TensorNaming): TinyTensor[] {
  const sizes = complete(options);
  const { layers, hidden, vocabulary, intermediate, heads, keyHeads, headDim } = sizes;
  const [queries, keys] = [heads * headDim, keyHeads * headDim];
  let seed = sizes.seed;
  const make = (name: string, shape: readonly number[]): TinyTensor => {
    const type = shape.length === 1 ? 'F32' : sizes.format;
    return { name, type, shape, bytes: randomWeights(type, shape, seed++) };
  };
  const layer: Partial<Record<LayerTensor, readonly number[]>> = {
    attentionNorm: [hidden],
    q: [queries, hidden],
    k: [keys, hidden],
    v: [keys, hidden],
    output: [hidden, queries],
    ...(sizes.qkvBias && { qBias: [queries], kBias: [keys], vBias: [keys] }),
    ...(sizes.outputBias && { outputBias: [hidden] }),
    ...(sizes.qkNorm && { qNorm: [headDim], kNorm: [headDim] }),
    ffnNorm: [hidden],
    gate: [intermediate, hidden],
    up: [intermediate, hidden],
    down: [hidden, intermediate],
  };
  return [
    make(naming.model.tokenEmbedding, [vocabulary, hidden]),
    ...Array.from({ length: layers }, (_, i) =>
      Object.entries(layer).map(([slot, shape]) =>
        make(`${naming.layers}${i}.${naming.layer[slot as LayerTensor]}`, shape),
      ),
    ).flat(),
    make(naming.model.outputNorm, [hidden]),
    ...(sizes.tied ? [] : [make(naming.model.output, [vocabulary, hidden])]),
  ];
}

/** A whole GGUF file. @param more - further values, by full name @param change - of the tensors, before they are written */
export function tinyGguf(
  options: TinyModelOptions = {},
  more: Readonly<Record<string, GgufWritable | undefined>> = {},
  change: (tensors: GgufTensorToWrite[]) => GgufTensorToWrite[] = (tensors) => tensors,
): Uint8Array {
  const sizes = complete(options);
  const family = sizes.architecture;
  const integer = (value: number): GgufWritable => ({ type: 'uint32', value });
  const metadata: Record<string, GgufWritable | undefined> = {
    'general.architecture': { type: 'string', value: family },
    [`${family}.block_count`]: integer(sizes.layers),
    [`${family}.context_length`]: integer(512),
    [`${family}.embedding_length`]: integer(sizes.hidden),
    [`${family}.feed_forward_length`]: integer(sizes.intermediate),
    [`${family}.attention.head_count`]: integer(sizes.heads),
    [`${family}.attention.head_count_kv`]: integer(sizes.keyHeads),
    [`${family}.attention.key_length`]: integer(sizes.headDim),
    [`${family}.attention.layer_norm_rms_epsilon`]: { type: 'float64', value: 1e-5 },
    [`${family}.vocab_size`]: integer(sizes.vocabulary),
    ...more,
  };
  const given = Object.entries(metadata).filter(
    (entry): entry is [string, GgufWritable] => entry[1] !== undefined,
  );
  return writeGguf({ metadata: Object.fromEntries(given), tensors: change(tinyTensors(sizes, GGUF_NAMES)) });
}

/** config.json of the same model. @param more - further fields; undefined takes one away */
export function tinyHubConfig(options: TinyModelOptions = {}, more: object = {}): object {
  const sizes = complete(options);
  const config = {
    ...{ model_type: sizes.architecture, hidden_size: sizes.hidden, intermediate_size: sizes.intermediate },
    ...{
      num_hidden_layers: sizes.layers,
      num_attention_heads: sizes.heads,
      num_key_value_heads: sizes.keyHeads,
    },
    ...{ head_dim: sizes.headDim, vocab_size: sizes.vocabulary, tie_word_embeddings: sizes.tied },
    ...{ max_position_embeddings: 512, rms_norm_eps: 1e-5, attention_bias: sizes.outputBias },
    ...more,
  };
  return JSON.parse(JSON.stringify(config));
}

/** Finds config.json and the weights in one .safetensors file, or in `shards` of them with an index. */
export function tinyHubFolder(
  options: TinyModelOptions = {},
  more: object = {},
  shards = 1,
): Map<string, ByteSource> {
  const tensors = tinyTensors(options, HUB_NAMES);
  const files = new Map<string, Uint8Array>();
  files.set('config.json', json(tinyHubConfig(options, more)));
  if (shards === 1) files.set('model.safetensors', writeShard(tensors));
  else {
    const weight_map: Record<string, string> = {};
    for (let shard = 0; shard < shards; shard++) {
      const part = tensors.filter((_, i) => i % shards === shard);
      const name = `model-${shard + 1}-of-${shards}.safetensors`;
      files.set(name, writeShard(part));
      for (const tensor of part) weight_map[tensor.name] = name;
    }
    files.set('model.safetensors.index.json', json({ metadata: { total_size: 0 }, weight_map }));
  }
  return new Map([...files].map(([name, bytes]) => [name, bytesSource(bytes, name)]));
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** A .safetensors file; its writer in src/data knows F32 matrices only. */
function writeShard(tensors: readonly TinyTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, type, shape, bytes }) => {
    const from = end;
    end += bytes.length;
    return [name, { dtype: type, shape, data_offsets: [from, end] }];
  });
  const header = json(Object.fromEntries(entries));
  const out = new Uint8Array(8 + header.length + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
  out.set(header, 8);
  let at = 8 + header.length;
  for (const { bytes } of tensors) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** Random blocks with scales of a sensible size: entries are finite, mostly below 1. */
export function randomWeights(format: WeightFormat, shape: readonly number[], seed: number): Uint8Array {
  const cols = shape.at(-1) ?? 1;
  const rows = shape.length === 1 ? 1 : shape[0];
  const numbers = randomFloats(rows * cols, seed);
  if (format === 'F32') return new Uint8Array(numbers.buffer);
  const bytes = new Uint8Array(weightBytes(format, rows, cols));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = (i * 131 + seed * 29 + (numbers[i % numbers.length] + 1) * 128) & 255;
  const block = WEIGHT_FORMATS[format].bytes;
  for (const at of HALVES[format])
    for (let i = at; i < bytes.length; i += block) view.setUint16(i, halfNear(i, format), true);
  return bytes;
}

/** Bytes of a block where a half stands. */
const HALVES: Readonly<Record<WeightFormat, readonly number[]>> = {
  ...{ F32: [], F16: [0], BF16: [0], Q8_0: [0], Q4_0: [0], Q4_1: [0, 2], Q5_0: [0], Q5_1: [0, 2] },
  ...{ Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] },
};

/** Bits of a number of about 2⁻⁷ in half precision, of about 1 for bfloat16; plain numbers of either sign, scales > 0. */
function halfNear(i: number, format: WeightFormat): number {
  const sign = WEIGHT_FORMATS[format].entries === 1 && (i * 7919) & 64 ? 0x8000 : 0;
  return sign | (format === 'BF16' ? 0x3e00 | (i & 0x1ff) : 0x1c00 | (i & 0x3ff));
}
