import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Matrix32 } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { exactVariance } from '../variance.ts';
import { STRATEGIES, selectWith } from './registry.ts';

const n = 300;
const rng = createRng(41);
const embeddings: Matrix32 = {
  data: Float32Array.from({ length: n * 6 }, (_, i) => rng.normal() * (1 + (i % 6))),
  rows: n,
  cols: 6,
};
const probabilities: Matrix32 = { data: new Float32Array(n * 3), rows: n, cols: 3 };
for (let e = 0; e < n; e++) {
  const raw = [rng.next(), rng.next(), rng.next()];
  const sum = raw[0] + raw[1] + raw[2];
  raw.forEach((x, c) => {
    probabilities.data[e * 3 + c] = x / sum;
  });
}
const losses = Float64Array.from({ length: n }, () => rng.next() ** 2);
const input = { embeddings, probabilities, losses };

/** Row c of the three-class example. */
function classes(...rows: number[][]): { probabilities: Matrix32 } {
  return { probabilities: { data: Float32Array.from(rows.flat()), rows: rows.length, cols: rows[0].length } };
}

describe('strategies', () => {
  for (const { name, needs, unbiased } of STRATEGIES) {
    it(`${name}: right number of distinct rows, repeatable, and clear about what it needs`, async () => {
      const first = await selectWith(name, input, { size: 40, seed: 3, k: 8 });
      assert.equal(new Set(first.ids).size, 40);
      assert.ok(first.ids.every((id) => id < n));
      assert.deepEqual(await selectWith(name, input, { size: 40, seed: 3, k: 8 }), first);
      if (unbiased) assert.ok(first.sample);
      for (const need of needs) {
        const rest = { ...input, [need]: undefined };
        await assert.rejects(selectWith(name, { ...rest, rows: n }, { size: 5 }), {
          code: 'INVALID_ARGUMENT',
          message: new RegExp(`lacks ${need}`),
        });
      }
      await assert.rejects(selectWith(name, { ...input, rows: n + 1 }, { size: 5 }), { code: 'SHAPE' });
      await assert.rejects(selectWith(name, input, { size: 0 }), { code: 'INVALID_ARGUMENT' });
    });
  }

  it('that draw do so without bias', async () => {
    const exact = losses.reduce((sum, loss) => sum + loss, 0);
    for (const { name } of STRATEGIES.filter(({ unbiased }) => unbiased)) {
      let mean = 0;
      let squares = 0;
      const runs = 150;
      for (let seed = 0; seed < runs; seed++) {
        const { sample } = await selectWith(name, input, { size: 40, seed, k: 8 });
        const value = sample!.ids.reduce((sum, id, j) => sum + sample!.weights[j] * losses[id], 0);
        mean += value / runs;
        squares += value ** 2 / runs;
      }
      // 5 standard errors; rounding alone where the variance is 0.
      assert.ok(
        Math.abs(mean - exact) <= 5 * Math.sqrt(Math.max(0, squares - mean ** 2) / runs) + 1e-6,
        `${name}: ${mean} against ${exact}`,
      );
    }
  });

  it('rank as their definitions say', async () => {
    const rows = classes([0.5, 0.5, 0], [0.4, 0.3, 0.3], [0.9, 0.1, 0], [0.34, 0.33, 0.33]);
    const order = async (name: string): Promise<number[]> => [
      ...(await selectWith(name, rows, { size: 4 })).ids,
    ];
    assert.deepEqual(await order('margin'), [0, 3, 1, 2]);
    assert.deepEqual(await order('entropy'), [3, 1, 0, 2]);
    assert.deepEqual(await order('least-confidence'), [3, 1, 0, 2]);
    assert.deepEqual(
      [...(await selectWith('top-loss', { losses: [1, 5, 2, 5] }, { size: 3 })).ids],
      [1, 3, 2],
    );
    const line = { data: Float32Array.of(0, 1, 2, 10), rows: 4, cols: 1 };
    // Two centers on a line: whatever the first, the pair holds the far end and a row at least 8 away.
    const pair = [...(await selectWith('k-center', { embeddings: line }, { size: 2 })).ids];
    assert.ok(Math.abs(line.data[pair[0]] - line.data[pair[1]]) >= 8);
  });

  it('loss-proportional has variance 0', async () => {
    const sum = losses.reduce((a, b) => a + b, 0);
    assert.ok(
      exactVariance(
        losses,
        losses.map((loss) => loss / sum),
        10,
      ) <
        1e-20 * sum ** 2,
    );
    const { sample } = await selectWith('loss-proportional', input, { size: 25, scheme: 'hansen-hurwitz' });
    assert.ok(
      Math.abs(sample!.ids.reduce((s, id, j) => s + sample!.weights[j] * losses[id], 0) - sum) < 1e-9,
    );
  });

  it('are named in the message when unknown', async () => {
    await assert.rejects(selectWith('magic', input, { size: 1 }), {
      message: /strategy is "magic"; expected one of uniform, k-center/,
    });
  });
});
