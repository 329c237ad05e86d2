import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attentionLogits, scrambledTiles, small } from '../../test/attention-tasks.ts';
import { allKernels, offsetView, randomFloats } from '../../test/each-backend.ts';
import { attentionReference } from './attention-reference.ts';
import type { AttentionBackwardTask, AttentionLogits } from './attention-types.ts';

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
async function check(
  kernels: { attentionBackward(task: AttentionBackwardTask): Promise<void> },
  logits: Logits,
  accumulate = false,
) {
  const [task, expected] = [await taskOf(logits, accumulate), await taskOf(logits, accumulate)];
  await kernels.attentionBackward(task);
  await attentionReference.attentionBackward(expected);
  const { heads, queryRows, keyRows, dim, valueDim } = logits;
  const eta = (dim + 8) * 2 ** -24 * (4 * Math.sqrt(dim) + 12);
  const rounding = (queryRows + keyRows + 40) * 2 ** -24;
  const tolerance = (2 * eta + rounding) * (2 * valueDim + 2) * 3 * Math.sqrt(heads * (queryRows + 1));
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
  });
}

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
});
