import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Matrix64 } from '../../core/matrix.ts';
import { createRng, shuffle } from '../../core/rng.ts';
import { type Bags, bagMeans, bagOfEach, bagsFromLists } from '../bags/bags.ts';
import { interpolatingLoss } from '../losses/losses.ts';
import { WEIGHTINGS } from '../losses/weights.ts';
import { gradientDescent, plainInterpolatingLoss, plainLinearFit } from '../oracle.ts';
import type { AggregateData } from '../types.ts';
import { fitLinear, fitLinearPath } from './linear-fit.ts';

interface Made extends AggregateData {
  responses: Float64Array;
}

/** n samples of a linear truth with intercept 1, in bags of the given sizes, taken in turn. */
function make(seed: number, n: number, d: number, sizes: readonly number[], offset: number = 0): Made {
  const rng = createRng(seed);
  const features: Matrix64 = {
    data: Float64Array.from({ length: n * d }, () => offset + rng.normal()),
    rows: n,
    cols: d,
  };
  const responses = Float64Array.from({ length: n }, (_, i) => {
    let y = 1 + 0.3 * rng.normal();
    for (let j = 0; j < d; j++) y += ((j % 3) - 0.5) * (features.data[i * d + j] - offset);
    return y;
  });
  const order = shuffle(
    Array.from({ length: n }, (_, i) => i),
    rng,
  );
  const lists: number[][] = [];
  for (let at = 0; at < n; ) {
    const size = Math.min(n - at, sizes[lists.length % sizes.length]);
    lists.push(order.slice(at, at + size));
    at += size;
  }
  const bags = bagsFromLists(lists, n);
  return { features, bags, means: bagMeans(responses, bags), responses };
}

async function fitted(data: AggregateData, options: Parameters<typeof fitLinear>[1]) {
  const { value } = await fitLinear(data, options);
  return [value.intercept, ...value.coefficients];
}

function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i++) {
    assert.ok(Math.abs(found[i] - expected[i]) <= tolerance, `[${i}]: ${found[i]} ${expected[i]}`);
  }
}

describe('fitLinear', () => {
  it('is where long gradient descent on the loss by definition ends', async () => {
    const data = make(3, 90, 3, [2, 5, 1, 4]);
    const predict = (point: Float64Array): Float64Array =>
      Float64Array.from({ length: 90 }, (_, i) => {
        let eta = point[0];
        for (let j = 0; j < 3; j++) eta += point[1 + j] * data.features.data[i * 3 + j];
        return eta;
      });
    const bagOf = bagOfEach(data.bags);
    for (const rho of [0, 0.2, 1, 2]) {
      const end = gradientDescent(
        (point) => {
          // 2 [(f̄ − ȳ) + ρ (f − f̄)] / n for each sample.
          const predictions = predict(point);
          const means = bagMeans(predictions, data.bags);
          const gradient = new Float64Array(4);
          for (let i = 0; i < 90; i++) {
            const a = bagOf[i];
            const slope = (2 / 90) * (means[a] - data.means[a] + rho * (predictions[i] - means[a]));
            gradient[0] += slope;
            for (let j = 0; j < 3; j++) gradient[1 + j] += slope * data.features.data[i * 3 + j];
          }
          return gradient;
        },
        new Float64Array(4),
        // Curvature: at most twice the greatest eigenvalue of XᵀX/n, about 1.5, times max(1, ρ).
        { step: 0.25 / Math.max(1, rho), iterations: 3000 },
      );
      const found = Float64Array.from(await fitted(data, { rho }));
      assertClose(found, end, 1e-8);
      // The gradient above is that of the loss by definition: no neighbour is lower.
      const f = (point: Float64Array): number => plainInterpolatingLoss(predict(point), data, rho);
      for (let j = 0; j < 4; j++) {
        for (const step of [-1e-4, 1e-4])
          assert.ok(f(found.with(j, found[j] + step) as Float64Array) > f(found));
      }
    }
  });

  it('is the solution of the normal equations by definition, with a ridge that spares the intercept', async () => {
    const data = make(4, 120, 4, [3, 1, 6], 5);
    for (const rho of [0, 0.1, 1, 3]) {
      for (const ridge of [0, 2.5]) {
        // Elimination with features about 5 loses some 4 of 16 digits.
        assertClose(await fitted(data, { rho, ridge }), plainLinearFit(data, rho, ridge), 1e-10);
      }
    }
    // A huge ridge leaves the mean response alone.
    const [intercept, ...rest] = await fitted(data, { rho: 0.5, ridge: 1e15 });
    assertClose(rest, [0, 0, 0, 0], 1e-10);
    const weighted = data.responses.reduce((sum, y) => sum + y / 120, 0);
    assert.ok(Math.abs(intercept - weighted) < 1e-10);
  });

  it('is ordinary least squares for bags of one, whatever ρ', async () => {
    const data = make(5, 60, 4, [1]);
    const expected = plainLinearFit(data, 1);
    for (const rho of [0, 1e-9, 0.4, 1, 7]) assertClose(await fitted(data, { rho }), expected, 1e-12);
    const path = await fitLinearPath(data, [0, 0.5, 1]);
    for (const coefficients of path.coefficients) assertClose(coefficients, path.coefficients[0], 1e-13);
  });

  it('has the same prediction at the mean of the features for every ρ: the intercept plays no part within bags', async () => {
    const data = make(6, 100, 3, [2, 3]);
    const mean: Matrix64 = { data: new Float64Array(3), rows: 1, cols: 3 };
    data.features.data.forEach((x, i) => {
      mean.data[i % 3] += x / 100;
    });
    const overall = data.responses.reduce((sum, y) => sum + y / 100, 0);
    for (const rho of [0, 0.3, 1, 5]) {
      const { value } = await fitLinear(data, { rho });
      assert.ok(Math.abs(value.model.predict(mean)[0] - overall) < 1e-12);
    }
    // And centred features give the same intercept outright.
    const centred = { ...data, features: { ...data.features, data: data.features.data.slice() } };
    centred.features.data.forEach((_, i) => {
      centred.features.data[i] -= mean.data[i % 3];
    });
    const intercepts = [];
    for (const rho of [0, 0.3, 1]) intercepts.push((await fitLinear(centred, { rho })).value.intercept);
    assertClose(intercepts, [overall, overall, overall], 1e-12);
  });

  it('follows permutations, units of the response and of the features', async () => {
    const property = fc.asyncProperty(
      fc.nat(1000),
      fc.constantFrom(0, 0.2, 1),
      fc.integer({ min: -3, max: 3 }),
      async (seed, rho, exponent) => {
        const data = make(seed, 60, 3, [2, 4, 3]);
        const rng = createRng(seed).fork('invariance');
        const { value } = await fitLinear(data, { rho });
        const expected = value.model.predict(data.features);

        const order = shuffle(
          Array.from({ length: data.means.length }, (_, a) => a),
          rng,
        );
        const lists = order.map((a) =>
          shuffle(
            Array.from(data.bags.members.subarray(data.bags.offsets[a], data.bags.offsets[a + 1])),
            rng,
          ),
        );
        const bags: Bags = bagsFromLists(lists, 60);
        const shuffled = await fitLinear(
          { ...data, bags, means: Float64Array.from(order, (a) => data.means[a]) },
          { rho },
        );
        assertClose(shuffled.value.model.predict(data.features), expected, 1e-8);

        const alpha = 2 ** exponent;
        const moved = await fitLinear({ ...data, means: data.means.map((y) => alpha * y - 7) }, { rho });
        assertClose(
          moved.value.model.predict(data.features),
          expected.map((y) => alpha * y - 7),
          1e-8,
        );

        // X → XA with A = I + a strictly upper triangle + units: invertible.
        const a = Array.from({ length: 3 }, (_, i) =>
          Array.from({ length: 3 }, (_, j) => (i === j ? 4 ** (i - 1) : i < j ? rng.normal() : 0)),
        );
        const turned: Matrix64 = { ...data.features, data: new Float64Array(180) };
        for (let i = 0; i < 60; i++) {
          for (let j = 0; j < 3; j++) {
            for (let l = 0; l < 3; l++) turned.data[i * 3 + j] += data.features.data[i * 3 + l] * a[l][j];
          }
        }
        const other = await fitLinear({ ...data, features: turned }, { rho });
        assertClose(other.value.model.predict(turned), expected, 1e-8);
      },
    );
    await fc.assert(property, { seed: 3, numRuns: 30 });
  });

  it('keeps its digits for features about 1e8', async () => {
    const near = make(7, 200, 3, [4]);
    const far = make(7, 200, 3, [4], 1e8);
    for (const rho of [0, 0.3]) {
      const { value: a } = await fitLinear(near, { rho });
      const { value: b } = await fitLinear(far, { rho });
      // The features themselves are rounded to 1.5e-8 there, and the responses were made from the rounded ones.
      assertClose(b.coefficients, a.coefficients, 1e-7);
      assertClose(b.model.predict(far.features), a.model.predict(near.features), 1e-6);
      assert.ok(!b.rankDeficient);
    }
  });

  it('gives the shortest coefficients and says so where bags are fewer than features', async () => {
    const data = make(8, 40, 12, [5]);
    const { value, certificate } = await fitLinear(data, { rho: 0 });
    assert.ok(value.rankDeficient);
    assert.equal(value.rank, 7); // eight bags about their mean
    assert.equal(certificate.bound.value, Infinity);
    assert.ok(certificate.warnings.some((text) => /shortest of many/.test(text)));
    // It fits all bags, and the limit of vanishing ridges is the shortest solution.
    const predictions = bagMeans(value.model.predict(data.features), data.bags);
    assertClose(predictions, data.means, 1e-9);
    // λ moves the coefficients by about λ, and rounding of b out of the range of G by 1e-15/λ.
    const limit = await fitLinear(data, { rho: 0, ridge: 1e-7 });
    assertClose(value.coefficients, limit.value.coefficients, 1e-5);
  });

  it('takes dependent features and ones that do not vary for what they are, whatever their units', async () => {
    const data = make(9, 80, 4, [2]);
    const { features } = data;
    for (let i = 0; i < 80; i++) {
      features.data[i * 4 + 1] = 2 * features.data[i * 4]; // twice feature 0
      features.data[i * 4 + 2] = 1e8 + 0.3; // does not vary
      features.data[i * 4 + 3] *= 1e-9; // varies, in a small unit
    }
    for (const rho of [0, 0.5]) {
      const { value } = await fitLinear(data, { rho });
      assert.equal(value.rank, 2);
      assert.ok(Math.abs(value.coefficients[2]) < 1e-15);
      // Of a·x₀ + b·2x₀ the shortest has b = 2a.
      assert.ok(Math.abs(value.coefficients[1] - 2 * value.coefficients[0]) < 1e-9);
      assert.ok(Math.abs(value.coefficients[3]) > 1e6);
    }
  });

  it('fits through the origin when asked to', async () => {
    const data = make(10, 50, 2, [2]);
    const { value } = await fitLinear(data, { rho: 0.3, intercept: false });
    assert.equal(value.intercept, 0);
    const zero = value.model.predict({ data: new Float64Array(2), rows: 1, cols: 2 });
    assert.equal(zero[0], 0);
  });

  it('gives a path that equals single fits', async () => {
    const data = make(11, 90, 5, [3, 2]);
    const rhos = [0, 1e-3, 0.1, 1, 2];
    const path = await fitLinearPath(data, rhos, { ridge: 0.1, weighting: 'bag' });
    for (const [r, rho] of rhos.entries()) {
      const { value } = await fitLinear(data, { rho, ridge: 0.1, weighting: 'bag' });
      assertClose(path.coefficients[r], value.coefficients, 0);
      assert.equal(path.intercepts[r], value.intercept);
      assertClose(path.models[r].predict(data.features), value.model.predict(data.features), 0);
    }
  });

  it('weights by precision: a bag of much noise counts for little', async () => {
    const data = make(12, 200, 2, [2]);
    const noiseVariance = new Float64Array(100).fill(0.01);
    const means = data.means.slice();
    for (let a = 0; a < 50; a++) {
      noiseVariance[a] = 1e4;
      means[a] += a % 2 ? 100 : -100;
    }
    const noisy = { ...data, means, noiseVariance };
    const error = async (weighting: 'size' | 'precision', residualVariance?: number) => {
      const { value } = await fitLinear(noisy, { rho: 0, weighting, residualVariance });
      return Math.hypot(value.coefficients[0] + 0.5, value.coefficients[1] - 0.5);
    };
    const bySize = await error('size');
    assert.ok((await error('precision', 0.09)) < bySize / 20);
    // With the variance of responses estimated; here the estimate itself drowns in the noise, and is 0.
    assert.ok((await error('precision')) < bySize / 20);
  });

  it('is where the gradient of the loss vanishes, under every weighting', async () => {
    const data = { ...make(14, 80, 3, [1, 2, 5]), noiseVariance: new Float64Array(0) };
    data.noiseVariance = data.means.map((_, a) => 0.1 * (a % 4));
    for (const weighting of WEIGHTINGS) {
      for (const rho of [0, 0.4, 1, 1.7]) {
        const options = { rho, weighting, residualVariance: 0.09 };
        const { value } = await fitLinear(data, options);
        const { gradient } = interpolatingLoss(value.model.predict(data.features), data, options);
        const sums = new Float64Array(4);
        gradient.forEach((g, i) => {
          sums[0] += g;
          for (let j = 0; j < 3; j++) sums[1 + j] += g * data.features.data[3 * i + j];
        });
        assert.ok(Math.hypot(...sums) < 1e-13, `${weighting} ${rho}: ${sums}`);
      }
    }
  });

  it('rejects bad input by name', async () => {
    const data = make(13, 20, 2, [2]);
    const rejects = (bad: Partial<AggregateData>, options: object, message: RegExp) =>
      assert.rejects(fitLinear({ ...data, ...bad }, { rho: 0.5, ...options }), { message });
    await rejects({}, { rho: -0.1 }, /rho is -0.1; expected a finite number ≥ 0/);
    await rejects({}, { rho: Number.NaN }, /rho is NaN/);
    await rejects({}, { ridge: -1 }, /ridge is -1/);
    await rejects({}, { confidence: 1 }, /confidence is 1/);
    await rejects({}, { weighting: 'k' }, /weighting is "k"; expected one of size, bag, precision/);
    const means = data.means.with(3, Number.NaN) as Float64Array;
    await rejects({ means }, {}, /mean of bag 3 is NaN/);
    await rejects({ means: means.subarray(1) }, {}, /means has length 9; expected 10/);
    await rejects({ noiseVariance: data.means.map(() => -1) }, {}, /noise variance of bag 0 is -1/);
    const at = data.bags.members[data.bags.offsets[4]] * 2 + 1;
    const features = { ...data.features, data: data.features.data.with(at, Infinity) as Float64Array };
    await rejects({ features }, {}, /Infinity at row \d+, column 1, in bag 4/);
    await rejects({ features: { ...features, data: features.data.subarray(1) } }, {}, /expected rows × cols/);
    const members = data.bags.members.slice();
    members[0] = members[5];
    await rejects({ bags: { ...data.bags, members } }, {}, /in bags 0 and 2; expected disjoint bags/);
    const offsets = data.bags.offsets.slice();
    offsets[1] = 0;
    await rejects({ bags: { ...data.bags, offsets } }, {}, /bag 0 is empty/);
    await rejects({ bags: { ...data.bags, samples: 21 } }, {}, /20 rows, bags are of 21 samples/);
    const part = bagsFromLists([[1, 2], [4]], 20);
    const two = { bags: part, means: Float64Array.of(1, 2) };
    await rejects(two, {}, /sample 0 and 16 others are in no bag/);
    const { value } = await fitLinear({ ...data, ...two }, { rho: 1, unassigned: 'ignore' });
    assert.ok(value.coefficients.every(Number.isFinite));
    await assert.rejects(fitLinearPath(data, [0.1, -1]), { message: /rhos\[1\] is -1/ });
    await assert.rejects(fitLinear(data, { rho: 0, signal: AbortSignal.abort(new Error('stop')) }), {
      message: 'stop',
    });
  });
});
