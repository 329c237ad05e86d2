// A model of the Llama family in float64, by the textbook: one token after another, every weight as a plain number. Slow and obvious; what the
// engine is held against.

import { dequantise } from '../kernels/index.ts';
import type { ModelConfig } from './model/model-config.ts';
import { ropeAngles } from './model/rope.ts';
import type { ModelWeights, WeightMatrix } from './model/weights.ts';

/**
 * Logits after each token, in float64.
 *
 * @returns one array of `vocabulary` logits a token
 *
 * Time O(tokens · weights + tokens² · layers · heads · headDim).
 */
export function oracleLogits(
  config: ModelConfig,
  weights: ModelWeights,
  tokens: ArrayLike<number>,
): Float64Array[] {
  const { heads, keyHeads, headDim, layers, slidingWindows, rope, attentionScale } = config;
  const past = Array.from({ length: layers }, () => ({
    keys: [] as Float64Array[],
    values: [] as Float64Array[],
  }));
  const { frequencies, amplitude } = ropeAngles(rope);
  const turned = (x: Float64Array, position: number) => {
    const pairs = frequencies.length;
    for (let head = 0; head < x.length / headDim; head++)
      for (let i = 0; i < pairs; i++) {
        const a = head * headDim + (rope.pairing === 'interleaved' ? 2 * i : i);
        const b = rope.pairing === 'interleaved' ? a + 1 : a + pairs;
        const [cos, sin] = [Math.cos(position * frequencies[i]), Math.sin(position * frequencies[i])];
        [x[a], x[b]] = [amplitude * (x[a] * cos - x[b] * sin), amplitude * (x[a] * sin + x[b] * cos)];
      }
    return x;
  };
  const norm = (x: Float64Array, weight: Float32Array) => {
    const size = weight.length;
    const out = new Float64Array(x.length);
    for (let start = 0; start < x.length; start += size) {
      let sum = 0;
      for (let c = 0; c < size; c++) sum += x[start + c] ** 2;
      const factor = 1 / Math.sqrt(sum / size + config.normEpsilon);
      for (let c = 0; c < size; c++) out[start + c] = x[start + c] * factor * weight[c];
    }
    return out;
  };
  const add = (to: Float64Array, x: Float64Array) =>
    x.forEach((value, c) => {
      to[c] += value;
    });
  return Array.from(tokens, (token, position) => {
    const state = Float64Array.from(
      numbersOf(weights.tokenEmbedding).subarray(token * config.hidden, (token + 1) * config.hidden),
    );
    weights.layers.forEach((layer, l) => {
      const input = norm(state, layer.attentionNorm);
      const [q, k] = [product(layer.q, input, layer.qBias), product(layer.k, input, layer.kBias)];
      const query = turned(layer.qNorm ? norm(q, layer.qNorm) : q, position);
      past[l].keys.push(turned(layer.kNorm ? norm(k, layer.kNorm) : k, position));
      past[l].values.push(product(layer.v, input, layer.vBias));
      const window = slidingWindows[l] ?? Infinity;
      const from = Math.max(0, position - window + 1);
      const attended = new Float64Array(heads * headDim);
      for (let head = 0; head < heads; head++) {
        const base = Math.floor((head * keyHeads) / heads) * headDim;
        const own = head * headDim;
        const scores = past[l].keys.slice(from).map((key) => {
          let sum = 0;
          for (let c = 0; c < headDim; c++) sum += query[own + c] * key[base + c];
          return attentionScale * sum;
        });
        const most = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - most));
        const total = shares.reduce((sum, share) => sum + share, 0);
        shares.forEach((share, j) => {
          for (let c = 0; c < headDim; c++)
            attended[own + c] += (share / total) * past[l].values[from + j][base + c];
        });
      }
      add(state, product(layer.output, attended, layer.outputBias));
      const inner = norm(state, layer.ffnNorm);
      const gate = product(layer.gate, inner);
      const up = product(layer.up, inner);
      add(
        state,
        product(
          layer.down,
          gate.map((x, c) => (x / (1 + Math.exp(-x))) * up[c]),
        ),
      );
    });
    return product(weights.output, norm(state, weights.outputNorm));
  });
}

const decoded = new WeakMap<WeightMatrix, Float32Array>();

function numbersOf(matrix: WeightMatrix): Float32Array {
  const known = decoded.get(matrix);
  if (known) return known;
  const numbers = new Float32Array(matrix.rows * matrix.cols);
  dequantise(matrix.format, matrix.bytes, 0, numbers.length, numbers);
  decoded.set(matrix, numbers);
  return numbers;
}

function product(matrix: WeightMatrix, x: Float64Array, bias?: Float32Array): Float64Array {
  const numbers = numbersOf(matrix);
  return Float64Array.from({ length: matrix.rows }, (_, row) => {
    let sum = bias?.[row] ?? 0;
    for (let c = 0; c < matrix.cols; c++) sum += numbers[row * matrix.cols + c] * x[c];
    return sum;
  });
}
