// Products with weights in the blocks of GGUF. One row: against a float32 product that reads as many bytes, in GB/s of weights; 512 rows: against
// the float32 product of the same shape. Error: the largest |y − exact| as a share of its bound (1 or less) over sampled entries, at which
// activations are rounded to 8 bits.

import { availableParallelism } from 'node:os';
import { createRng } from '../../../../src/core/rng.ts';
import {
  dequantise,
  type Kernels,
  type LinearTask,
  loadKernels,
  WEIGHT_FORMATS,
  type WeightFormat,
  weightBytes,
} from '../../../../src/kernels/index.ts';
import { type Case, type Contest, timed } from '../../measure.ts';
import { threadsText } from '../../threads.ts';

const FORMATS: WeightFormat[] = ['Q8_0', 'Q4_0', 'Q4_1', 'Q4_K', 'Q6_K', 'F16'];

/** Beyond every cache, as the weights of a model are. */
const STREAM_BYTES = 96e6;
const COLS = 1536;
const ROWS = 512;

export function* linearCases(): Generator<Case> {
  for (const threads of availableParallelism() > 1 ? [1, 2] : [1])
    for (const format of FORMATS) {
      const outputs = Math.floor(STREAM_BYTES / weightBytes(format, 1, COLS));
      yield {
        name: `linear 1 row ${format} ${threadsText(threads)} vs float32 reading as many bytes`,
        ...{ unit: 'GB/s', work: (outputs * weightBytes(format, 1, COLS)) / 1e9, rounds: 21 },
        setUp: () => oneRow(format, outputs, threads),
      };
      yield {
        name: `linear ${ROWS} rows ${COLS} × ${COLS} ${format} ${threadsText(threads)} vs float32 gemm`,
        ...{ unit: 'GFLOP/s', work: 2e-9 * ROWS * COLS * COLS, rounds: 15 },
        setUp: () => manyRows(format, threads),
      };
    }
}

async function oneRow(format: WeightFormat, outputs: number, threads: number): Promise<Contest> {
  const kernels = await loadKernels({ threads });
  const lines = Math.floor(STREAM_BYTES / (4 * COLS));
  const b = new Float32Array(lines * COLS).fill(0.5);
  const c = new Float32Array(lines);
  const task = randomTask(format, 1, outputs);
  const read = () => kernels.gemm({ m: 1, n: lines, k: COLS, a: task.x, b, c, transposeB: true });
  return { ...ourSide(kernels, task), peer: () => timed(read), async [Symbol.asyncDispose]() {} };
}

async function manyRows(format: WeightFormat, threads: number): Promise<Contest> {
  const kernels = await loadKernels({ threads });
  const task = randomTask(format, ROWS, COLS);
  const b = new Float32Array(COLS * COLS);
  dequantise(format, task.weights[0].data, 0, b.length, b);
  const c = new Float32Array(ROWS * COLS);
  const multiply = () => kernels.gemm({ m: ROWS, n: COLS, k: COLS, a: task.x, b, c, transposeB: true });
  return { ...ourSide(kernels, task), peer: () => timed(multiply), async [Symbol.asyncDispose]() {} };
}

function ourSide(kernels: Kernels, task: LinearTask) {
  const prepared = kernels.prepare([{ kernel: 'linear', task }]);
  return {
    async check() {
      await prepared.run();
      return worstShare(task);
    },
    ours: () => timed(() => prepared.run()),
  };
}

function randomTask(format: WeightFormat, rows: number, outputs: number): LinearTask {
  const rng = createRng(outputs);
  const x = Float32Array.from({ length: rows * COLS }, () => 2 * rng.next() - 1);
  const data = new Uint8Array(outputs * weightBytes(format, 1, COLS));
  const words = new Uint32Array(data.buffer, 0, data.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = rng.integer(0x100000000);
  // Plain halves and those that scale blocks: below 2, and finite.
  const { entries, bytes } = WEIGHT_FORMATS[format];
  const places = entries === 1 ? [0] : format === 'Q6_K' ? [208] : [0, 2];
  for (let at = 0; at < data.length; at += bytes) for (const place of places) data[at + place + 1] &= 0x3f;
  return { x, rows, cols: COLS, weights: [{ format, data, outputs, y: new Float32Array(rows * outputs) }] };
}

/** @throws {Error} an entry breaks the bound of the contract */
function worstShare({ x, rows, cols, weights: [{ format, data, outputs, y }] }: LinearTask): number {
  const rng = createRng(1);
  const line = new Float32Array(cols);
  let worst = 0;
  for (let sample = 0; sample < 200; sample++) {
    const [row, output] = [rng.integer(rows), rng.integer(outputs)];
    dequantise(format, data, output * weightBytes(format, 1, cols), cols, line);
    let [sum, bound] = [0, 0];
    for (let start = 0; start < cols; start += 32) {
      let [most, size] = [0, 0];
      for (let p = start; p < start + 32; p++) {
        const entry = x[row * cols + p];
        sum += entry * line[p];
        // Roundings of float32, with room for the parts of a weight that cancel.
        bound += 4 * (cols + 4) * 2 ** -24 * Math.abs(entry * line[p]);
        most = Math.max(most, Math.abs(entry));
        size += Math.abs(line[p]);
      }
      if (WEIGHT_FORMATS[format].entries > 1) bound += (1 + 2 ** -14) * (most / 254) * size;
    }
    worst = Math.max(worst, Math.abs(y[row * outputs + output] - sum) / bound);
  }
  if (!(worst <= 1)) throw new Error(`linear ${format}: an error is ${worst} times its bound.`);
  return worst;
}
