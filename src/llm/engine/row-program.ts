// A model's layers for a fixed number of rows, as steps of the kernels that were checked once. What attention does lies between two segments:
// a segment ends with a layer's queries, keys and values, and the next begins with the output of its attention.

import type { KernelStep, Kernels, LinearWeight, PreparedSteps } from '../../kernels/index.ts';
import { rotaryTable } from '../../kernels/index.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { ropeAngles } from '../model/rope.ts';
import type { LayerWeights, ModelWeights, WeightMatrix } from '../model/weights.ts';

/** How rows meet weights: 'int8' rounds their entries to bytes in groups of 32, as llama.cpp does. */
export type Activations = 'float32' | 'int8';

export interface ProgramModel {
  config: ModelConfig;
  weights: ModelWeights;
  activations: Activations;
}

export class RowProgram {
  readonly rows: number;
  /** State of each row, shape (rows, hidden). */
  readonly state: Float32Array;
  /** Of the layer whose turn it is, shapes (rows, heads · headDim) and (rows, keyHeads · headDim). */
  readonly queries: Float32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** To be filled in by attention, shape (rows, heads · headDim). */
  readonly attended: Float32Array;
  private readonly model: ProgramModel;
  private readonly kernels: Kernels;
  private readonly normed: Float32Array;
  private readonly gate: Float32Array;
  private readonly up: Float32Array;
  private readonly cos: Float32Array;
  private readonly sin: Float32Array;
  private readonly frequencies: Float64Array;
  private readonly amplitude: number;
  private readonly tokens: Uint32Array;
  private readonly embedding: PreparedSteps;
  /** Segment l ends with the queries, keys and values of layer l, the last with the normed state of the last. */
  private readonly segments: PreparedSteps[];
  private logitSteps: { steps: PreparedSteps; logits: Float32Array } | undefined;

  constructor(model: ProgramModel, kernels: Kernels, rows: number) {
    const { config, weights } = model;
    const { hidden, heads, keyHeads, headDim, intermediate, rope, layers } = config;
    const floats = (width: number) => new Float32Array(rows * width);
    this.rows = rows;
    this.model = model;
    this.kernels = kernels;
    this.state = floats(hidden);
    this.normed = floats(hidden);
    this.queries = floats(heads * headDim);
    this.keys = floats(keyHeads * headDim);
    this.values = floats(keyHeads * headDim);
    this.attended = floats(heads * headDim);
    this.gate = floats(intermediate);
    this.up = floats(intermediate);
    this.cos = floats(rope.dims / 2);
    this.sin = floats(rope.dims / 2);
    this.tokens = new Uint32Array(rows);
    const { frequencies, amplitude } = ropeAngles(rope);
    this.frequencies = frequencies;
    this.amplitude = amplitude;
    const { format, bytes, rows: vocabulary, cols } = weights.tokenEmbedding;
    this.embedding = kernels.prepare([
      {
        kernel: 'dequantiseRows',
        task: { format, data: bytes, storedRows: vocabulary, cols, rows: this.tokens, out: this.state },
      },
    ]);
    this.segments = Array.from({ length: layers + 1 }, (_, layer) =>
      kernels.prepare([
        ...(layer > 0 ? this.endOf(weights.layers[layer - 1]) : []),
        ...(layer < layers
          ? this.startOf(weights.layers[layer])
          : [this.norm(this.state, weights.outputNorm)]),
      ]),
    );
  }

  /** Sets the rows' states to the embeddings of tokens. @param tokens - shape (rows,), each below the vocabulary */
  async embed(tokens: ArrayLike<number>): Promise<void> {
    this.tokens.set(tokens);
    await this.embedding.run();
  }

  /** @param positions - of the rows in their sequences, shape (rows,) */
  place(positions: ArrayLike<number>): void {
    rotaryTable(positions, this.frequencies, { cos: this.cos, sin: this.sin }, this.amplitude);
  }

  /** Ends the layer before (which takes `attended`) and begins layer `layer`; that after the last one ends the model. */
  run(layer: number): Promise<void> {
    return this.segments[layer].run();
  }

  /** After the last segment. @returns shape (rows, vocabulary), overwritten by the next call */
  async logits(): Promise<Float32Array> {
    this.logitSteps ??= this.prepareLogits();
    await this.logitSteps.steps.run();
    return this.logitSteps.logits;
  }

  /** After the last segment: the normed states, shape (rows, hidden). */
  get output(): Float32Array {
    return this.normed;
  }

  private prepareLogits(): { steps: PreparedSteps; logits: Float32Array } {
    const { output } = this.model.weights;
    const logits = new Float32Array(this.rows * output.rows);
    return {
      logits,
      steps: this.kernels.prepare([this.linear(this.normed, output.cols, [this.weightOf(output, logits)])]),
    };
  }

  /** Up to queries, keys and values. */
  private startOf(layer: LayerWeights): KernelStep[] {
    const { hidden, heads, keyHeads, headDim, rope } = this.model.config;
    const { queries, keys, values, rows, cos, sin } = this;
    const turn = (x: Float32Array, count: number): KernelStep => ({
      kernel: 'rotary',
      task: {
        ...{ x, rows, heads: count, dim: headDim, pairs: rope.dims / 2, cos, sin },
        pairing: rope.pairing === 'interleaved' ? 'interleaved' : 'halves',
      },
    });
    const headNorm = (x: Float32Array, weight: Float32Array | undefined): KernelStep[] =>
      weight ? [this.norm(x, weight, x)] : [];
    return [
      this.norm(this.state, layer.attentionNorm),
      this.linear(this.normed, hidden, [
        this.weightOf(layer.q, queries, layer.qBias),
        this.weightOf(layer.k, keys, layer.kBias),
        this.weightOf(layer.v, values, layer.vBias),
      ]),
      ...headNorm(queries, layer.qNorm),
      ...headNorm(keys, layer.kNorm),
      turn(queries, heads),
      turn(keys, keyHeads),
    ];
  }

  /** From the output of attention. */
  private endOf(layer: LayerWeights): KernelStep[] {
    const { hidden, heads, headDim, intermediate } = this.model.config;
    const { gate, up } = this;
    const added = (weight: WeightMatrix, bias?: Float32Array) => ({
      ...this.weightOf(weight, this.state, bias),
      accumulate: true,
    });
    return [
      this.linear(this.attended, heads * headDim, [added(layer.output, layer.outputBias)]),
      this.norm(this.state, layer.ffnNorm),
      this.linear(this.normed, hidden, [this.weightOf(layer.gate, gate), this.weightOf(layer.up, up)]),
      { kernel: 'siluProduct', task: { gate, up, out: gate } },
      this.linear(gate, intermediate, [added(layer.down)]),
    ];
  }

  private norm(x: Float32Array, weight: Float32Array, out = this.normed): KernelStep {
    const cols = weight.length;
    const epsilon = this.model.config.normEpsilon;
    return { kernel: 'rmsNorm', task: { x, rows: x.length / cols, cols, weight, epsilon, out } };
  }

  private linear(x: Float32Array, cols: number, weights: LinearWeight[]): KernelStep {
    return {
      kernel: 'linear',
      task: { x, rows: this.rows, cols, weights, activations: this.model.activations },
    };
  }

  private weightOf(
    { format, bytes, rows }: WeightMatrix,
    y: Float32Array,
    bias?: Float32Array,
  ): LinearWeight {
    return { format, data: bytes, outputs: rows, bias, y, owner: this.model.weights };
  }
}
