import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bagMeans, bagsFromLists } from '../bags/bags.ts';
import { type SimulateOptions, simulateBagMeans } from './simulate.ts';

const labels = Float64Array.of(-5, 0, 1, 2, 3, 9, 4, 4);
const bags = bagsFromLists([[0, 1, 2], [3, 4, 5], [7]], 8);
const bounds = [0, 4] as const;

describe('simulateBagMeans', () => {
  it('gives the clipped means when epsilon is infinite', () => {
    const { value, certificate } = simulateBagMeans(labels, bags, { bounds, epsilon: Infinity, seed: 1 });
    assert.deepEqual(
      value.means,
      bagMeans(
        labels.map((y) => Math.min(Math.max(y, 0), 4)),
        bags,
      ),
    );
    assert.deepEqual(value.noiseVariance, new Float64Array(3));
    assert.equal(value.clippedShare, 2 / 7);
    assert.equal(certificate.bound.value, 0);
    assert.equal(certificate.bound.failureProbability, 0);
  });

  it('repeats from its seed, and only from that', () => {
    for (const noise of ['discrete', 'continuous'] as const) {
      const run = (seed: number) => simulateBagMeans(labels, bags, { bounds, epsilon: 1, seed, noise });
      assert.deepEqual(run(1), run(1));
      assert.notDeepEqual(run(1).value.means, run(2).value.means);
      assert.equal(run(3).certificate.seed, 3);
    }
  });

  it('has continuous noise of scale (U − L)/(kε), within its bound as often as it says', () => {
    const size = 4;
    const count = 20_000;
    const many = {
      samples: count * size,
      members: Uint32Array.from({ length: count * size }, (_, i) => i),
      offsets: Uint32Array.from({ length: count + 1 }, (_, a) => a * size),
    };
    const { value } = simulateBagMeans(new Float64Array(count * size), many, {
      ...{ bounds, epsilon: 0.5, seed: 2, noise: 'continuous' },
    });
    const measured = value.means.reduce((sum, x) => sum + x * x, 0) / count;
    assert.equal(value.noiseVariance[0], 2 * (4 / 0.5 / size) ** 2);
    assert.ok(Math.abs(measured / value.noiseVariance[0] - 1) < 0.04); // the seed is fixed; standard error 1.6 %
    let failures = 0;
    for (let seed = 0; seed < 400; seed++) {
      const run = simulateBagMeans(labels, bags, {
        bounds,
        epsilon: 1,
        seed,
        noise: 'continuous',
        failureProbability: 0.2,
      });
      const exact = bagMeans(
        labels.map((y) => Math.min(Math.max(y, 0), 4)),
        bags,
      );
      if (run.value.means.some((mean, a) => Math.abs(mean - exact[a]) > run.value.errorBounds[a])) failures++;
    }
    // Mean 80, standard deviation 8: the chance is exact, so both sides are tested.
    assert.ok(Math.abs(failures - 80) < 42, `${failures}`);
  });

  it('takes bounds from the data, and warns', () => {
    const { value, certificate } = simulateBagMeans(labels, bags, { bounds: 'auto', epsilon: 1, seed: 0 });
    assert.deepEqual(value.bounds, [-5, 9]);
    assert.match(certificate.warnings.join(), /would break the privacy/);
    assert.throws(
      () => simulateBagMeans(new Float64Array(8), bags, { bounds: 'auto', epsilon: 1, seed: 0 }),
      /no width/,
    );
  });

  it('refuses what leaves its range', () => {
    const bad = (options: object, message: RegExp) =>
      assert.throws(
        () => simulateBagMeans(labels, bags, { bounds, epsilon: 1, seed: 1, ...options } as SimulateOptions),
        {
          ...{ code: 'INVALID_ARGUMENT', message },
        },
      );
    bad({ seed: -1 }, /seed is -1/);
    bad({ epsilon: 0 }, /epsilon is 0/);
    bad({ epsilon: Number.NaN }, /epsilon is NaN/);
    bad({ epsilon: 0, noise: 'continuous' }, /epsilon is 0/);
    bad({ noise: 'gauss' }, /noise is "gauss"/);
    bad({ bounds: [3, 1] }, /L < U/);
    bad({ failureProbability: 0 }, /failureProbability/);
  });
});
