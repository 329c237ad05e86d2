import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { type Bags, bagMeans, bagsFromLists } from '../bags/bags.ts';
import { chunkBags, randomBags } from '../bags/chunks.ts';
import { optimalRho } from '../theory/optimal-rho.ts';
import type { AggregateData } from '../types.ts';
import { crossValidateRho } from './cross-validate.ts';
import { fitGlm } from './glm-fit.ts';
import { fitLinear, fitLinearPath } from './linear-fit.ts';

interface Made {
  data: AggregateData;
  theta: Float64Array;
  truth: Float64Array;
}

/** Gaussian features, ‖θ‖ = 1, noise of variance σ², random bags of k. */
function make(seed: number, n: number, d: number, k: number, variance: number): Made {
  const rng = createRng(seed).fork('cv data');
  const data = Float64Array.from({ length: n * d }, () => rng.normal());
  const theta = Float64Array.from({ length: d }, () => rng.normal());
  const norm = Math.hypot(...theta);
  for (let j = 0; j < d; j++) theta[j] /= norm;
  const truth = Float64Array.from({ length: n }, (_, i) => {
    let mean = 0;
    for (let j = 0; j < d; j++) mean += theta[j] * data[i * d + j];
    return mean;
  });
  const responses = truth.map((mean) => mean + Math.sqrt(variance) * rng.normal());
  const bags = randomBags({ samples: n, size: k, seed });
  return {
    data: { features: { data, rows: n, cols: d }, bags, means: bagMeans(responses, bags) },
    theta,
    truth,
  };
}

function risk(coefficients: Float64Array, theta: Float64Array): number {
  return coefficients.reduce((sum, x, j) => sum + (x - theta[j]) ** 2, 0);
}

describe('crossValidateRho', () => {
  it('costs at most 1.2 × the risk at the best ρ of theory, and less than both ends: d = 50, ψ = 8, k = 5, SNR 1, 40 seeds', async () => {
    const best = optimalRho({ psi: 8, bagSize: 5, signal: 1, noise: 1 }).rho;
    const totals = { chosen: 0, atBest: 0, bagLevel: 0, instanceLevel: 0 };
    for (let seed = 0; seed < 40; seed++) {
      const { data, theta } = make(seed, 400, 50, 5, 1);
      const { value } = await fitLinear(data, { rho: 'cv', seed, intercept: false });
      const ends = await fitLinearPath(data, [best, 0, 1], { intercept: false });
      totals.chosen += risk(value.coefficients, theta) / 40;
      totals.atBest += risk(ends.coefficients[0], theta) / 40;
      totals.bagLevel += risk(ends.coefficients[1], theta) / 40;
      totals.instanceLevel += risk(ends.coefficients[2], theta) / 40;
    }
    // Fixed seeds. Expected of these sizes: about .52 at the best ρ, 1.7 and .69 at the ends.
    const told = JSON.stringify(totals);
    assert.ok(totals.chosen <= 1.2 * totals.atBest, told);
    assert.ok(totals.chosen < totals.bagLevel && totals.chosen < totals.instanceLevel, told);
  });

  it('is beaten by rho "theory" on few random bags: d = 50, ψ = 8, k = 5 and d = 5, ψ = 40, k = 10, SNR 1, 30 seeds', async () => {
    for (const { n, d, k } of [
      { n: 400, d: 50, k: 5 },
      { n: 200, d: 5, k: 10 },
    ]) {
      const totals = { theory: 0, chosen: 0, atBest: 0 };
      const best = optimalRho({ psi: n / d, bagSize: k, signal: 1, noise: 1 }).rho;
      for (let seed = 0; seed < 30; seed++) {
        const { data, theta } = make(seed, n, d, k, 1);
        const { value } = await fitLinear(data, { rho: 'theory', intercept: false });
        const chosen = await fitLinear(data, { rho: 'cv', seed, intercept: false });
        const ideal = await fitLinearPath(data, [best], { intercept: false });
        totals.theory += risk(value.coefficients, theta) / 30;
        totals.chosen += risk(chosen.value.coefficients, theta) / 30;
        totals.atBest += risk(ideal.coefficients[0], theta) / 30;
      }
      // Fixed seeds. With 20 bags the estimates of signal and noise cost a quarter, folds still more.
      const told = JSON.stringify(totals);
      assert.ok(totals.theory < totals.chosen && totals.theory < 1.3 * totals.atBest, told);
    }
  });

  it('scores by refits without the fold: the obvious computation', async () => {
    const { data } = make(3, 90, 4, 3, 0.5);
    // Unequal bags: two joined.
    const offsets = Uint32Array.from([0, ...data.bags.offsets.subarray(2)]);
    const bags: Bags = { ...data.bags, offsets };
    const means = data.means.slice(1);
    const unequal = { ...data, bags, means };
    const grid = [0, 0.1, 1];
    // As many folds as bags: each bag is held out alone, whatever the seed.
    const found = await crossValidateRho(unequal, { grid, folds: means.length });
    for (const [g, rho] of grid.entries()) {
      let squares = 0;
      for (let held = 0; held < means.length; held++) {
        const kept = means.map((_, a) => a).filter((a) => a !== held);
        const lists = Array.from(kept, (a) => bags.members.subarray(offsets[a], offsets[a + 1]));
        const { value } = await fitLinear(
          {
            ...data,
            bags: bagsFromLists(lists, 90),
            means: Float64Array.from(kept, (a) => means[a]),
          },
          { rho, unassigned: 'ignore' },
        );
        const predicted = bagMeans(value.model.predict(data.features), bags)[held];
        squares += (offsets[held + 1] - offsets[held]) * (means[held] - predicted) ** 2;
      }
      assert.ok(Math.abs(found.scores[g] - squares / 90) < 1e-11);
    }
  });

  it('reports grid, theory and one standard error, and repeats with the seed', async () => {
    const { data } = make(5, 600, 6, 4, 1);
    const found = await crossValidateRho(data, { seed: 3 });
    assert.equal(found.grid.length, 15);
    assert.ok(found.grid.includes(found.theoryRho!));
    assert.ok(found.oneStandardError >= found.rho);
    assert.deepEqual(found.grid, found.grid.slice().sort());
    const again = await crossValidateRho(data, { seed: 3 });
    assert.deepEqual(again, found);
    const other = await crossValidateRho(data, { seed: 4 });
    assert.notDeepEqual(other.scores, found.scores);
    const { value } = await fitLinear(data, { rho: 'cv', oneStandardError: true, seed: 3 });
    assert.equal(value.rho, found.oneStandardError);
    const three = await crossValidateRho(data, { grid: [1, 3, 0] });
    assert.deepEqual(three.grid, Float64Array.of(0, 1, 3));
  });

  it('is not moved by a common unit of the response, and tells the noise that is in its scores', async () => {
    const { data } = make(6, 300, 3, 3, 1);
    const noiseVariance = new Float64Array(100).fill(0.25);
    const found = await crossValidateRho({ ...data, noiseVariance });
    assert.ok(Math.abs(found.noiseVariance - 0.25) < 1e-15);
    const scaled = await crossValidateRho({ ...data, means: data.means.map((y) => 1000 * y) });
    assert.equal(scaled.rho, found.rho);
  });

  it('warns of bags that were sorted by a model, unless only random ones validate', async () => {
    const { data, truth } = make(7, 1200, 5, 6, 1);
    const half = 600;
    const random = randomBags({ samples: half, size: 6, seed: 1 });
    const sorted = chunkBags(truth.subarray(half), { size: 6, seed: 1 });
    const bags: Bags = {
      samples: 1200,
      members: Uint32Array.of(...random.members, ...sorted.members.map((i) => i + half)),
      offsets: Uint32Array.of(...random.offsets, ...sorted.offsets.subarray(1).map((o) => o + half)),
    };
    const pooled = { ...data, bags, means: bagMeans(truth, bags) };
    const blind = await crossValidateRho(pooled);
    assert.match(blind.warnings.join(), /look curated/);
    const { certificate } = await fitLinear(pooled, { rho: 'cv' });
    assert.ok(certificate.warnings.some((text) => /look curated/.test(text)));
    const byTheory = await fitLinear(pooled, { rho: 'theory' });
    assert.ok(byTheory.certificate.warnings.some((text) => /look curated/.test(text)));
    const validationBags = Uint32Array.from({ length: 100 }, (_, a) => a);
    const aware = await crossValidateRho(pooled, { validationBags });
    assert.deepEqual(aware.warnings, []);
    // Random bags of many seeds raise no alarm.
    for (let seed = 0; seed < 60; seed++) {
      const { warnings } = await crossValidateRho(make(seed, 240, 12, 4, 1).data, { grid: [0.5] });
      assert.deepEqual(warnings, []);
    }
  });

  it('works for generalised linear models by the same rules', async () => {
    const { data, truth } = make(8, 800, 3, 4, 0);
    const rng = createRng(8).fork('labels');
    const labels = truth.map((eta) => Number(rng.next() < 1 / (1 + Math.exp(-2 * eta))));
    const logistic = { ...data, means: bagMeans(labels, data.bags) };
    const { value } = await fitGlm(logistic, { family: 'logistic', rho: 'cv', grid: [0, 0.1, 1] });
    const { grid, scores } = value.crossValidation!;
    assert.deepEqual(grid, Float64Array.of(0, 0.1, 1));
    // Random bags shrink the instance-level fit to a quarter: with 200 bags for four parameters that is far worse.
    assert.ok(scores[2] > scores[0]);
    assert.equal(value.rho, grid[scores.indexOf(Math.min(...scores))]);
  });

  it('rejects what it cannot do', async () => {
    const { data } = make(9, 30, 2, 3, 1);
    await assert.rejects(crossValidateRho(data, { folds: 1 }), { message: /folds is 1/ });
    await assert.rejects(crossValidateRho(data, { folds: 11 }), { message: /10 bags may validate/ });
    await assert.rejects(crossValidateRho(data, { grid: [] }), { message: /grid is empty/ });
    await assert.rejects(crossValidateRho(data, { grid: [-1] }), { message: /grid\[0\] is -1/ });
    await assert.rejects(crossValidateRho(data, { validationBags: [10] }), {
      message: /validationBags\[0\] is 10/,
    });
    await assert.rejects(crossValidateRho(data, { validationBags: [1, 1, 1] }), {
      message: /folds is 1|1 bags/,
    });
    await assert.rejects(fitLinear(make(9, 20, 4, 4, 1).data, { rho: 'theory' }), {
      code: 'INVALID_ARGUMENT',
      message: /rho is "theory" with 5 bags for 4 features/,
    });
    await assert.rejects(crossValidateRho(data, { seed: -1 }), { message: /seed is -1/ });
  });
});
