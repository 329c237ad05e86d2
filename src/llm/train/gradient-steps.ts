// The small steps between the products of a backward pass, and changes of layout.

import type { Kernels } from '../../kernels/index.ts';

export interface HeadLayout {
  rows: number;
  length: number;
  heads: number;
  headDim: number;
}

/** (rows, length, heads, headDim) → (rows, heads, length, headDim). */
export function toHeads(x: Float32Array, layout: HeadLayout, out: Float32Array): void {
  eachHead(layout, (byToken, byHead, dim) => {
    for (let c = 0; c < dim; c++) out[byHead + c] = x[byToken + c];
  });
}

/** (rows, heads, length, headDim) → (rows, length, heads, headDim). */
export function fromHeads(x: Float32Array, layout: HeadLayout, out: Float32Array): void {
  eachHead(layout, (byToken, byHead, dim) => {
    for (let c = 0; c < dim; c++) out[byToken + c] = x[byHead + c];
  });
}

function eachHead(
  { rows, length, heads, headDim }: HeadLayout,
  copy: (byToken: number, byHead: number, dim: number) => void,
): void {
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++)
      for (let t = 0; t < length; t++)
        copy(
          ((row * length + t) * heads + head) * headDim,
          ((row * heads + head) * length + t) * headDim,
          headDim,
        );
}

/**
 * Backward pass of y = x / √(mean of x² + ε) · gain, with x̂ = y / gain and g = dy · gain: dx = (g − x̂ · mean(g x̂)) / rms, dgain = Σ dy x̂.
 *
 * @param dy - shape (n, gain.length), as x
 * @param dx - added to
 * @param forGain - added to
 */
export function normGradient(
  x: Float32Array,
  gain: Float32Array,
  dy: Float32Array,
  epsilon: number,
  dx: Float32Array,
  forGain: Float32Array,
): void {
  const cols = gain.length;
  for (let start = 0; start < x.length; start += cols) {
    let [squares, along] = [0, 0];
    for (let c = 0; c < cols; c++) {
      squares += x[start + c] * x[start + c];
      along += dy[start + c] * gain[c] * x[start + c];
    }
    const inverse = 1 / Math.sqrt(squares / cols + epsilon);
    const pull = (along * inverse * inverse * inverse) / cols;
    for (let c = 0; c < cols; c++) {
      dx[start + c] += dy[start + c] * gain[c] * inverse - x[start + c] * pull;
      forGain[c] += dy[start + c] * x[start + c] * inverse;
    }
  }
}

/**
 * Backward pass of silu(gate) · up.
 *
 * @param forProduct - gradient of the product; overwritten with that of the gate
 * @param forUp - receives that of up
 */
export async function siluGradients(
  kernels: Kernels,
  { gate, up }: { gate: Float32Array; up: Float32Array },
  forProduct: Float32Array,
  forUp: Float32Array,
): Promise<void> {
  for (let i = 0; i < gate.length; i++) forUp[i] = -gate[i];
  await kernels.exp({ x: forUp, out: forUp });
  for (let i = 0; i < gate.length; i++) {
    const [x, dy, share] = [gate[i], forProduct[i], 1 / (1 + forUp[i])];
    forUp[i] = dy * x * share;
    forProduct[i] = dy * up[i] * share * (1 + x * (1 - share));
  }
}

/**
 * Σ weight · −ln softmax(logits)[target], in nats, summed in float64.
 *
 * @param logits - shape (n, vocabulary); overwritten with the gradient, weight · (softmax − one-hot)
 * @param targets - ids, shape (n,)
 * @param weights - shape (n,)
 */
export async function softmaxLoss(
  kernels: Kernels,
  logits: Float32Array,
  vocabulary: number,
  targets: Float32Array,
  weights: Float32Array,
): Promise<number> {
  let loss = 0;
  for (let i = 0; i < targets.length; i++) {
    const start = i * vocabulary;
    let most = -Infinity;
    for (let c = 0; c < vocabulary; c++) most = Math.max(most, logits[start + c]);
    for (let c = 0; c < vocabulary; c++) logits[start + c] -= most;
    loss -= weights[i] * logits[start + targets[i]];
  }
  await kernels.exp({ x: logits, out: logits });
  for (let i = 0; i < targets.length; i++) {
    const start = i * vocabulary;
    let sum = 0;
    for (let c = 0; c < vocabulary; c++) sum += logits[start + c];
    loss += weights[i] * Math.log(sum);
    const factor = weights[i] / sum;
    for (let c = 0; c < vocabulary; c++) logits[start + c] *= factor;
    logits[start + targets[i]] -= weights[i];
  }
  return loss;
}
