import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels, offsetView, randomFloats } from '../../test/each-backend.ts';
import { attentionReference } from './attention-reference.ts';
import type { DecodeTask } from './attention-types.ts';
import { toHalf } from './half.ts';
import { rowFormat } from './row-format.ts';

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

/** The same task with its rows in few bits; those beyond the lengths have a scale that is NaN. */
function inFewBits(task: DecodeTask, storage: 'k8v8' | 'k4v4' | 'k4v3' | 'k4v2'): DecodeTask {
  const { keyHeads, capacity, dim, valueDim, lengths } = task;
  const stored = (part: 'keys' | 'values', width: number) => {
    const format = rowFormat(storage, part, width);
    const array = new Uint8Array(keyHeads * capacity * format.width).fill(0xff);
    for (let g = 0; g < keyHeads; g++)
      for (let row = g * capacity; row < g * capacity + lengths[g]; row++)
        format.put(task[part].subarray(row * width, (row + 1) * width) as Float32Array, array, row);
    return array;
  };
  return { ...task, storage, keys: stored('keys', dim), values: stored('values', valueDim) };
}

/** A logit is off by at most η = (dim + 5) · 2⁻²⁴ · scale · Σ|q k| (≤ 4 · √dim here) and that of its log-weight; sums add their roundings. */
function toleranceOf({ capacity, dim }: DecodeTask): number {
  return 2 * (dim + 8) * 2 ** -24 * (4 * Math.sqrt(dim) + 4) + (2 * capacity + 40) * 2 ** -24;
}

async function check(kernels: { decode(task: DecodeTask): Promise<void> }, task: DecodeTask): Promise<void> {
  const expected = {
    ...task,
    out: task.out.slice(),
    lse: task.lse.slice(),
    probabilities: task.probabilities?.slice(),
  };
  await kernels.decode(task);
  await attentionReference.decode(expected);
  const tolerance = toleranceOf(task);
  const near = (a: number, b: number, name: string) =>
    assert.ok(a === b || Math.abs(a - b) <= tolerance, `${name} is ${a}; expected ${b}`);
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
      for (const dim of [1, 3, 4, 8, 16, 64, 65, 80]) await check(kernels, taskOf({ ...small, dim }));
      for (const valueDim of [1, 4, 15, 16, 17, 64, 70]) await check(kernels, taskOf({ ...small, valueDim }));
      for (const length of [191, 193, 1023, 1024, 1025, 2500])
        await check(kernels, taskOf({ ...small, capacity: 2600, lengths: [length] }));
    });

    it('reads rows of few bits at every edge of planes and blocks', async () => {
      for (const storage of ['k8v8', 'k4v4', 'k4v3', 'k4v2'] as const)
        for (const [dim, valueDim] of [
          [64, 64],
          [1, 3],
          [5, 6],
          [17, 12],
          [80, 96],
          [128, 40],
        ])
          for (const lengths of [
            [0, 1],
            [129, 300],
          ])
            await check(
              kernels,
              inFewBits(taskOf({ heads: 6, keyHeads: 2, capacity: 301, dim, valueDim, lengths }), storage),
            );
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

    it('reads halves, whole vectors or not, and does without probabilities', async () => {
      for (const storage of ['float16', 'bfloat16'] as const)
        for (const [width, group] of [
          [5, 1],
          [64, 1],
          [64, 3],
          [32, 9],
          [33, 2],
        ]) {
          const shape = { keyHeads: 2, heads: 2 * group, dim: width, valueDim: width };
          const task = taskOf({ ...small, ...shape, lengths: [60, 41] });
          const [keys, values] = [
            toHalf(task.keys as Float32Array, storage),
            toHalf(task.values as Float32Array, storage),
          ];
          // Subnormal halves, as many in each lane as not.
          for (let i = 0; i < values.length; i += 2) values[i] &= 0x83ff;
          await check(kernels, { ...task, storage, keys, values, probabilities: undefined });
        }
    });

    it('gives infinite halves to the columns they stand in', async () => {
      const task = taskOf({ ...small, dim: 64, valueDim: 64 });
      const keys = toHalf(task.keys as Float32Array, 'float16');
      const values = toHalf(task.values as Float32Array, 'float16');
      values[7 * 64 + 3] = 0x7c00;
      values[9 * 64 + 40] = 0xfc00;
      await kernels.decode({ ...task, storage: 'float16', keys, values });
      task.out.forEach((x, c) => {
        assert.ok(c === 3 ? x === Infinity : c === 40 ? x === -Infinity : Math.abs(x) <= 1, `column ${c}`);
      });
    });

    it('gives a group what its heads get with keys of their own', async () => {
      const shape = {
        ...small,
        heads: 6,
        keyHeads: 2,
        capacity: 300,
        dim: 32,
        valueDim: 48,
        lengths: [300, 77],
      };
      const shared = taskOf(shape);
      const own = taskOf({ ...shape, keyHeads: 6, lengths: [300, 300, 300, 77, 77, 77] });
      for (let head = 0; head < 6; head++) {
        const repeat = (to: DecodeTask['keys'], from: DecodeTask['keys'], width: number) => {
          const slab = 300 * width;
          const keyHead = Math.floor(head / 3);
          to.set(from.subarray(keyHead * slab, (keyHead + 1) * slab), head * slab);
        };
        repeat(own.keys, shared.keys, 32);
        repeat(own.values, shared.values, 48);
      }
      await kernels.decode(shared);
      await kernels.decode(own);
      own.out.forEach((x, i) => {
        assert.ok(
          Math.abs(x - shared.out[i]) <= 2 * toleranceOf(own),
          `out ${i} is ${shared.out[i]}; expected ${x}`,
        );
      });
    });

    it('gives probabilities that sum to 1', async () => {
      const task = taskOf({ ...small, heads: 2, capacity: 1500, dim: 16, lengths: [1400] });
      await kernels.decode(task);
      for (let head = 0; head < 2; head++) {
        const line = Array.from(task.probabilities?.subarray(head * 1500, head * 1500 + 1500) ?? []);
        const sum = line.slice(0, 1400).reduce((total, x) => total + x, 0);
        // Weights within 2⁻²² each, and lse rounded to float32.
        assert.ok(Math.abs(sum - 1) <= 2 ** -19, `head ${head}: ${sum}`);
        assert.ok(line.slice(1400).every((x) => x === 7));
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
