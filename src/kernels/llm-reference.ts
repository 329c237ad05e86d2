// The kernels of a language model's layers as obvious loops, for every backend to be tested against. Products are exact up to float64:
// 'int8' allows rounding, and does not ask for it.

import { yieldToEventLoop } from '../core/progress.ts';
import { bytesOfRow, dequantise } from './dequantise.ts';
import type {
  AddTask,
  DequantiseRowsTask,
  LinearTask,
  LlmKernels,
  RmsNormTask,
  RotaryTask,
  SiluProductTask,
} from './llm-types.ts';

/** Multiply-adds between two looks at the event loop: about 20 ms. */
const WORK_PER_SLICE = 1 << 24;

export const llmReference: Omit<LlmKernels, 'prepare'> = {
  linear,
  dequantiseRows,
  rmsNorm,
  rotary,
  siluProduct,
  add,
};

async function linear({ x, rows, cols, weights }: LinearTask): Promise<void> {
  const line = new Float32Array(cols);
  let work = 0;
  for (const { format, data, outputs, bias, y, accumulate = false } of weights) {
    for (let output = 0; output < outputs; output++) {
      dequantise(format, data, output * bytesOfRow(format, cols), cols, line);
      for (let row = 0; row < rows; row++) {
        let sum = 0;
        for (let p = 0; p < cols; p++) sum += x[row * cols + p] * line[p];
        const at = row * outputs + output;
        y[at] = (accumulate ? y[at] : 0) + (bias ? bias[output] : 0) + sum;
      }
      work += rows * cols;
      if (work < WORK_PER_SLICE) continue;
      work = 0;
      await yieldToEventLoop();
    }
  }
}

async function dequantiseRows({ format, data, cols, rows, out }: DequantiseRowsTask): Promise<void> {
  const stride = bytesOfRow(format, cols);
  rows.forEach((row, i) => {
    dequantise(format, data, row * stride, cols, out, i * cols);
  });
}

async function rmsNorm({ x, rows, cols, weight, epsilon, out }: RmsNormTask): Promise<void> {
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i = row * cols; i < (row + 1) * cols; i++) squares += x[i] * x[i];
    const factor = 1 / Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++)
      out[row * cols + i] = x[row * cols + i] * factor * (weight ? weight[i] : 1);
  }
}

async function rotary({ x, rows, heads, dim, pairs, pairing, cos, sin }: RotaryTask): Promise<void> {
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < pairs; i++) {
        const start = (row * heads + head) * dim;
        const [a, b] =
          pairing === 'interleaved' ? [start + 2 * i, start + 2 * i + 1] : [start + i, start + i + pairs];
        const [left, right] = [x[a], x[b]];
        const [c, s] = [cos[row * pairs + i], sin[row * pairs + i]];
        x[a] = left * c - right * s;
        x[b] = right * c + left * s;
      }
}

async function siluProduct({ gate, up, out }: SiluProductTask): Promise<void> {
  for (let i = 0; i < gate.length; i++) out[i] = (gate[i] / (1 + Math.exp(-gate[i]))) * up[i];
}

async function add({ x, out }: AddTask): Promise<void> {
  for (let i = 0; i < x.length; i++) out[i] += x[i];
}
