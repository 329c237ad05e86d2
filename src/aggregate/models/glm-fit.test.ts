import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Matrix64 } from '../../core/matrix.ts';
import { createRng } from '../../core/rng.ts';
import { bagMeans } from '../bags/bags.ts';
import { randomBags } from '../bags/chunks.ts';
import { singletonBags } from '../bags/simple.ts';
import { interpolatingLoss } from '../losses/losses.ts';
import { gradientDescent, plainInterpolatingLoss } from '../oracle.ts';
import type { AggregateData } from '../types.ts';
import { fitGlm, type GlmFit, type GlmFitOptions } from './glm-fit.ts';
import type { GlmFamily } from './glm-model.ts';

function make(seed: number, n: number, k: number, family: GlmFamily): AggregateData {
  const rng = createRng(seed).fork(family);
  const features: Matrix64 = {
    data: Float64Array.from({ length: n * 2 }, () => rng.normal()),
    rows: n,
    cols: 2,
  };
  const labels = Float64Array.from({ length: n }, (_, i) => {
    const eta = 0.2 + 0.8 * features.data[2 * i] - 0.5 * features.data[2 * i + 1];
    if (family === 'logistic') return Number(rng.next() < 1 / (1 + Math.exp(-eta)));
    // Poisson by counting exponential waiting times.
    let count = -1;
    for (let t = 0; t < Math.exp(eta); count++) t -= Math.log1p(-rng.next());
    return count;
  });
  const bags = k === 1 ? singletonBags({ samples: n }) : randomBags({ samples: n, size: k, seed });
  return { features, bags, means: bagMeans(labels, bags) };
}

const predictionsAt = (
  { data, rows }: Matrix64,
  [a, b, c]: ArrayLike<number> & Iterable<number>,
): Float64Array => Float64Array.from({ length: rows }, (_, i) => a + b * data[2 * i] + c * data[2 * i + 1]);

describe('fitGlm', () => {
  for (const family of ['logistic', 'poisson'] as const) {
    it(`ends where long gradient descent on the ${family} loss by definition ends`, async () => {
      const data = make(1, 60, 3, family);
      // Curvature: below ¼ · 3 for logistic loss, and about the greatest rate times three for Poisson.
      const descent = { step: family === 'logistic' ? 2 : 0.05, iterations: 6000 };
      for (const aggregateIn of ['mean', 'link'] as const) {
        for (const rho of [0, 0.3, 1]) {
          const { value } = await fitGlm(data, { family, rho, aggregateIn, ridge: 0.6 });
          assert.ok(value.converged);
          const ridge = ([, b, c]: Float64Array): number => (0.6 * (b * b + c * c)) / 2 / 60;
          const f = (p: Float64Array): number =>
            plainInterpolatingLoss(predictionsAt(data.features, p), data, rho, family, aggregateIn) +
            ridge(p);
          // Gradients that the tests of the losses hold against differences.
          const slope = (p: Float64Array): Float64Array => {
            const { gradient } = interpolatingLoss(predictionsAt(data.features, p), data, {
              loss: family,
              rho,
              aggregateIn,
            });
            const sums = Float64Array.of(0, (0.6 * p[1]) / 60, (0.6 * p[2]) / 60);
            gradient.forEach((g, i) => {
              sums[0] += g;
              sums[1] += g * data.features.data[2 * i];
              sums[2] += g * data.features.data[2 * i + 1];
            });
            return sums;
          };
          const end = gradientDescent(slope, new Float64Array(3), descent);
          const found = Float64Array.of(value.intercept, ...value.coefficients);
          found.forEach((x, j) => {
            assert.ok(Math.abs(x - end[j]) < 1e-8, `${aggregateIn} ${rho} [${j}]: ${x} ${end[j]}`);
          });
          assert.ok(f(found) <= f(end) + 1e-14);
          assert.ok(Math.abs(value.loss - f(found)) < 1e-12);
          assert.ok(Math.hypot(...slope(found)) < 1e-10);
        }
      }
    });

    it(`is one ${family} fit for bags of one, whatever ρ and scale`, async () => {
      const data = make(2, 200, 1, family);
      const fits: GlmFit[] = [];
      for (const aggregateIn of ['mean', 'link'] as const) {
        for (const rho of [0, 0.4, 1]) fits.push((await fitGlm(data, { family, rho, aggregateIn })).value);
      }
      for (const { coefficients, intercept } of fits) {
        assert.ok(Math.abs(intercept - fits[0].intercept) < 1e-10);
        coefficients.forEach((b, j) => {
          assert.ok(Math.abs(b - fits[0].coefficients[j]) < 1e-10);
        });
      }
    });
  }

  it('bounds how far the objective is from its minimum, and lets a poor fit show', async () => {
    const data = make(3, 400, 4, 'logistic');
    const objective = async (options: Partial<GlmFitOptions>) =>
      fitGlm(data, { family: 'logistic', rho: 1, ridge: 4, ...options });
    const best = await objective({});
    assert.ok(best.certificate.bound.value < 1e-10);
    assert.equal(best.certificate.bound.failureProbability, 0);
    // One step from a constant model leaves a gap, which the bound must cover.
    const early = await objective({ maxIterations: 1 });
    assert.ok(!early.value.converged);
    assert.ok(early.certificate.warnings.some((text) => /before it converged/.test(text)));
    const gap = early.value.loss - best.value.loss;
    assert.ok(gap > 0 && gap <= early.certificate.bound.value, `${gap} ${early.certificate.bound.value}`);
    const mean = await objective({ rho: 0.5 });
    assert.equal(mean.certificate.bound.value, Infinity);
    assert.ok(mean.certificate.warnings.some((text) => /not convex/.test(text)));
    const link = await objective({ rho: 0.5, aggregateIn: 'link' });
    assert.ok(link.certificate.bound.value < 1e-10);
    const bare = await objective({ ridge: 0 });
    assert.equal(bare.certificate.bound.value, Infinity);
  });

  it('does not penalise the intercept, and does not depend on where features lie', async () => {
    const data = make(4, 300, 3, 'logistic');
    const { value } = await fitGlm(data, { family: 'logistic', rho: 1, ridge: 1e12 });
    const mean = data.means.reduce((sum, y) => sum + y / 100, 0);
    assert.ok(Math.abs(1 / (1 + Math.exp(-value.intercept)) - mean) < 1e-9);
    const near = await fitGlm(data, { family: 'logistic', rho: 0.5 });
    const moved = { ...data.features, data: data.features.data.map((x) => x + 1e6) };
    const far = await fitGlm({ ...data, features: moved }, { family: 'logistic', rho: 0.5 });
    far.value.coefficients.forEach((b, j) => {
      // Features about 1e6 are rounded to 1e-10.
      assert.ok(Math.abs(b - near.value.coefficients[j]) < 1e-8);
    });
    const through = await fitGlm(data, { family: 'logistic', rho: 0.5, intercept: false });
    assert.equal(through.value.intercept, 0);
    assert.ok(through.value.converged);
  });

  it('survives bags that a hyperplane separates, by its default ridge', async () => {
    const features: Matrix64 = {
      data: Float64Array.from({ length: 40 }, (_, i) => i - 19.5),
      rows: 40,
      cols: 1,
    };
    const bags = {
      samples: 40,
      members: Uint32Array.from({ length: 40 }, (_, i) => i),
      offsets: Uint32Array.from({ length: 11 }, (_, a) => 4 * a),
    };
    const means = Float64Array.from({ length: 10 }, (_, a) => Number(a >= 5));
    const { value } = await fitGlm({ features, bags, means }, { family: 'logistic', rho: 1 });
    assert.ok(value.converged && Number.isFinite(value.coefficients[0]));
    const none = await fitGlm({ features, bags, means: new Float64Array(10) }, { family: 'poisson', rho: 1 });
    assert.ok(none.value.model.predict(features).every((rate) => rate >= 0 && rate < 1e-3));
  });

  it('clips noisy proportions by default, keeps them on request, and refuses them without noise', async () => {
    const data = make(5, 200, 2, 'logistic');
    const means = data.means.map((y, a) => (a % 4 === 0 ? y - 0.3 : y + 0.1));
    await assert.rejects(fitGlm({ ...data, means }, { family: 'logistic', rho: 1 }), {
      code: 'DATA',
      message: /mean of bag \d+ is -?[\d.]+; expected a proportion in \[0, 1\]/,
    });
    const noisy = { ...data, means, noiseVariance: new Float64Array(100).fill(0.1) };
    const clipped = await fitGlm(noisy, { family: 'logistic', rho: 1 });
    assert.ok(clipped.value.clipped > 0);
    assert.ok(clipped.certificate.warnings.some((text) => /clipped/.test(text)));
    const byHand = await fitGlm(
      { ...data, means: means.map((y) => Math.min(1, Math.max(0, y))) },
      { family: 'logistic', rho: 1 },
    );
    assert.deepEqual(clipped.value.coefficients, byHand.value.coefficients);
    const kept = await fitGlm(noisy, { family: 'logistic', rho: 1, outOfRange: 'keep' });
    assert.equal(kept.value.clipped, 0);
    assert.notDeepEqual(kept.value.coefficients, clipped.value.coefficients);
    // The score Σ x (p − ȳ) is linear in ȳ, so that the mean prediction is the mean of the noisy answers.
    const predicted = kept.value.model.predict(data.features).reduce((sum, p) => sum + p / 200, 0);
    const answered = means.reduce((sum, y) => sum + y / 100, 0);
    assert.ok(Math.abs(predicted - answered) < 1e-9);
    await assert.rejects(fitGlm({ ...data, means: means.map(() => -1) }, { family: 'poisson', rho: 1 }), {
      message: /bag 0 is -1; expected a rate ≥ 0/,
    });
  });

  it('covers the coefficients by its intervals for individual labels', async () => {
    let covered = 0;
    for (let seed = 0; seed < 150; seed++) {
      const data = make(1000 + seed, 300, 1, 'logistic');
      const { value } = await fitGlm(data, { family: 'logistic', rho: 1, confidence: 0.9 });
      const { low, high } = value.inference!.intervals[0];
      if (low <= 0.8 && 0.8 <= high) covered++;
    }
    // Binomial(150, 0.9) has deviation 3.7; five of them, and 2 % for the approximation.
    assert.ok(covered >= 114 && covered < 150, `${covered}`);
  });

  it('rejects bad options by name, and stops when told', async () => {
    const data = make(6, 30, 3, 'logistic');
    const rejects = (options: object, message: RegExp) =>
      assert.rejects(fitGlm(data, { family: 'logistic', rho: 0.5, ...options }), { message });
    await rejects({ rho: 1.5 }, /rho is 1.5; expected a number in \[0, 1\]/);
    await rejects({ rho: -1 }, /rho is -1/);
    await rejects({ family: 'probit' }, /family is "probit"/);
    await rejects({ aggregateIn: 'logit' }, /aggregateIn is "logit"/);
    await rejects({ outOfRange: 'drop' }, /outOfRange is "drop"/);
    await rejects({ ridge: Number.NaN }, /ridge is NaN/);
    await rejects({ grid: [0, 2], rho: 'cv' }, /grid\[1\] is 2/);
    await rejects({ maxIterations: 0 }, /maxIterations is 0/);
    await rejects({ signal: AbortSignal.abort(new Error('stop')) }, /stop/);
  });
});
