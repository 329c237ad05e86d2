import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { bagsFromLists } from '../bags/bags.ts';
import { conditionalRisk } from './conditional-risk.ts';

/** Solves the d × d system by Gauss-Jordan with pivoting: a second opinion on the factorisation. */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const d = rows.length;
  for (let c = 0; c < d; c++) {
    const pivot = rows.slice(c).reduce((best, row) => (Math.abs(row[c]) > Math.abs(best[c]) ? row : best));
    rows[rows.indexOf(pivot)] = rows[c];
    rows[c] = pivot.map((value) => value / pivot[c]);
    for (let r = 0; r < d; r++) if (r !== c) rows[r] = rows[r].map((v, j) => v - rows[r][c] * rows[c][j]);
  }
  return rows.map((row) => row[d]);
}

describe('conditionalRisk', () => {
  const rng = createRng(4);
  const [n, d] = [24, 3];
  const features = { data: Float64Array.from({ length: n * d }, () => rng.normal() + 0.3), rows: n, cols: d };
  const theta = [0.7, -1.2, 0.4];
  const lists = Array.from({ length: 6 }, (_, a) => [0, 1, 2, 3].map((i) => 4 * a + i));
  const bags = bagsFromLists(lists, n);
  const mu = Array.from({ length: n }, (_, i) =>
    theta.reduce((s, t, j) => s + t * features.data[i * d + j], 0),
  );

  for (const [rho, released] of [
    [1, false],
    [0.2, true],
  ] as const) {
    it(`is the mean of 40 000 draws within 2 %, at ρ = ${rho}${released ? ' with noisy answers' : ''}`, () => {
      const v = Float64Array.from(lists, (_, a) => (released ? 0.1 * (a + 1) : 0));
      const row = (i: number) => Array.from(features.data.subarray(i * d, (i + 1) * d));
      const mean = lists.map((list) => row(0).map((_, j) => list.reduce((s, i) => s + row(i)[j], 0) / 4));
      const matrix = row(0).map((_, j) =>
        row(0).map((__, l) =>
          lists.reduce((sum, list, a) => {
            const squares = list.reduce((s, i) => s + row(i)[j] * row(i)[l], 0);
            return sum + (1 - rho) * 4 * mean[a][j] * mean[a][l] + rho * squares;
          }, 0),
        ),
      );
      const noise = 0.8;
      const draw = createRng(9);
      let total = 0;
      const runs = 40_000;
      for (let run = 0; run < runs; run++) {
        const answers = lists.map((list, a) => {
          const labels = list.reduce((s, i) => s + mu[i] + Math.sqrt(noise) * draw.normal(), 0) / 4;
          return labels + Math.sqrt(v[a]) * draw.normal();
        });
        const right = row(0).map((_, j) => lists.reduce((s, __, a) => s + 4 * mean[a][j] * answers[a], 0));
        total += solve(matrix, right).reduce((s, value, j) => s + (value - theta[j]) ** 2, 0) / runs;
      }
      const { risk } = conditionalRisk(features, bags, theta, { noise, rho, noiseVariance: v });
      // A squared norm of three normals spreads by at most √2 of its mean: 2 % is 2.8 standard errors at the very
      // least and 5 with the bias that dominates here; the seed is fixed.
      assert.ok(Math.abs(total / risk - 1) < 0.02, `${total} against ${risk}`);
    });
  }

  it('is ordinary least squares for bags of one, without bias at any ρ', () => {
    const single = bagsFromLists(
      Array.from({ length: n }, (_, i) => [i]),
      n,
    );
    const at = (rho: number) => conditionalRisk(features, single, theta, { noise: 1, rho });
    assert.equal(at(1).squaredBias, 0);
    assert.equal(at(1).withinBagSquares, 0);
    assert.equal(at(0).risk, at(5).risk);
  });

  it('counts the within-bag sum of squares of the true means, which bounds the bias', () => {
    const { withinBagSquares } = conditionalRisk(features, bags, theta, { noise: 1 });
    const squares = lists.reduce((sum, list) => {
      const mean = list.reduce((s, i) => s + mu[i], 0) / 4;
      return sum + list.reduce((s, i) => s + (mu[i] - mean) ** 2, 0);
    }, 0);
    assert.ok(Math.abs(withinBagSquares / squares - 1) < 1e-12);
  });

  it('says where no fit is unique and what does not fit', () => {
    const one = bagsFromLists([[0, 1, 2, 3]], n);
    assert.throws(() => conditionalRisk(features, one, theta, { noise: 1, rho: 0 }), { code: 'NUMERICAL' });
    assert.throws(() => conditionalRisk(features, bags, [1], { noise: 1 }), /theta has length 1; expected 3/);
    assert.throws(() => conditionalRisk(features, bags, theta, { noise: NaN }), /noise is NaN/);
  });
});
