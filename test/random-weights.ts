// For tests: rows of weights in every format of model files.

import { bytesOfRow } from '../src/kernels/dequantise.ts';
import { toHalf } from '../src/kernels/half.ts';
import { WEIGHT_FORMATS, type WeightFormat } from '../src/kernels/weight-formats.ts';
import { randomFloats } from './each-backend.ts';

/** Where halves lie in a block: scale, and the factor of the summands. */
const HALVES: Partial<Record<WeightFormat, number[]>> = {
  Q8_0: [0],
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

/** Random codes, scales and summands of both signs below 0.02; plain numbers below 1. */
export function randomWeights(format: WeightFormat, outputs: number, cols: number, seed: number): Uint8Array {
  const size = outputs * bytesOfRow(format, cols);
  const random = randomFloats(outputs * cols, seed);
  if (format === 'F32') return new Uint8Array(random.buffer);
  if (format === 'F16' || format === 'BF16')
    return new Uint8Array(toHalf(random, format === 'F16' ? 'float16' : 'bfloat16').buffer);
  // At an even place that is no multiple of 4.
  const bytes = new Uint8Array(size + 2).subarray(2);
  bytes.set(Uint8Array.from({ length: size }, (_, i) => (random[i % random.length] * 0x7fff) & 0xff));
  const halves = toHalf(
    randomFloats(size, seed + 1).map((x) => 0.02 * x),
    'float16',
  );
  for (let at = 0; at < size; at += WEIGHT_FORMATS[format].bytes)
    for (const place of HALVES[format] ?? []) {
      bytes[at + place] = halves[at + place] & 0xff;
      bytes[at + place + 1] = halves[at + place] >> 8;
    }
  return bytes;
}
