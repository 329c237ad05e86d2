import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels, offsetView, randomFloats } from '../../test/each-backend.ts';
import { randomWeights } from '../../test/random-weights.ts';
import { bytesOfRow, dequantise } from './dequantise.ts';
import { toHalf } from './half.ts';
import type { LinearTask, LinearWeight } from './llm-types.ts';
import { loadKernels } from './load.ts';
import { WEIGHT_FORMATS, type WeightFormat } from './weight-formats.ts';

const FORMATS = Object.keys(WEIGHT_FORMATS) as WeightFormat[];
const U = 2 ** -24;

interface Shape {
  rows: number;
  cols: number;
  formats: WeightFormat[];
  outputs: number[];
  activations?: 'float32' | 'int8';
}

function taskOf({ rows, cols, formats, outputs, activations }: Shape, seed = 1): LinearTask {
  const weights = formats.map((format, i): LinearWeight => {
    const count = outputs[i % outputs.length];
    const data = randomWeights(format, count, cols, seed + 10 * i);
    return { format, data, outputs: count, y: offsetView(new Float32Array(rows * count).fill(7)) };
  });
  return { x: offsetView(randomFloats(rows * cols, seed + 5)), rows, cols, weights, activations };
}

/**
 * The contract's bound for one output, from the whole numbers below: Σ|x w| and, for every 32 entries, half a step of the largest times Σ|w|.
 * |scale · code| + |min| of a block is at most 3 times the largest weight it could stand for, which is at most 130 · 0.02 times 63.
 */
function boundOf(x: Float32Array, w: Float32Array, format: WeightFormat, activations: string): number {
  const cols = x.length;
  let products = 0;
  for (let p = 0; p < cols; p++) products += Math.abs(x[p] * w[p]);
  const float = (cols + 4) * U * products;
  if (activations === 'float32' || WEIGHT_FORMATS[format].entries === 1) return float;
  let rounding = 0;
  let sizes = 0;
  for (let start = 0; start < cols; start += 32) {
    let most = 0;
    let total = 0;
    for (let p = start; p < start + 32; p++) {
      most = Math.max(most, Math.abs(x[p]));
      total += Math.abs(w[p]);
      sizes += (Math.abs(x[p]) + most / 254) * 0.02 * 63 * 130;
    }
    rounding += (most / 254) * total;
  }
  return (1 + 2 ** -14) * rounding + (cols / 16 + 8) * U * sizes;
}

/** Runs a task and compares every output with float64; returns the largest error as a share of its bound. */
async function check(
  kernels: { linear(task: LinearTask): Promise<void> },
  task: LinearTask,
): Promise<number> {
  const before = task.weights.map(({ y }) => y.slice());
  await kernels.linear(task);
  const { x, rows, cols, activations = 'int8' } = task;
  let worst = 0;
  task.weights.forEach(({ format, data, outputs, bias, y, accumulate }, i) => {
    const w = new Float32Array(cols);
    for (let o = 0; o < outputs; o++) {
      dequantise(format, data, o * bytesOfRow(format, cols), cols, w);
      for (let row = 0; row < rows; row++) {
        const line = x.subarray(row * cols, (row + 1) * cols);
        const start = (accumulate ? before[i][row * outputs + o] : 0) + (bias ? bias[o] : 0);
        let sum = start;
        for (let p = 0; p < cols; p++) sum += line[p] * w[p];
        const bound = boundOf(line, w, format, activations) + 2 * U * (Math.abs(start) * 2 + Math.abs(sum));
        const error = Math.abs(y[row * outputs + o] - sum);
        assert.ok(
          error <= bound,
          `${format} output ${o} of row ${row} is ${y[row * outputs + o]}; expected ${sum} ± ${bound}`,
        );
        if (bound > 0) worst = Math.max(worst, error / bound);
      }
    }
  });
  return worst;
}

for (const { name, kernels } of await allKernels()) {
  describe(`linear, ${name}`, () => {
    it('keeps its bound for every format, few rows and many, by bytes and by floats', async () => {
      for (const format of FORMATS)
        for (const activations of ['int8', 'float32'] as const)
          for (const rows of [1, 2, 3, 7, 13, 33])
            await check(
              kernels,
              taskOf(
                { rows, cols: 512, formats: [format], outputs: [rows === 33 ? 50 : 7], activations },
                rows,
              ),
            );
    });

    it('is right at every edge of blocks, units, tiles and panels', async () => {
      for (const format of ['Q8_0', 'Q4_0', 'Q5_1'] as const)
        for (const cols of [32, 64, 96, 160, 544]) {
          await check(kernels, taskOf({ rows: 1, cols, formats: [format], outputs: [5] }, cols));
          await check(kernels, taskOf({ rows: 21, cols, formats: [format], outputs: [49] }, cols));
        }
      for (const cols of [1, 3, 17, 513])
        for (const rows of [1, 2, 15])
          for (const format of ['F32', 'F16', 'BF16'] as const)
            await check(kernels, taskOf({ rows, cols, formats: [format], outputs: [6] }, cols));
      for (const format of ['Q4_K', 'Q6_K'] as const)
        for (const cols of [256, 768])
          await check(kernels, taskOf({ rows: 22, cols, formats: [format], outputs: [1, 96] }));
    });

    it('takes several weights of several formats at once, with biases and what is there', async () => {
      for (const rows of [1, 21]) {
        const task = taskOf({
          rows,
          cols: 256,
          formats: ['Q4_1', 'F16', 'Q6_K', 'Q8_0'],
          outputs: [40, 3, 0, 61],
        });
        const weights = task.weights.map((weight, i) => ({
          ...weight,
          accumulate: i % 2 === 0,
          ...(i > 0 && { bias: offsetView(randomFloats(weight.outputs, i)) }),
        }));
        await check(kernels, { ...task, weights });
        await check(kernels, {
          ...task,
          weights: weights.map((weight) => ({ ...weight, accumulate: true })),
        });
      }
    });

    it('does nothing without rows, outputs or weights', async () => {
      const y = Float32Array.of(3);
      const weight = { format: 'Q4_0', data: new Uint8Array(18), outputs: 1, y } as const;
      await kernels.linear({ x: new Float32Array(0), rows: 0, cols: 32, weights: [weight] });
      await kernels.linear({ x: new Float32Array(32), rows: 1, cols: 32, weights: [] });
      await kernels.linear({
        x: new Float32Array(32),
        rows: 1,
        cols: 32,
        weights: [{ ...weight, outputs: 0 }],
      });
      assert.equal(y[0], 3);
    });

    it('lets what is not finite reach its own rows only', async () => {
      for (const format of FORMATS)
        for (const activations of ['int8', 'float32'] as const)
          for (const rows of [3, 21]) {
            const task = taskOf({ rows, cols: 256, formats: [format], outputs: [5], activations });
            task.x[256 + 7] = Number.NaN;
            task.x[2 * 256 + 200] = Infinity;
            await kernels.linear(task);
            task.weights[0].y.forEach((value, i) => {
              const row = Math.floor(i / 5);
              const finite = row !== 1 && row !== 2;
              assert.equal(Number.isFinite(value), finite, `${format} × ${rows}: output ${i} is ${value}`);
            });
          }
    });

    it('counts rows of zeros and of tiny numbers right', async () => {
      const task = taskOf({ rows: 2, cols: 64, formats: ['Q4_1', 'Q8_0'], outputs: [4] });
      task.x.fill(0, 0, 64);
      task.x.set(
        task.x.subarray(64).map((v) => v * 2 ** -90),
        64,
      );
      await check(kernels, task);
      assert.deepEqual(
        new Set(task.weights.flatMap(({ y, outputs }) => [...y.subarray(0, outputs)])),
        new Set([0]),
      );
    });
  });
}

describe('linear', () => {
  it('gives the same bits for any number of threads', async () => {
    for (const backend of ['native', 'wasm'] as const) {
      const one = await loadKernels({ backend, threads: 1 }).catch(() => undefined);
      if (!one) continue;
      const formats: WeightFormat[] = ['Q4_K', 'Q4_1', 'Q6_K', 'F16'];
      for (const rows of [1, 9, 40])
        for (const activations of ['int8', 'float32'] as const) {
          const task = taskOf({ rows, cols: 512, formats, outputs: [150, 96], activations });
          await one.linear(task);
          const before = task.weights.map(({ y }) => y.slice());
          for (const threads of [2, 3]) {
            await (await loadKernels({ backend, threads })).linear(task);
            assert.deepEqual(
              task.weights.map(({ y }) => y),
              before,
            );
          }
        }
    }
  });

  it('goes to workers in WASM, with the same bits', async (t) => {
    const [one, two] = await Promise.all(
      [1, 2].map((threads) => loadKernels({ backend: 'wasm', threads }).catch(() => undefined)),
    );
    if (!one || !two) return t.skip('no WASM here');
    // 1.1e8 multiply-adds: just worth sending.
    const task = taskOf({ rows: 360, cols: 512, formats: ['Q8_0'], outputs: [600] });
    const x = task.x.subarray(0, 360 * 512);
    x.set(x.subarray(0, 512), 359 * 512);
    await one.linear(task);
    const before = task.weights[0].y.slice();
    await two.linear(task);
    assert.deepEqual(task.weights[0].y, before);
    assert.deepEqual(before.subarray(359 * 600), before.subarray(0, 600));
  });

  it('comes near its bound: every entry of x half a step off, all errors of one sign', async (t) => {
    const kernels = await loadKernels();
    if (kernels.backend === 'ts') return t.skip('the reference does not round');
    const x = Float32Array.from({ length: 64 }, (_, i) => (i % 32 === 0 ? 127 : 0.4999));
    const data = new Uint8Array(2 * 34).fill(1);
    data.set(new Uint8Array(toHalf(Float32Array.of(1), 'float16').buffer), 0);
    data.set(new Uint8Array(toHalf(Float32Array.of(1), 'float16').buffer), 34);
    const y = new Float32Array(1);
    await kernels.linear({ x, rows: 1, cols: 64, weights: [{ format: 'Q8_0', data, outputs: 1, y }] });
    assert.equal(y[0], 2 * 127); // 62 entries of 0.4999 became 0
    const bound = 2 * (127 / 254) * 32;
    assert.ok(Math.abs(y[0] - (254 + 62 * 0.4999)) / bound > 0.96);
  });

  it('refuses what does not fit', async () => {
    const kernels = await loadKernels();
    const task = taskOf({ rows: 2, cols: 64, formats: ['Q4_0'], outputs: [4] });
    const [weight] = task.weights;
    const withWeight = (change: Partial<LinearWeight>) =>
      kernels.linear({ ...task, weights: [{ ...weight, ...change }] });
    await assert.rejects(withWeight({ data: weight.data.subarray(0, 143) }), {
      code: 'SHAPE',
      message: /weights\[0\]\.data has length 143/,
    });
    await assert.rejects(withWeight({ y: task.x as Float32Array }), { message: /overlaps x/ });
    await assert.rejects(withWeight({ bias: new Float32Array(3) }), { code: 'SHAPE' });
    await assert.rejects(withWeight({ format: 'Q2_K' as never }), {
      code: 'INVALID_ARGUMENT',
      message: /expected one of F32/,
    });
    await assert.rejects(
      withWeight({ format: 'F32', data: new Uint8Array(4 * 256 + 2).subarray(2), outputs: 4 }),
      { message: /multiple of 4 for F32/ },
    );
    await assert.rejects(kernels.linear({ ...task, cols: 33, rows: 1 }), {
      code: 'SHAPE',
      message: /multiple of 32/,
    });
    await assert.rejects(kernels.linear({ ...task, weights: [weight, weight] }), {
      message: /overlaps weights\[0\]\.y/,
    });
    await assert.rejects(kernels.linear({ ...task, activations: 'int4' as never }), {
      code: 'INVALID_ARGUMENT',
    });
  });
});
