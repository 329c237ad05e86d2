// The weights of a model by our names, kept as they are stored; shapes are checked against the configuration.

import { DataError, UnsupportedError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { WeightFormat } from '../../kernels/index.ts';
import { quoted } from '../files/quoted.ts';
import { formatOf, readTensorBytes, readTensorNumbers, type StoredTensor } from '../files/stored-tensor.ts';
import type { ModelConfig } from './model-config.ts';
import type { StoredModel } from './stored-model.ts';
import type { LayerTensor, ModelTensor } from './tensor-names.ts';

/** A matrix as its file stores it: y = W x takes `cols` numbers to `rows`. */
export interface WeightMatrix {
  /** In the file, for messages. */
  name: string;
  format: WeightFormat;
  rows: number;
  cols: number;
  /** Rows one after the other, at a multiple of 4 bytes; may be a view of the mapped file, so it is not to be written. */
  bytes: Uint8Array;
}

export interface LayerWeights {
  /** Shape (hidden,). */
  attentionNorm: Float32Array;
  /** (heads · headDim, hidden): rows of head after head. */
  q: WeightMatrix;
  /** (keyHeads · headDim, hidden). */
  k: WeightMatrix;
  v: WeightMatrix;
  /** (hidden, heads · headDim). */
  output: WeightMatrix;
  /** (heads · headDim,), (keyHeads · headDim,) twice: there when `config.qkvBias`. */
  qBias?: Float32Array;
  kBias?: Float32Array;
  vBias?: Float32Array;
  /** (hidden,): there when `config.outputBias`. */
  outputBias?: Float32Array;
  /** (headDim,), the same for all heads: there when `config.qkNorm`. */
  qNorm?: Float32Array;
  kNorm?: Float32Array;
  /** (hidden,). */
  ffnNorm: Float32Array;
  /** (intermediate, hidden). */
  gate: WeightMatrix;
  up: WeightMatrix;
  /** (hidden, intermediate). */
  down: WeightMatrix;
}

export interface ModelWeights {
  /** (vocabulary, hidden): row t is token t. */
  tokenEmbedding: WeightMatrix;
  layers: readonly LayerWeights[];
  /** (hidden,). */
  outputNorm: Float32Array;
  /** (vocabulary, hidden): logits; the same object as `tokenEmbedding` when they are tied. */
  output: WeightMatrix;
}

/**
 * Checks names and shapes of all tensors, then brings in their bytes: views of a mapped file, else copies. Matrices stay quantised;
 * norms and biases become float32.
 *
 * @throws {DataError} a tensor is missing or of another shape than the configuration says, or the file is cut off
 * @throws {UnsupportedError} a format that is not computed with, or a tensor that the configuration does not know
 *
 * Time O(bytes) unless mapped; memory the bytes, unless mapped. Cancels and reports after every tensor.
 */
export async function loadWeights(model: StoredModel, options: RunOptions = {}): Promise<ModelWeights> {
  const { config } = model;
  const plan = checkWeights(model);
  const total = plan.reduce((sum, { tensor }) => sum + (tensor.bytes ?? 0), 0);
  let done = 0;
  const layers: Record<string, unknown>[] = Array.from({ length: config.layers }, () => ({}));
  const whole: Record<string, unknown> = {};
  for (const { slot, layer, tensor, cols, rows } of plan) {
    options.signal?.throwIfAborted();
    (layer === undefined ? whole : layers[layer])[slot] =
      rows === undefined
        ? await readTensorNumbers(tensor, options)
        : {
            ...{ name: tensor.name, format: formatOf(tensor), rows, cols },
            bytes: aligned(await readTensorBytes(tensor, options)),
          };
    done += tensor.bytes ?? 0;
    options.onProgress?.({ phase: 'reading weights', done, total });
  }
  if (config.tiedEmbeddings) whole.output = whole.tokenEmbedding;
  return { ...whole, layers } as unknown as ModelWeights;
}

/** As kernels read numbers. Files pad their headers as a rule, so that nothing is copied. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
}

/**
 * The tensors that `loadWeights` will read, found and of the right shapes and formats; none is read.
 *
 * @throws as `loadWeights`
 */
export function checkWeights(model: StoredModel): PlannedTensor[] {
  const plan = planTensors(model);
  refuseUnknown(model, new Set(plan.map(({ tensor }) => tensor.name)));
  return plan;
}

/** A tensor and its place among the weights. */
export interface PlannedTensor {
  slot: ModelTensor | LayerTensor;
  /** Undefined for those of the whole model. */
  layer: number | undefined;
  tensor: StoredTensor;
  /** Undefined for a vector. */
  rows: number | undefined;
  cols: number;
}

/** Every tensor the configuration asks for, found, of the right shape and of a format that is computed with. */
function planTensors({ config, tensors, naming }: StoredModel): PlannedTensor[] {
  const plan: PlannedTensor[] = [];
  const add = (slot: PlannedTensor['slot'], layer: number | undefined, name: string, shape: Shape): void => {
    const tensor = tensors.get(name);
    if (!tensor) {
      throw new DataError(
        `loadWeights: there is no tensor "${name}"; expected one of shape ${describe(shape.sizes)}. The file is incomplete or of another kind.`,
      );
    }
    if (tensor.shape.join() !== shape.sizes.join()) {
      throw new DataError(
        `loadWeights: tensor "${name}" has shape ${describe(tensor.shape)}; expected ${describe(shape.sizes)} = ${shape.meaning}. Weights and configuration do not belong together.`,
      );
    }
    formatOf(tensor);
    const [first, second] = shape.sizes;
    plan.push({ slot, layer, tensor, rows: second && first, cols: second ?? first });
  };
  const [whole, perLayer] = [modelShapes(config), Object.entries(layerShapes(config))];
  add('tokenEmbedding', undefined, naming.model.tokenEmbedding, whole.tokenEmbedding);
  for (let layer = 0; layer < config.layers; layer++) {
    for (const [slot, shape] of perLayer) {
      const own = slot as LayerTensor;
      add(own, layer, `${naming.layers}${layer}.${naming.layer[own]}`, shape);
    }
  }
  add('outputNorm', undefined, naming.model.outputNorm, whole.outputNorm);
  if (!config.tiedEmbeddings) add('output', undefined, naming.model.output, whole.output);
  return plan;
}

/** What a tensor holds that the configuration does not know would be left out of the computation: better to say so. */
function refuseUnknown({ config, tensors, naming }: StoredModel, known: ReadonlySet<string>): void {
  for (const name of tensors.keys()) {
    const copy = config.tiedEmbeddings && name === naming.model.output;
    if (known.has(name) || naming.unused.test(name) || copy) continue;
    throw new UnsupportedError(
      `loadWeights: the model has a tensor ${quoted(name)}, which a ${config.architecture} model of ${config.layers} layers has not; expected none that would be left out. Weights and configuration do not belong together, or the model is a variant that is not computed.`,
    );
  }
}

interface Shape {
  sizes: readonly number[];
  meaning: string;
}

function modelShapes({ vocabulary, hidden }: ModelConfig): Record<ModelTensor, Shape> {
  const embedding = { sizes: [vocabulary, hidden], meaning: '(vocabulary, hidden)' };
  return {
    tokenEmbedding: embedding,
    outputNorm: { sizes: [hidden], meaning: '(hidden)' },
    output: embedding,
  };
}

function layerShapes(config: ModelConfig): Partial<Record<LayerTensor, Shape>> {
  const { hidden, intermediate, heads, keyHeads, headDim } = config;
  const [queries, keys] = [heads * headDim, keyHeads * headDim];
  const matrix = (rows: number, cols: number, meaning: string): Shape => ({ sizes: [rows, cols], meaning });
  const vector = (length: number, meaning: string): Shape => ({ sizes: [length], meaning });
  const ofKeys = matrix(keys, hidden, '(key heads · head size, hidden)');
  const norm = vector(hidden, '(hidden)');
  const headNorm = vector(headDim, '(head size)');
  const keyBias = vector(keys, '(key heads · head size)');
  return {
    attentionNorm: norm,
    q: matrix(queries, hidden, '(heads · head size, hidden)'),
    k: ofKeys,
    v: ofKeys,
    output: matrix(hidden, queries, '(hidden, heads · head size)'),
    ...(config.qkvBias && { qBias: vector(queries, '(heads · head size)'), kBias: keyBias, vBias: keyBias }),
    ...(config.outputBias && { outputBias: norm }),
    ...(config.qkNorm && { qNorm: headNorm, kNorm: headNorm }),
    ffnNorm: norm,
    gate: matrix(intermediate, hidden, '(intermediate, hidden)'),
    up: matrix(intermediate, hidden, '(intermediate, hidden)'),
    down: matrix(hidden, intermediate, '(hidden, intermediate)'),
  };
}

function describe(sizes: readonly number[]): string {
  return `(${sizes.join(', ')})`;
}
