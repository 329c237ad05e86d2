import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng, shuffle } from '../../core/rng.ts';
import { type Bags, bagsFromLists } from '../bags/bags.ts';
import { plainInterpolatingLoss } from '../oracle.ts';
import { AGGREGATIONS, LOSSES } from './loss-functions.ts';
import { bagLoss, instanceLoss, interpolatingLoss, withinBagVariance } from './losses.ts';
import { bagWeights, WEIGHTINGS } from './weights.ts';

interface Case {
  bags: Bags;
  predictions: Float64Array;
  means: Float64Array;
}

/** Bags of 1 to 6 of the samples, in random order, two samples in none. */
function randomCase(seed: number, scale: number = 1): Case {
  const rng = createRng(seed);
  const lists: number[][] = [];
  const samples = 3 + rng.integer(30);
  const order = shuffle(
    Array.from({ length: samples }, (_, i) => i),
    rng,
  );
  for (let at = 2; at < samples; ) {
    const size = Math.min(samples - at, 1 + rng.integer(6));
    lists.push(order.slice(at, at + size));
    at += size;
  }
  return {
    bags: bagsFromLists(lists, samples),
    predictions: Float64Array.from({ length: samples }, () => scale * rng.normal()),
    means: Float64Array.from({ length: lists.length }, () => rng.next()),
  };
}

describe('losses', () => {
  it('decompose: L_ins = L_bag + R for the square loss, 1 000 cases of unequal bags', () => {
    const property = fc.property(
      fc.nat(),
      fc.constantFrom(...WEIGHTINGS),
      fc.integer({ min: -6, max: 6 }),
      (seed, weighting, exponent) => {
        const { bags, predictions, means } = randomCase(seed, 2 ** exponent);
        const noiseVariance = means.map((x) => 0.1 + x);
        const answers = { bags, means, noiseVariance };
        const options = { weighting, residualVariance: 0.5 };
        const instance = instanceLoss(predictions, answers, options).value;
        const bag = bagLoss(predictions, answers, options).value;
        const spread = withinBagVariance(predictions, answers, options);
        assert.ok(Math.abs(instance - bag - spread) <= 1e-12 * (1 + instance));
        const mixed = interpolatingLoss(predictions, answers, { ...options, rho: 0.3 }).value;
        assert.ok(Math.abs(mixed - bag - 0.3 * spread) <= 1e-12 * (1 + instance));
      },
    );
    fc.assert(property, { seed: 1, numRuns: 1000 });
  });

  it('are what their definition says', () => {
    for (const loss of LOSSES) {
      for (const aggregateIn of AGGREGATIONS) {
        for (const rho of [0, 0.3, 1, 2]) {
          const { predictions, ...answers } = randomCase(7);
          const { value } = interpolatingLoss(predictions, answers, { loss, aggregateIn, rho });
          const expected = plainInterpolatingLoss(predictions, answers, rho, loss, aggregateIn);
          // A few dozen terms of size 1, each rounded a few times.
          assert.ok(Math.abs(value - expected) <= 1e-13, `${loss} ${aggregateIn} ${rho}`);
        }
      }
    }
  });

  it('have the gradients of their values: central differences', () => {
    const step = 1e-6;
    for (const loss of LOSSES) {
      for (const aggregateIn of AGGREGATIONS) {
        for (const weighting of WEIGHTINGS) {
          for (const rho of [0, 0.3, 1, 2]) {
            const { predictions, ...answers } = randomCase(11);
            const options = { loss, aggregateIn, weighting, rho, residualVariance: 0.7 };
            const withNoise = { ...answers, noiseVariance: answers.means.map((x) => x + 0.2) };
            const { gradient } = interpolatingLoss(predictions, withNoise, options);
            const size = Math.hypot(...gradient);
            predictions.forEach((eta, i) => {
              const at = (x: number): number =>
                interpolatingLoss(predictions.with(i, x) as Float64Array, withNoise, options).value;
              const difference = (at(eta + step) - at(eta - step)) / (2 * step);
              assert.ok(
                Math.abs(difference - gradient[i]) <= 1e-6 * Math.max(size, 1e-3),
                `${loss} ${aggregateIn} ${weighting} ${rho}: ${difference} ${gradient[i]}`,
              );
            });
          }
        }
      }
    }
  });

  it('on the link scale keep L_bag ≤ L_ins ≤ L_bag + (λ/2) R, λ = 1/4 for logistic loss; tight for small spreads', () => {
    const property = fc.property(fc.nat(), fc.integer({ min: -10, max: 4 }), (seed, exponent) => {
      const { predictions, ...answers } = randomCase(seed, 2 ** exponent);
      const options = { loss: 'logistic', aggregateIn: 'link' } as const;
      const bag = bagLoss(predictions, answers, options).value;
      const instance = instanceLoss(predictions, answers, options).value;
      const spread = withinBagVariance(predictions, answers);
      // Rounding of two sums of size at most L_ins.
      const rounding = 1e-14 * (1 + instance);
      assert.ok(bag <= instance + rounding);
      assert.ok(instance <= bag + spread / 8 + rounding);
      // Near η = 0 the curvature is λ to a share η²/4, which is where the bound is tight.
      if (exponent <= -6 && spread > 0) {
        assert.ok(instance - bag >= (spread / 8) * (1 - 0.01) - rounding);
      }
    });
    fc.assert(property, { seed: 2, numRuns: 300 });
  });

  it('stay finite where probabilities underflow', () => {
    const bags = bagsFromLists([[0, 1], [2]], 3);
    const answers = { bags, means: Float64Array.of(0, 1) };
    const predictions = Float64Array.of(-800, -900, 800);
    for (const aggregateIn of AGGREGATIONS) {
      const { value, gradient } = interpolatingLoss(predictions, answers, {
        loss: 'logistic',
        rho: 0.5,
        aggregateIn,
      });
      assert.ok(Math.abs(value) < 1e-12);
      assert.ok(gradient.every(Number.isFinite));
    }
  });

  it('leave samples in no bag out, and weight bags as asked', () => {
    const bags = bagsFromLists([[0], [2, 3, 4]], 6);
    const answers = { bags, means: Float64Array.of(1, 0) };
    const predictions = Float64Array.of(3, 99, 1, 2, 3, 99);
    const { value, gradient } = bagLoss(predictions, answers);
    assert.equal(value, (1 * 4 + 3 * 4) / 4);
    assert.equal(gradient[1], 0);
    assert.equal(gradient[5], 0);
    assert.equal(bagLoss(predictions, answers, { weighting: 'bag' }).value, 4);
    // σ²/k + v: 1/(1 + 1) and 1/(1/3 + 1/3), with sum 4.
    const weights = bagWeights('test', bags, {
      weighting: 'precision',
      residualVariance: 1,
      noiseVariance: Float64Array.of(1, 1 / 3),
    });
    assert.ok(Math.abs(weights[1] / weights[0] - 3) < 1e-15);
    assert.ok(Math.abs(weights[0] + weights[1] - 4) < 1e-14);
  });

  it('name what is wrong', () => {
    const { predictions, ...answers } = randomCase(1);
    assert.throws(() => bagLoss(predictions.subarray(1), answers), { code: 'SHAPE' });
    assert.throws(() => interpolatingLoss(predictions, answers, { rho: -1 }), { message: /rho is -1/ });
    assert.throws(() => interpolatingLoss(predictions, answers, { rho: Number.NaN }), {
      code: 'INVALID_ARGUMENT',
    });
    const unknown = 'hinge' as 'square';
    assert.throws(() => bagLoss(predictions, answers, { loss: unknown }), { message: /loss is "hinge"/ });
    const bad = answers.means.with(0, Number.NaN) as Float64Array;
    assert.throws(() => instanceLoss(predictions, { ...answers, means: bad }), {
      message: /means\[0\] is NaN/,
    });
    assert.throws(
      () => bagLoss(predictions, { ...answers, noiseVariance: bad.fill(1) }, { weighting: 'precision' }),
      { message: /without residualVariance/ },
    );
  });
});
