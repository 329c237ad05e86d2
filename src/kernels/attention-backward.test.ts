import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attentionLogits, scrambledTiles, small } from '../../test/attention-tasks.ts';
import { allKernels, offsetView, randomFloats } from '../../test/each-backend.ts';
import { attentionReference } from './attention-reference.ts';
import type { AttentionBackwardTask, AttentionLogits, AttentionTiles } from './attention-types.ts';

type Logits = AttentionLogits & { keys: Float32Array; values: Float32Array };

/** Gradients of a result that is computed first; they begin as rubbish, or as what is added to. */
async function taskOf(logits: Logits, accumulate = false): Promise<AttentionBackwardTask> {
  const { heads, queryRows, valueDim } = logits;
  const rows = heads * queryRows;
  const out = new Float32Array(rows * valueDim);
  const lse = new Float64Array(rows);
  await attentionReference.attention({ ...logits, out, lse });
  return {
    ...{ ...logits, out, lse, accumulate },
    outGradient: randomFloats(out.length, 7),
    lseGradient: Float64Array.from(randomFloats(rows, 8)),
    queryGradient: offsetView(randomFloats(logits.queries.length, 9)),
    keyGradient: offsetView(randomFloats(logits.keys.length, 10)),
    valueGradient: offsetView(randomFloats(logits.values.length, 11)),
  };
}

const gradients = ['queryGradient', 'keyGradient', 'valueGradient'] as const;

/**
 * Against float64. With |q k| scale ≤ 4 √dim a weight is off by e^η, η = (dim + 8) · 2⁻²⁴ · (4 √dim + 4), and each gradient is a sum of at most
 * n terms p · x with Σ p ≤ 1 a row, |x| ≤ 2 dv + 2: so by 2η and n roundings of that, times the number of rows for keys.
 */
function toleranceOf({ heads, queryRows, keyRows, dim, valueDim }: Logits): number {
  const eta = (dim + 8) * 2 ** -24 * (4 * Math.sqrt(dim) + 12);
  const rounding = (queryRows + keyRows + 40) * 2 ** -24;
  return (2 * eta + rounding) * (2 * valueDim + 2) * 3 * Math.sqrt(heads * (queryRows + 1));
}

async function check(
  kernels: { attentionBackward(task: AttentionBackwardTask): Promise<void> },
  logits: Logits,
  accumulate = false,
) {
  const [task, expected] = [await taskOf(logits, accumulate), await taskOf(logits, accumulate)];
  await kernels.attentionBackward(task);
  await attentionReference.attentionBackward(expected);
  const tolerance = toleranceOf(logits);
  for (const name of gradients)
    for (let i = 0; i < task[name].length; i++)
      assert.ok(
        Math.abs(task[name][i] - expected[name][i]) <= tolerance,
        `${name} ${i} is ${task[name][i]}; expected ${expected[name][i]} ± ${tolerance}`,
      );
  return task;
}

for (const { name, kernels } of await allKernels()) {
  describe(`attentionBackward, ${name}`, () => {
    it('is right at every edge of panels, blocks and columns', async () => {
      for (const queryRows of [0, 1, 16, 49, 97])
        await check(kernels, attentionLogits({ ...small, queryRows }));
      for (const keyRows of [0, 1, 127, 129, 200])
        await check(kernels, attentionLogits({ ...small, keyRows, queryRows: 18 }));
      for (const dim of [1, 5, 48, 50])
        await check(kernels, attentionLogits({ ...small, dim, queryRows: 20 }));
      for (const valueDim of [1, 7, 48, 49, 100])
        await check(kernels, attentionLogits({ ...small, valueDim, queryRows: 20 }));
    });

    it('lets groups share keys, with masks, weights, bias and slopes', async () => {
      const shape = { ...small, heads: 4, keyHeads: 2, queryRows: 61, keyRows: 140 };
      const logits = attentionLogits(shape);
      await check(kernels, { ...logits, causalOffset: 20 }, true);
      await check(kernels, { ...logits, causalOffset: -30 });
      const keyLogWeights = randomFloats(2 * 140, 4).map((x) => (x > 0.5 ? -Infinity : x));
      await check(kernels, { ...logits, keyLogWeights, bias: randomFloats(61 * 140, 5) });
      await check(kernels, { ...logits, slopes: Float32Array.of(0.02, 0.01, 0, 0.03), causalOffset: 79 });
    });

    it('follows a plan of tiles, whose keys may come twice', async () => {
      for (const rows of [9, 400]) {
        const shape = { ...small, heads: 2, queryRows: 301, keyRows: 133 };
        await check(kernels, { ...attentionLogits(shape), tiles: scrambledTiles(shape, rows) });
      }
    });

    it('adds up over plans that share out the keys, given the result of the whole', async () => {
      const logits = attentionLogits({ ...small, heads: 2, keyHeads: 1, queryRows: 70, keyRows: 300 });
      const whole = await taskOf(logits);
      await attentionReference.attentionBackward(whole);
      const parts = await taskOf(logits);
      for (const [start, end] of [
        [0, 131],
        [131, 132],
        [132, 300],
      ])
        await kernels.attentionBackward({
          ...parts,
          tiles: tilesOverKeys(logits, start, end),
          accumulate: start > 0,
        });
      for (const name of gradients)
        for (let i = 0; i < whole[name].length; i++)
          assert.ok(
            Math.abs(parts[name][i] - whole[name][i]) <= toleranceOf(logits),
            `${name} ${i} is ${parts[name][i]}; expected ${whole[name][i]}`,
          );
    });

    it('stands log-weights near the largest exponents of float32', async () => {
      // Lanes of a panel without a query have logits of 0 plus the log-weight: e^88.6 is no float32.
      for (const weight of [-88.6, 88.6, 1000]) {
        const logits = attentionLogits({ ...small, queryRows: 3, keyRows: 40 });
        const task = await check(kernels, { ...logits, keyLogWeights: new Float32Array(40).fill(weight) });
        for (const name of gradients) assert.ok(task[name].every(Number.isFinite), `${name}, ${weight}`);
      }
    });
  });
}

/** Every query meets keys [start, end) of its head, a tile a head. */
function tilesOverKeys({ heads, queryRows, keyRows }: Logits, start: number, end: number): AttentionTiles {
  const words = (length: number, at: (i: number) => number) => Uint32Array.from({ length }, (_, i) => at(i));
  return {
    heads: words(heads, (head) => head),
    rowStart: words(heads + 1, (head) => head * queryRows),
    rows: words(heads * queryRows, (i) => i % queryRows),
    segmentStart: words(heads + 1, (head) => head),
    keyStart: words(heads, () => start),
    keyEnd: words(heads, () => end),
    logWeights: new Float32Array(heads),
    keys: words(keyRows, (j) => j),
  };
}

describe('attentionBackward of the reference', () => {
  it('is what central differences in float64 give, in every input', async () => {
    // The reference computes in float64, so that it takes float64 arrays, which its types do not say.
    const float64 = (array: Float32Array) => Float64Array.from(array) as unknown as Float32Array;
    const shape = { ...small, heads: 4, keyHeads: 2, queryRows: 6, keyRows: 9 };
    const plain = attentionLogits(shape, 1);
    const logits = {
      ...{
        ...plain,
        queries: float64(plain.queries),
        keys: float64(plain.keys),
        values: float64(plain.values),
      },
      keyLogWeights: randomFloats(18, 4).map((x) => (x > 0.7 ? -Infinity : x)),
      bias: randomFloats(54, 5),
      slopes: Float32Array.of(0.2, 0.1, 0, 0.3),
    };
    const cases: Logits[] = [
      logits,
      { ...logits, causalOffset: 3 },
      { ...logits, causalOffset: 5, tiles: scrambledTiles(shape, 4) },
    ];
    for (const task of cases) {
      const rows = shape.heads * shape.queryRows;
      const [outGradient, lseGradient] = [
        float64(randomFloats(rows * shape.valueDim, 7)),
        Float64Array.from(randomFloats(rows, 8)),
      ];
      const forward = async () => {
        const out = float64(new Float32Array(rows * shape.valueDim));
        const lse = new Float64Array(rows);
        await attentionReference.attention({ ...task, out, lse });
        return { out, lse };
      };
      const loss = async () => {
        const { out, lse } = await forward();
        let sum = 0;
        out.forEach((x, i) => {
          sum += x * outGradient[i];
        });
        // A row that sees no key has lse −∞ for any input.
        lse.forEach((x, i) => {
          if (x > -Infinity) sum += x * lseGradient[i];
        });
        return sum;
      };
      const result = { ...task, ...(await forward()), outGradient, lseGradient };
      const found = {
        queryGradient: float64(new Float32Array(task.queries.length)),
        keyGradient: float64(new Float32Array(task.keys.length)),
        valueGradient: float64(new Float32Array(task.values.length)),
      };
      await attentionReference.attentionBackward({ ...result, ...found });
      for (const [name, input] of [
        ['queryGradient', task.queries],
        ['keyGradient', task.keys],
        ['valueGradient', task.values],
      ] as const) {
        const largest = found[name].reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        for (let i = 0; i < input.length; i++) {
          // Truncation of order step², rounding of order 2⁻⁵² · |loss| / step: both below 1e-8 here.
          const [x, step] = [input[i], 1e-5];
          input[i] = x + step;
          const above = await loss();
          input[i] = x - step;
          const below = await loss();
          input[i] = x;
          const slope = (above - below) / (2 * step);
          assert.ok(
            Math.abs(slope - found[name][i]) <= 1e-6 * largest,
            `${name} ${i} is ${found[name][i]}; expected ${slope}`,
          );
        }
      }
    }
  });
});

describe('attentionBackward', () => {
  it('gives the same bits for any number of threads', async () => {
    const byBackend = new Map<string, Float32Array[]>();
    for (const { name, kernels } of await allKernels()) {
      const task = await taskOf(
        attentionLogits({ ...small, heads: 2, keyHeads: 1, queryRows: 700, keyRows: 200 }),
      );
      await kernels.attentionBackward(task);
      const found = gradients.map((gradient) => task[gradient]);
      const key = name.split(' × ')[0];
      const known = byBackend.get(key);
      if (known) assert.deepEqual(found, known, name);
      byBackend.set(key, found);
    }
  });

  it('gives the same bits when workers of the WASM backend take the heads', async () => {
    // 1e8 multiply-adds, from where on pieces are sent; two heads add to the same keys.
    const shape = { heads: 2, keyHeads: 1, queryRows: 800, keyRows: 800, dim: 16, valueDim: 16 };
    const logits = attentionLogits(shape);
    const rows = 2 * 800;
    const found: Float32Array[][] = [];
    for (const { name, kernels } of await allKernels()) {
      if (!name.startsWith('wasm')) continue;
      const [out, lse] = [new Float32Array(rows * 16), new Float64Array(rows)];
      await kernels.attention({ ...logits, out, lse });
      const task: AttentionBackwardTask = {
        ...{ ...logits, out, lse, accumulate: true, outGradient: randomFloats(rows * 16, 7) },
        queryGradient: randomFloats(logits.queries.length, 9),
        keyGradient: randomFloats(logits.keys.length, 10),
        valueGradient: randomFloats(logits.values.length, 11),
      };
      await kernels.attentionBackward(task);
      found.push(gradients.map((gradient) => task[gradient]));
    }
    for (const other of found.slice(1)) assert.deepEqual(other, found[0]);
  });
});
