import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Matrix32, takeRows } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { gasSensorRegression } from '../../data/datasets/index.ts';
import { drawSample } from '../sampling/draw-sample.ts';
import { mixWithUniform } from '../sensitivity.ts';
import { solveLeastSquares, squaredCost } from './least-squares.ts';
import { leverageScores } from './leverage.ts';
import { selectForRegression } from './select-for-regression.ts';

const rng = createRng(31);
function gaussian(rows: number, cols: number, scale: (j: number) => number = () => 1): Matrix32 {
  return {
    data: Float32Array.from({ length: rows * cols }, (_, i) => scale(i % cols) * rng.normal()),
    rows,
    cols,
  };
}

/** Gauss-Jordan inverse with pivoting, the obvious one. */
function inverse(a: number[][]): number[][] {
  const n = a.length;
  const m = a.map((line, i) => [...line, ...line.map((_, j) => Number(i === j))]);
  for (let c = 0; c < n; c++) {
    const pivot = m
      .slice(c)
      .reduce((best, line, i) => (Math.abs(line[c]) > Math.abs(m[best][c]) ? c + i : best), c);
    [m[c], m[pivot]] = [m[pivot], m[c]];
    m[c] = m[c].map((x) => x / m[c][c]);
    for (let r = 0; r < n; r++) if (r !== c) m[r] = m[r].map((x, j) => x - m[r][c] * m[c][j]);
  }
  return m.map((line) => line.slice(n));
}

/** Diagonal of A(AᵀA + ρI)⁻¹Aᵀ by definition. */
function hatDiagonal({ data, rows, cols }: Matrix32, ridge = 0): number[] {
  const gram = Array.from({ length: cols }, (_, i) =>
    Array.from({ length: cols }, (_, j) => {
      let sum = i === j ? ridge : 0;
      for (let e = 0; e < rows; e++) sum += data[e * cols + i] * data[e * cols + j];
      return sum;
    }),
  );
  const inv = inverse(gram);
  return Array.from({ length: rows }, (_, e) => {
    let value = 0;
    for (let i = 0; i < cols; i++)
      for (let j = 0; j < cols; j++) value += data[e * cols + i] * inv[i][j] * data[e * cols + j];
    return value;
  });
}

describe('leverageScores', () => {
  it('are the diagonal of the hat matrix and sum to the rank', async () => {
    const a = gaussian(120, 7);
    const { scores, rank, total } = await leverageScores(a);
    assert.equal(rank, 7);
    assert.ok(Math.abs(total - 7) < 1e-8);
    hatDiagonal(a).forEach((tau, e) => {
      assert.ok(Math.abs(scores[e] - tau) < 1e-10);
      assert.ok(scores[e] >= 0 && scores[e] <= 1);
    });
    const ridged = await leverageScores(a, { ridge: 30 });
    hatDiagonal(a, 30).forEach((tau, e) => {
      assert.ok(Math.abs(ridged.scores[e] - tau) < 1e-10);
    });
    assert.ok(ridged.total < 7);
  });

  it('give 1/count on a one-hot design', async () => {
    const labels = Array.from({ length: 90 }, (_, e) => (e * e) % 7);
    const a: Matrix32 = { data: new Float32Array(90 * 7), rows: 90, cols: 7 };
    const counts = new Map<number, number>();
    labels.forEach((label, e) => {
      a.data[e * 7 + label] = 1;
      counts.set(label, (counts.get(label) ?? 0) + 1);
    });
    const { scores, rank } = await leverageScores(a);
    assert.equal(rank, counts.size); // squares mod 7 miss three classes: their columns are 0
    labels.forEach((label, e) => {
      assert.ok(Math.abs(scores[e] - 1 / counts.get(label)!) < 1e-12);
    });
  });

  it('survive dependent columns and columns of very different units', async () => {
    const a = gaussian(80, 5, (j) => 10 ** (3 * j - 6));
    const plain = await leverageScores(a);
    assert.equal(plain.rank, 5);
    assert.ok(Math.abs(plain.total - 5) < 1e-8);
    const data = new Float32Array(80 * 8);
    for (let e = 0; e < 80; e++) {
      data.set(a.data.subarray(e * 5, e * 5 + 5), e * 8);
      data[e * 8 + 5] = 2 * a.data[e * 5 + 1]; // doubling is exact in float32
      data[e * 8 + 6] = -a.data[e * 5 + 4];
    }
    const dependent = await leverageScores({ data, rows: 80, cols: 8 });
    assert.equal(dependent.rank, 5);
    dependent.scores.forEach((score, e) => {
      assert.ok(Math.abs(score - plain.scores[e]) < 1e-8);
    });
    const zero = await leverageScores({ data: new Float32Array(12), rows: 4, cols: 3 });
    assert.deepEqual([zero.rank, zero.total], [0, 0]);
  });

  it('keep eight digits at condition number 10⁴', async () => {
    const a = gaussian(200, 6);
    for (let e = 0; e < 200; e++) a.data[e * 6 + 5] = a.data[e * 6] + 1e-4 * a.data[e * 6 + 5];
    const { scores, total } = await leverageScores(a);
    assert.ok(Math.abs(total - 6) < 1e-8);
    // The span is that of the differences, which float32 subtraction gives exactly (Sterbenz) where it matters.
    const well = gaussian(200, 6);
    for (let e = 0; e < 200; e++) {
      for (let j = 0; j < 5; j++) well.data[e * 6 + j] = a.data[e * 6 + j];
      well.data[e * 6 + 5] = a.data[e * 6 + 5] - a.data[e * 6];
    }
    hatDiagonal(well).forEach((tau, e) => {
      assert.ok(Math.abs(scores[e] - tau) < 1e-8, `row ${e}: ${scores[e] - tau}`);
    });
  });

  it('name rows that are not finite', async () => {
    const a = gaussian(10, 2);
    a.data[3] = Number.NaN;
    await assert.rejects(leverageScores(a), { code: 'NUMERICAL', message: /not finite/ });
    await assert.rejects(leverageScores(gaussian(4, 2), { ridge: -1 }), {
      code: 'INVALID_ARGUMENT',
      message: /ridge is -1/,
    });
  });
});

describe('solveLeastSquares', () => {
  const a = gaussian(150, 6);
  const x = Float64Array.of(1, -2, 0.5, 3, 0, 7);
  const exact = Float64Array.from({ length: 150 }, (_, e) =>
    x.reduce((sum, value, j) => sum + a.data[e * 6 + j] * value, 0),
  );

  it('recovers the coefficients from any full-rank sample when targets have no noise', () => {
    for (let seed = 0; seed < 10; seed++) {
      const { ids, weights } = drawSample(new Float64Array(150).fill(1), {
        size: 12,
        seed,
        scheme: 'fixed-size',
      });
      const found = solveLeastSquares(
        takeRows(a, ids),
        Float64Array.from(ids, (id) => exact[id]),
        { weights },
      );
      found.forEach((value, j) => {
        assert.ok(Math.abs(value - x[j]) < 1e-8);
      });
    }
  });

  it('with weights 1 is plain least squares, and satisfies the normal equations', () => {
    const noisy = exact.map((b) => b + rng.normal());
    const plain = solveLeastSquares(a, noisy);
    solveLeastSquares(a, noisy, { weights: new Float64Array(150).fill(1) }).forEach((value, j) => {
      assert.ok(Math.abs(value - plain[j]) < 1e-8);
    });
    const w = Float64Array.from({ length: 150 }, () => 0.1 + rng.next());
    for (const ridge of [0, 5]) {
      const fit = solveLeastSquares(a, noisy, { weights: w, ridge });
      for (let j = 0; j < 6; j++) {
        let gradient = ridge * fit[j];
        for (let e = 0; e < 150; e++) {
          const residual = fit.reduce((sum, value, i) => sum + a.data[e * 6 + i] * value, 0) - noisy[e];
          gradient += w[e] * a.data[e * 6 + j] * residual;
        }
        assert.ok(Math.abs(gradient) < 1e-9);
      }
    }
  });

  it('gives the shortest solution when columns depend or rows are few', () => {
    const twice: Matrix32 = {
      data: Float32Array.from({ length: 40 }, (_, i) => Math.floor(i / 2) + 1),
      rows: 20,
      cols: 2,
    };
    const found = solveLeastSquares(
      twice,
      Float64Array.from({ length: 20 }, (_, e) => 4 * (e + 1)),
    );
    assert.ok(Math.abs(found[0] - 2) < 1e-10 && Math.abs(found[1] - 2) < 1e-10);
    const wide = solveLeastSquares({ data: Float32Array.of(3, 4), rows: 1, cols: 2 }, [25]);
    assert.ok(Math.abs(wide[0] - 3) < 1e-10 && Math.abs(wide[1] - 4) < 1e-10);
  });

  it('names what is wrong', () => {
    assert.throws(() => solveLeastSquares(a, [1]), { code: 'SHAPE' });
    assert.throws(() => solveLeastSquares(a, exact.with(2, Number.NaN) as Float64Array), {
      message: /targets\[2\] is NaN/,
    });
    assert.throws(() => solveLeastSquares(a, exact, { ridge: -1 }), { message: /ridge is -1/ });
  });
});

describe('selectForRegression', () => {
  // A third of the gas sensor protocol: 4 000 rows, 33 columns, s = 8 d.
  const { features: points, targets } = gasSensorRegression({ rows: 4000, cols: 32 });
  const best = squaredCost(points, targets, solveLeastSquares(points, targets));

  it('asks k representatives and the sample, each once', async () => {
    const asked: number[] = [];
    const { value, certificate } = await selectForRegression(points, {
      size: 200,
      k: 20,
      targets: (ids) => {
        asked.push(...ids);
        return Float64Array.from(ids, (id) => targets[id]);
      },
    });
    assert.equal(new Set(asked).size, asked.length);
    assert.equal(value.queries, asked.length);
    assert.ok(asked.length >= 200 && asked.length <= 220);
    assert.equal(value.ids.length, 200);
    assert.equal(certificate.bound.value, Infinity);
    await assert.rejects(selectForRegression(points, { size: 10, beta: 2, targets: () => [] }), {
      message: /beta is 2/,
    });
    const scheme = 'systematic' as 'poisson';
    await assert.rejects(selectForRegression(points, { size: 10, scheme, targets: () => [] }), {
      message: /scheme is "systematic"/,
    });
  });

  it('keeps up with leverage scores and beats uniform where rows have heavy tails', async () => {
    const size = 264;
    const runs = 9;
    const ratios = { cluster: [] as number[], leverage: [] as number[], uniform: [] as number[] };
    const { scores } = await leverageScores(points);
    const p = { leverage: mixWithUniform(scores, 0), uniform: new Float64Array(4000).fill(1) };
    for (let seed = 0; seed < runs; seed++) {
      const { value } = await selectForRegression(points, {
        size,
        k: 26,
        seed,
        targets: (ids) => Float64Array.from(ids, (id) => targets[id]),
      });
      ratios.cluster.push(squaredCost(points, targets, value.coefficients) / best);
      for (const name of ['leverage', 'uniform'] as const) {
        const { ids, weights } = drawSample(p[name], { size, seed, scheme: 'fixed-size' });
        const fit = solveLeastSquares(
          takeRows(points, ids),
          Float64Array.from(ids, (id) => targets[id]),
          { weights },
        );
        ratios[name].push(squaredCost(points, targets, fit) / best);
      }
    }
    const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(runs / 2)];
    const [cluster, leverage, uniform] = [
      median(ratios.cluster),
      median(ratios.leverage),
      median(ratios.uniform),
    ];
    const told = `median cost/best: cluster ${cluster}, leverage ${leverage}, uniform ${uniform}`;
    // Fixed seeds; what is claimed of s ≥ 5d rows.
    assert.ok(cluster <= 1.1 * leverage, told);
    assert.ok(cluster <= 0.85 * uniform, told);
  });
});
