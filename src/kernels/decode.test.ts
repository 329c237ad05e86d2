import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels, offsetView, randomFloats } from '../../test/each-backend.ts';
import { attentionReference } from './attention-reference.ts';
import type { DecodeTask } from './attention-types.ts';
import { toHalf } from './half.ts';

interface Shape {
  heads: number;
  keyHeads: number;
  capacity: number;
  dim: number;
  valueDim: number;
  lengths: number[];
}

const small: Shape = { heads: 1, keyHeads: 1, capacity: 60, dim: 5, valueDim: 6, lengths: [50] };

/** Rows beyond the lengths hold NaN: nobody may read them. */
function taskOf({ lengths, ...shape }: Shape, size = 2): DecodeTask {
  const { heads, keyHeads, capacity, dim, valueDim } = shape;
  const scaled = (length: number, seed: number) =>
    offsetView(randomFloats(length, seed).map((x) => size * x));
  const keys = scaled(keyHeads * capacity * dim, 2);
  const values = offsetView(randomFloats(keyHeads * capacity * valueDim, 3));
  lengths.forEach((length, g) => {
    keys.fill(Number.NaN, (g * capacity + length) * dim, (g + 1) * capacity * dim);
    values.fill(Number.NaN, (g * capacity + length) * valueDim, (g + 1) * capacity * valueDim);
  });
  return {
    ...{ ...shape, keys, values, lengths: Uint32Array.from(lengths), scale: 1 / Math.sqrt(dim) },
    queries: scaled(heads * dim, 1),
    out: offsetView(new Float32Array(heads * valueDim).fill(7)),
    lse: new Float64Array(heads).fill(7),
    probabilities: offsetView(new Float32Array(heads * capacity).fill(7)),
  };
}

/** A logit is off by at most η = (dim + 5) · 2⁻²⁴ · scale · Σ|q k| (≤ 4 · √dim here) and that of its log-weight; sums add their roundings. */
async function check(kernels: { decode(task: DecodeTask): Promise<void> }, task: DecodeTask): Promise<void> {
  const expected = {
    ...task,
    out: task.out.slice(),
    lse: task.lse.slice(),
    probabilities: task.probabilities?.slice(),
  };
  await kernels.decode(task);
  await attentionReference.decode(expected);
  const rounding = (2 * task.capacity + 40) * 2 ** -24;
  const eta = (task.dim + 8) * 2 ** -24 * (4 * Math.sqrt(task.dim) + 4);
  const near = (a: number, b: number, name: string) =>
    assert.ok(a === b || Math.abs(a - b) <= 2 * eta + rounding, `${name} is ${a}; expected ${b}`);
  task.lse.forEach((x, i) => {
    near(x, expected.lse[i], `lse ${i}`);
  });
  task.out.forEach((x, i) => {
    near(x, expected.out[i], `out ${i}`);
  });
  task.probabilities?.forEach((x, i) => {
    near(x, expected.probabilities?.[i] ?? 0, `probability ${i}`);
  });
}

for (const { name, kernels } of await allKernels()) {
  describe(`decode, ${name}`, () => {
    it('is right at every edge of panels, chunks and columns', async () => {
      for (const length of [0, 1, 2, 15, 16, 17, 47, 48, 49, 60])
        await check(kernels, taskOf({ ...small, lengths: [length] }));
      for (const dim of [1, 3, 4, 16, 64, 65]) await check(kernels, taskOf({ ...small, dim }));
      for (const valueDim of [1, 4, 15, 16, 17, 64, 70]) await check(kernels, taskOf({ ...small, valueDim }));
      for (const length of [191, 193, 1023, 1024, 1025, 2500])
        await check(kernels, taskOf({ ...small, capacity: 2600, lengths: [length] }));
    });

    it('lets groups of heads share rows, with lengths of their own', async () => {
      for (const group of [1, 2, 3, 4, 7])
        await check(
          kernels,
          taskOf({ ...small, keyHeads: 3, heads: 3 * group, capacity: 1200, lengths: [1, 1100, 0] }),
        );
    });

    it('adds log-weights, and hides rows at −∞', async () => {
      const task = taskOf({ ...small, keyHeads: 2, heads: 4, lengths: [50, 33] });
      const logWeights = randomFloats(120, 4).map((x) => (x > 0.5 ? -Infinity : x));
      await check(kernels, { ...task, logWeights });
      const hidden = { ...task, logWeights: new Float32Array(120).fill(-Infinity) };
      await check(kernels, hidden);
      assert.deepEqual([...hidden.lse], Array(4).fill(-Infinity));
    });

    it('reads halves, and does without probabilities', async () => {
      for (const storage of ['float16', 'bfloat16'] as const) {
        const task = taskOf({ ...small, keyHeads: 2, heads: 2, lengths: [60, 41] });
        const [keys, values] = [
          toHalf(task.keys as Float32Array, storage),
          toHalf(task.values as Float32Array, storage),
        ];
        await check(kernels, { ...task, storage, keys, values, probabilities: undefined });
      }
    });

    it('stands logits of ±10 000', async () => {
      const task = { ...taskOf({ ...small, dim: 1 }, 100), scale: 1 };
      await kernels.decode(task);
      assert.ok(task.out.every((x) => Math.abs(x) <= 1) && task.lse.every(Number.isFinite));
    });
  });
}

describe('decode', () => {
  it('gives the same bits for any number of threads', async () => {
    const byBackend = new Map<string, DecodeTask>();
    for (const { name, kernels } of await allKernels()) {
      const task = taskOf({
        heads: 4,
        keyHeads: 2,
        capacity: 5000,
        dim: 16,
        valueDim: 16,
        lengths: [5000, 3001],
      });
      await kernels.decode(task);
      const key = name.split(' × ')[0];
      const known = byBackend.get(key);
      if (known) assert.deepEqual(task, known, name);
      byBackend.set(key, task);
    }
  });
});
