import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../core/rng.ts';
import { plantedStream } from '../data/datasets/index.ts';
import { allocateBudgets, centerLossCurve, clusterability, type LossCurve } from './index.ts';

describe('clusterability', () => {
  it('counts planted clusters, and every key of keys that have none', async () => {
    const { keys } = plantedStream({ rows: 1000, clusters: 16, dim: 32 });
    const rng = createRng(1);
    const normal = { ...keys, data: keys.data.map(() => rng.normal()) };
    const [none, planted, one] = await clusterability(keys, [0, 1, Infinity]);
    assert.deepEqual(
      [none, planted, one].map(({ clusters }) => clusters),
      [1000, 16, 1],
    );
    assert.equal(planted.share, 0.016);
    assert.deepEqual((await clusterability(normal, [1]))[0], { delta: 1, clusters: 1000, share: 1 });
  });

  it('refuses what is no radius or no matrix', async () => {
    const keys = { data: Float32Array.of(1, 2), rows: 1, cols: 2 };
    await assert.rejects(clusterability(keys, [1, -1]), { message: /deltas\[1\] is -1/ });
    await assert.rejects(clusterability({ ...keys, rows: 2 }, [1]), { code: 'SHAPE' });
    await assert.rejects(clusterability({ ...keys, data: Float32Array.of(1, Number.NaN) }, [1]), {
      message: /row 0, column 1/,
    });
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(clusterability(keys, [1], { signal }), /enough/);
  });
});

/** Least total loss by trying all combinations. */
function bestLoss(curves: LossCurve[], total: number): number {
  if (curves.length === 0) return total >= 0 ? 0 : Infinity;
  const [{ budgets, losses }, ...rest] = curves;
  let best = Infinity;
  for (let i = 0; i < budgets.length; i++)
    if (budgets[i] <= total) best = Math.min(best, losses[i] + bestLoss(rest, total - budgets[i]));
  return best;
}

const lossAt = ({ budgets, losses }: LossCurve, rows: number) => losses[Array.from(budgets).indexOf(rows)];

describe('allocateBudgets', () => {
  it('is the best of all allocations for convex curves with unit steps', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 3, max: 15 }),
      (seed, total) => {
        const rng = createRng(seed);
        const curves = Array.from({ length: 3 }, () => {
          const gains = Array.from({ length: 6 }, () => rng.integer(20)).sort((a, b) => b - a);
          let loss = 100;
          return { budgets: [1, 2, 3, 4, 5, 6, 7], losses: [100, ...gains.map((gain) => (loss -= gain))] };
        });
        const rows = allocateBudgets(curves, total);
        assert.ok(rows.reduce((a, b) => a + b) <= total);
        const loss = curves.reduce((sum, curve, head) => sum + lossAt(curve, rows[head]), 0);
        assert.equal(loss, bestLoss(curves, total));
      },
    );
    fc.assert(property, { seed: 1, numRuns: 200 });
  });

  it('sees past a step that gains nothing to the one behind it', () => {
    // Nothing happens until there are as many centers as clusters: then everything.
    const sudden = { budgets: [1, 2, 3, 4], losses: [10, 10, 10, 0] };
    const slow = { budgets: [1, 2, 3, 4], losses: [5, 4, 3, 2] };
    assert.deepEqual(allocateBudgets([slow, sudden], 6), [2, 4]);
    assert.deepEqual(allocateBudgets([slow, sudden], 4), [3, 1]); // the jump costs 3, there are 2 to share out
  });

  it('gives rows to the head whose keys do not cluster', async () => {
    const budgets = [4, 8, 16, 32, 64, 128];
    const { keys } = plantedStream({ rows: 400, clusters: 8, dim: 16, noise: 0.05 });
    const rng = createRng(2);
    const scattered = { ...keys, data: keys.data.map(() => rng.normal()) };
    const curves = [await centerLossCurve(keys, budgets), await centerLossCurve(scattered, budgets)];
    assert.ok(
      curves.every(({ losses }) => Array.from(losses).every((x, i) => i === 0 || x <= losses[i - 1])),
    );
    const [few, many] = allocateBudgets(curves, 136);
    assert.equal(few, 8);
    assert.equal(many, 128);
  });

  it('refuses budgets that do not ascend, and a total below the least', () => {
    const curve = { budgets: [2, 3], losses: [1, 0] };
    assert.throws(() => allocateBudgets([curve, curve], 3), { message: /total is 3; expected at least 4/ });
    assert.throws(() => allocateBudgets([{ ...curve, budgets: [3, 3] }], 9), {
      message: /curves\[0\].budgets\[1\] is 3; expected an integer ≥ 4/,
    });
    assert.deepEqual(allocateBudgets([], 3), []);
  });
});
