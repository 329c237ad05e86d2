// The forward pass of a model, exact, slow and obvious: every token against all before it, in float64. What engines are held against.

import { requireInteger } from '../../core/check.ts';
import { dequantise } from '../../kernels/index.ts';
import type { ModelConfig } from './model-config.ts';
import { type RopeConfig, ropeAngles } from './rope.ts';
import type { LayerWeights, ModelWeights, WeightMatrix } from './weights.ts';

/** A list of rows of one length. */
type Rows = Float64Array[];

/**
 * Logits after every token of one text.
 *
 * @param tokens - shape (n,), each below `config.vocabulary`
 * @returns n rows of shape (vocabulary,): row i for the token after token i
 * @throws {InvalidArgumentError} no such token
 *
 * Time O(n · parameters + n² · heads · headDim · layers) with a large constant: for models of a few million parameters.
 */
export function oracleLogits(config: ModelConfig, weights: ModelWeights, tokens: ArrayLike<number>): Rows {
  const embedding = numbersOf(weights.tokenEmbedding);
  const output = weights.output === weights.tokenEmbedding ? embedding : numbersOf(weights.output);
  let state: Rows = Array.from(tokens, (token, i) => {
    requireInteger(`oracleLogits: tokens[${i}]`, token, 0, config.vocabulary - 1);
    return Float64Array.from(embedding[token], (x) => x * config.embeddingScale);
  });
  for (const [i, layer] of weights.layers.entries()) {
    const attended = attend(
      config,
      layer,
      config.slidingWindows[i],
      normalise(state, layer.attentionNorm, config),
    );
    state = add(state, attended, config.residualScale);
    const inner = normalise(state, layer.ffnNorm, config);
    const [gate, up] = [multiply(layer.gate, inner), multiply(layer.up, inner)];
    const gated = gate.map((row, t) => row.map((x, j) => (x / (1 + Math.exp(-x))) * up[t][j]));
    state = add(state, multiply(layer.down, gated), config.residualScale);
  }
  const last = normalise(state, weights.outputNorm, config);
  return last.map((row) => Float64Array.from(output, (weight) => dot(weight, row) * config.logitScale));
}

function attend(config: ModelConfig, layer: LayerWeights, window: number | null, input: Rows): Rows {
  const { heads, keyHeads, attentionScale } = config;
  const queries = headsOf(config, heads, multiply(layer.q, input, layer.qBias), layer.qNorm, true);
  const keys = headsOf(config, keyHeads, multiply(layer.k, input, layer.kBias), layer.kNorm, true);
  const values = headsOf(config, keyHeads, multiply(layer.v, input, layer.vBias), undefined, false);
  const joined = input.map((_, t) => {
    const first = window === null ? 0 : Math.max(0, t - window + 1);
    const answers = queries[t].map((query, head) => {
      const shared = Math.floor(head / (heads / keyHeads));
      const seen = Array.from({ length: t + 1 - first }, (_, i) => first + i);
      const scores = seen.map((s) => dot(query, keys[s][shared]) * attentionScale);
      const largest = scores.reduce((a, b) => Math.max(a, b));
      const shares = scores.map((score) => Math.exp(score - largest));
      const total = shares.reduce((a, b) => a + b);
      return query.map((_, j) =>
        seen.reduce((sum, s, i) => sum + (shares[i] / total) * values[s][shared][j], 0),
      );
    });
    return Float64Array.from(answers.flatMap((answer) => [...answer]));
  });
  return multiply(layer.output, joined, layer.outputBias);
}

/** Each row cut into heads; normed, then turned by its position, where that applies. */
function headsOf(
  config: ModelConfig,
  heads: number,
  rows: Rows,
  norm: Float32Array | undefined,
  turns: boolean,
): Rows[] {
  const { headDim, rope } = config;
  return rows.map((row, position) =>
    Array.from({ length: heads }, (_, head) => {
      const own = row.slice(head * headDim, (head + 1) * headDim);
      const [normed] = norm ? normalise([own], norm, config) : [own];
      return turns ? turn(normed, position, rope) : normed;
    }),
  );
}

function turn(head: Float64Array, position: number, rope: RopeConfig): Float64Array {
  const { frequencies, amplitude } = ropeAngles(rope);
  const out = head.slice();
  frequencies.forEach((frequency, i) => {
    const [a, b] = rope.pairing === 'interleaved' ? [2 * i, 2 * i + 1] : [i, i + rope.dims / 2];
    const [cos, sin] = [
      amplitude * Math.cos(position * frequency),
      amplitude * Math.sin(position * frequency),
    ];
    out[a] = head[a] * cos - head[b] * sin;
    out[b] = head[a] * sin + head[b] * cos;
  });
  return out;
}

function normalise(rows: Rows, weight: Float32Array, { normEpsilon }: ModelConfig): Rows {
  return rows.map((row) => {
    const scale = 1 / Math.sqrt(dot(row, row) / row.length + normEpsilon);
    return row.map((x, j) => x * scale * weight[j]);
  });
}

function multiply(matrix: WeightMatrix, rows: Rows, bias?: Float32Array): Rows {
  const weights = numbersOf(matrix);
  return rows.map((row) => Float64Array.from(weights, (weight, j) => dot(weight, row) + (bias?.[j] ?? 0)));
}

function add(rows: Rows, more: Rows, scale: number): Rows {
  return rows.map((row, t) => row.map((x, j) => x + scale * more[t][j]));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function numbersOf({ format, rows, cols, bytes }: WeightMatrix): Float32Array[] {
  const numbers = new Float32Array(rows * cols);
  dequantise(format, bytes, 0, numbers.length, numbers);
  return Array.from({ length: rows }, (_, i) => numbers.subarray(i * cols, (i + 1) * cols));
}
