// Loss and gradients of the network by hand, on the project's kernels: what nextTokenLoss in jax-js says, several times as fast.
// Tokens are rows: M = rows · length of them. A weight W, shape (outputs, inputs), gives y = x Wᵀ, dx = dy W, dW = dyᵀ x.

import type { Kernels } from '../../kernels/index.ts';
import type { Tensors } from '../../training/index.ts';
import { HUB_NAMES } from '../model/tensor-names.ts';
import { fromHeads, normGradient, siluGradients, softmaxLoss, toHeads } from './gradient-steps.ts';
import { layerTensor, type TrainableShape } from './model-shape.ts';

/** What the backward pass needs of one layer. */
interface LayerTape {
  /** Residual stream before attention and before the feed-forward part, and both after their norms, shape (M, hidden). */
  input: Float32Array;
  inputNorm: Float32Array;
  middle: Float32Array;
  middleNorm: Float32Array;
  /** Turned, shape (rows · heads, length, headDim), and the same of key heads. */
  queries: Float32Array;
  keys: Float32Array;
  values: Float32Array;
  attended: Float32Array;
  lse: Float64Array;
  /** `attended` by tokens, shape (M, hidden). */
  joined: Float32Array;
  /** Shape (M, intermediate). */
  gate: Float32Array;
  up: Float32Array;
  product: Float32Array;
}

export class NetworkGradients {
  private readonly kernels: Kernels;
  private readonly shape: TrainableShape;
  private readonly rows: number;
  private readonly length: number;
  private readonly tapes: LayerTape[];
  private readonly last: Float32Array;
  private readonly lastNorm: Float32Array;
  private readonly logits: Float32Array;
  /** Scratch of the backward pass. */
  private readonly stream: Float32Array;
  private readonly normed: Float32Array;
  private readonly byTokens: Float32Array;
  private readonly byKeys: Float32Array;
  private readonly byHeads: Float32Array;
  private readonly forQueries: Float32Array;
  private readonly forKeys: Float32Array;
  private readonly forValues: Float32Array;
  private readonly forProduct: Float32Array;
  private readonly forUp: Float32Array;

  /** Takes all memory that steps of `rows` rows of `length` tokens need. */
  constructor(kernels: Kernels, shape: TrainableShape, rows: number, length: number) {
    const { hidden, intermediate, layers, heads, keyHeads, headDim, vocabulary } = shape;
    const tokens = rows * length;
    this.kernels = kernels;
    this.shape = shape;
    this.rows = rows;
    this.length = length;
    const wide = () => new Float32Array(tokens * hidden);
    const narrow = () => new Float32Array(tokens * keyHeads * headDim);
    const inner = () => new Float32Array(tokens * intermediate);
    this.tapes = Array.from({ length: layers }, () => ({
      ...{ input: wide(), inputNorm: wide(), middle: wide(), middleNorm: wide() },
      ...{ queries: wide(), keys: narrow(), values: narrow(), attended: wide(), joined: wide() },
      ...{ lse: new Float64Array(tokens * heads), gate: inner(), up: inner(), product: inner() },
    }));
    [this.last, this.lastNorm, this.stream, this.normed] = [wide(), wide(), wide(), wide()];
    [this.byTokens, this.byHeads, this.forQueries] = [wide(), wide(), wide()];
    [this.byKeys, this.forKeys, this.forValues] = [narrow(), narrow(), narrow()];
    [this.forProduct, this.forUp] = [inner(), inner()];
    this.logits = new Float32Array(tokens * vocabulary);
  }

  /**
   * The loss of a batch, and its gradients.
   *
   * @param batch - as `tokenBatch` makes it
   * @param gradients - overwritten; names and shapes of the weights
   * @returns Σ weight · −ln p(target), nats
   *
   * Time O(M · weights + M · length · hidden · layers).
   */
  async run(weights: Tensors, batch: Tensors, gradients: Tensors): Promise<number> {
    const { hidden, vocabulary, layers } = this.shape;
    const tokens = this.rows * this.length;
    const rotation = this.rotation(batch);
    const embedding = weights[HUB_NAMES.model.tokenEmbedding].data;
    const ids = batch.inputs.data;
    let x = this.tapes[0]?.input ?? this.last;
    for (let i = 0; i < tokens; i++)
      x.set(embedding.subarray(ids[i] * hidden, (ids[i] + 1) * hidden), i * hidden);
    for (let l = 0; l < layers; l++) {
      const out = this.tapes[l + 1]?.input ?? this.last;
      await this.forward(this.tapes[l], weights, l, rotation, out);
      x = out;
    }
    const lastGain = weights[HUB_NAMES.model.outputNorm].data;
    await this.norm(this.last, lastGain, this.lastNorm);
    await this.multiply(this.lastNorm, embedding, this.logits, hidden);
    const loss = await softmaxLoss(
      this.kernels,
      this.logits,
      vocabulary,
      batch.targets.data,
      batch.weights.data,
    );

    for (const { data } of Object.values(gradients)) data.fill(0);
    const forEmbedding = gradients[HUB_NAMES.model.tokenEmbedding].data;
    const logitsGradient = this.logits;
    await this.multiplyBack(logitsGradient, embedding, this.normed, hidden, false);
    await this.weightGradient(logitsGradient, this.lastNorm, forEmbedding, hidden);
    this.stream.fill(0);
    const forGain = gradients[HUB_NAMES.model.outputNorm].data;
    normGradient(this.last, lastGain, this.normed, this.shape.normEpsilon, this.stream, forGain);
    for (let l = layers - 1; l >= 0; l--) await this.backward(this.tapes[l], weights, gradients, l, rotation);
    for (let i = 0; i < tokens; i++) {
      const row = ids[i] * hidden;
      for (let c = 0; c < hidden; c++) forEmbedding[row + c] += this.stream[i * hidden + c];
    }
    return loss;
  }

  private async forward(
    tape: LayerTape,
    weights: Tensors,
    layer: number,
    rotation: Rotation,
    out: Float32Array,
  ): Promise<void> {
    const { hidden, intermediate, heads, keyHeads, headDim } = this.shape;
    const { rows, length, kernels } = this;
    const of = (tensor: Parameters<typeof layerTensor>[1]) => weights[layerTensor(layer, tensor)].data;
    await this.norm(tape.input, of('attentionNorm'), tape.inputNorm);
    const layout = { rows, length, headDim };
    await this.multiply(tape.inputNorm, of('q'), this.byTokens, hidden);
    await this.turn(this.byTokens, heads, rotation.cos, rotation.sin);
    toHeads(this.byTokens, { ...layout, heads }, tape.queries);
    await this.multiply(tape.inputNorm, of('k'), this.byKeys, hidden);
    await this.turn(this.byKeys, keyHeads, rotation.cos, rotation.sin);
    toHeads(this.byKeys, { ...layout, heads: keyHeads }, tape.keys);
    await this.multiply(tape.inputNorm, of('v'), this.byKeys, hidden);
    toHeads(this.byKeys, { ...layout, heads: keyHeads }, tape.values);
    await kernels.attention({ ...this.attentionOf(tape), out: tape.attended, lse: tape.lse });
    fromHeads(tape.attended, { ...layout, heads }, tape.joined);
    tape.middle.set(tape.input);
    await this.multiply(tape.joined, of('output'), tape.middle, hidden, true);
    await this.norm(tape.middle, of('ffnNorm'), tape.middleNorm);
    await this.multiply(tape.middleNorm, of('gate'), tape.gate, hidden);
    await this.multiply(tape.middleNorm, of('up'), tape.up, hidden);
    await kernels.siluProduct({ gate: tape.gate, up: tape.up, out: tape.product });
    out.set(tape.middle);
    await this.multiply(tape.product, of('down'), out, intermediate, true);
  }

  /** `stream` holds the gradient after the layer, and then the one before it. */
  private async backward(
    tape: LayerTape,
    weights: Tensors,
    gradients: Tensors,
    layer: number,
    rotation: Rotation,
  ): Promise<void> {
    const { hidden, intermediate, heads, keyHeads, headDim, normEpsilon } = this.shape;
    const { rows, length, stream, normed } = this;
    const of = (tensor: Parameters<typeof layerTensor>[1]) => weights[layerTensor(layer, tensor)].data;
    const into = (tensor: Parameters<typeof layerTensor>[1]) => gradients[layerTensor(layer, tensor)].data;
    // Feed-forward part.
    await this.weightGradient(stream, tape.product, into('down'), intermediate);
    await this.multiplyBack(stream, of('down'), this.forProduct, intermediate, false);
    await siluGradients(this.kernels, tape, this.forProduct, this.forUp);
    const forGate = this.forProduct;
    await this.weightGradient(forGate, tape.middleNorm, into('gate'), hidden);
    await this.weightGradient(this.forUp, tape.middleNorm, into('up'), hidden);
    await this.multiplyBack(forGate, of('gate'), normed, hidden, false);
    await this.multiplyBack(this.forUp, of('up'), normed, hidden, true);
    normGradient(tape.middle, of('ffnNorm'), normed, normEpsilon, stream, into('ffnNorm'));
    // Attention.
    await this.weightGradient(stream, tape.joined, into('output'), hidden);
    await this.multiplyBack(stream, of('output'), this.byTokens, hidden, false);
    const layout = { rows, length, headDim };
    toHeads(this.byTokens, { ...layout, heads }, this.byHeads);
    await this.kernels.attentionBackward({
      ...this.attentionOf(tape),
      ...{ out: tape.attended, lse: tape.lse, outGradient: this.byHeads },
      ...{ queryGradient: this.forQueries, keyGradient: this.forKeys, valueGradient: this.forValues },
    });
    fromHeads(this.forQueries, { ...layout, heads }, this.byTokens);
    await this.turn(this.byTokens, heads, rotation.cos, rotation.back);
    await this.weightGradient(this.byTokens, tape.inputNorm, into('q'), hidden);
    await this.multiplyBack(this.byTokens, of('q'), normed, hidden, false);
    fromHeads(this.forKeys, { ...layout, heads: keyHeads }, this.byKeys);
    await this.turn(this.byKeys, keyHeads, rotation.cos, rotation.back);
    await this.weightGradient(this.byKeys, tape.inputNorm, into('k'), hidden);
    await this.multiplyBack(this.byKeys, of('k'), normed, hidden, true);
    fromHeads(this.forValues, { ...layout, heads: keyHeads }, this.byKeys);
    await this.weightGradient(this.byKeys, tape.inputNorm, into('v'), hidden);
    await this.multiplyBack(this.byKeys, of('v'), normed, hidden, true);
    normGradient(tape.input, of('attentionNorm'), normed, normEpsilon, stream, into('attentionNorm'));
  }

  private attentionOf({ queries, keys, values }: LayerTape) {
    const { heads, keyHeads, headDim } = this.shape;
    return {
      ...{ queries, keys, values, heads: this.rows * heads, keyHeads: this.rows * keyHeads },
      ...{ queryRows: this.length, keyRows: this.length, dim: headDim, valueDim: headDim },
      ...{ scale: 1 / Math.sqrt(headDim), causalOffset: 0 },
    };
  }

  private norm(x: Float32Array, weight: Float32Array, out: Float32Array): Promise<void> {
    const [rows, cols] = [this.rows * this.length, this.shape.hidden];
    return this.kernels.rmsNorm({ x, rows, cols, weight, epsilon: this.shape.normEpsilon, out });
  }

  private turn(x: Float32Array, heads: number, cos: Float32Array, sin: Float32Array): Promise<void> {
    const { headDim } = this.shape;
    return this.kernels.rotary({
      ...{ x, rows: this.rows * this.length, heads, dim: headDim },
      ...{ pairs: headDim / 2, pairing: 'halves', cos, sin },
    });
  }

  /** y = x Wᵀ, or y += x Wᵀ. */
  private multiply(x: Float32Array, w: Float32Array, y: Float32Array, inputs: number, accumulate = false) {
    const m = this.rows * this.length;
    return this.kernels.gemm({
      ...{ m, n: w.length / inputs, k: inputs, a: x, b: w, c: y, transposeB: true, accumulate },
    });
  }

  /** dx = dy W, or dx += dy W. */
  private multiplyBack(
    dy: Float32Array,
    w: Float32Array,
    dx: Float32Array,
    inputs: number,
    accumulate: boolean,
  ) {
    const m = this.rows * this.length;
    return this.kernels.gemm({ m, n: inputs, k: w.length / inputs, a: dy, b: w, c: dx, accumulate });
  }

  /** dW = dyᵀ x. */
  private weightGradient(dy: Float32Array, x: Float32Array, dw: Float32Array, inputs: number) {
    const k = this.rows * this.length;
    return this.kernels.gemm({
      ...{ m: dw.length / inputs, n: inputs, k, a: dy, b: x, c: dw, transposeA: true },
    });
  }

  /** The tables of positions, once for each row of the batch; turning back takes the sine with the other sign. */
  private rotation({ cos, sin }: Tensors): Rotation {
    const tile = (data: Float32Array) => {
      const all = new Float32Array(this.rows * data.length);
      for (let row = 0; row < this.rows; row++) all.set(data, row * data.length);
      return all;
    };
    return { cos: tile(cos.data), sin: tile(sin.data), back: tile(sin.data.map((x) => -x)) };
  }
}

interface Rotation {
  cos: Float32Array;
  sin: Float32Array;
  back: Float32Array;
}
