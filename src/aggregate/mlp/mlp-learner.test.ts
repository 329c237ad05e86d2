import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { adam, loadJax, sgd, type Tensors } from '../../training/index.ts';
import { type Bags, bagCount, bagMeans, bagsFromLists } from '../bags/bags.ts';
import type { AggregateIn, LossName } from '../losses/loss-functions.ts';
import { interpolatingLoss } from '../losses/losses.ts';
import { linearLearner } from '../models/learners.ts';
import { restoreModel } from '../models/restore.ts';
import type { AggregateData } from '../types.ts';
import { bagStep, shuffledSteps, stepShape } from './bag-batches.ts';
import { mlpLearner } from './mlp-learner.ts';
import { restoreMlpModel } from './mlp-model.ts';
import { tracedLoss } from './traced-loss.ts';

/** Bags of the given sizes over consecutive samples. */
function bagsOfSizes(sizes: readonly number[], extra = 0): Bags {
  let next = 0;
  const lists = sizes.map((size) => Array.from({ length: size }, () => next++));
  return bagsFromLists(lists, next + extra);
}

function drawData(
  sizes: readonly number[],
  f: (x: Float64Array) => number,
  seed: number,
  d = 3,
): AggregateData {
  const rng = createRng(seed);
  const bags = bagsOfSizes(sizes);
  const data = Float64Array.from({ length: bags.samples * d }, () => rng.normal());
  const features = { data, rows: bags.samples, cols: d };
  const y = Float64Array.from({ length: bags.samples }, (_, i) => f(data.subarray(i * d, (i + 1) * d)));
  return { features, bags, means: bagMeans(y, bags) };
}

/** Loss and gradient of a linear network over all bags, by the losses of this library, in float64; times `steps`, since a step is the whole loss on average. */
function plainLoss(
  { features, bags, means }: AggregateData,
  theta: readonly number[],
  options: { loss: LossName; aggregateIn: AggregateIn; rho: number },
  steps: number,
): { value: number; gradient: number[] } {
  const d = features.cols;
  const at = (i: number) => [...features.data.subarray(i * d, (i + 1) * d), 1];
  const link = Float64Array.from({ length: features.rows }, (_, i) =>
    at(i).reduce((sum, x, j) => sum + x * theta[j], 0),
  );
  const { value, gradient } = interpolatingLoss(link, { bags, means }, options);
  const slopes = theta.map((_, j) => gradient.reduce((sum, g, i) => sum + g * at(i)[j], 0));
  return { value: steps * value, gradient: slopes.map((slope) => steps * slope) };
}

describe('tracedLoss', () => {
  const data = drawData([3, 1, 4, 2, 5], (x) => 1 / (1 + Math.exp(-x[0] + x[1])), 3);
  const theta = [0.4, -0.7, 0.2, 0.3];
  const parameters = (values: readonly number[]): Tensors => ({
    'layers.0.weight': { shape: [3, 1], data: Float32Array.from(values.slice(0, 3)) },
    'layers.0.bias': { shape: [1], data: Float32Array.of(values[3]) },
  });
  const rows = {
    features: Float32Array.from(data.features.data),
    columns: 3,
    bags: data.bags,
    targets: data.means,
  };

  for (const loss of ['square', 'logistic', 'poisson'] as const) {
    for (const aggregateIn of ['mean', 'link'] as const) {
      it(`is the interpolating ${loss} loss with means of ${aggregateIn === 'mean' ? 'predictions' : 'links'}, and so is its gradient`, async () => {
        const jax = await loadJax();
        const shape = stepShape(data.bags, 2);
        assert.equal(shape.steps, 3); // the last step has one bag and one to fill up
        const steps = shuffledSteps(data.bags, shape, createRng(1));
        for (const rho of [0, 0.3, 1, 2]) {
          const options = { loss, aggregateIn, rho };
          const traced = tracedLoss({ ...options, hiddenLayers: 0 });
          const toJax = (tensors: Tensors) =>
            Object.fromEntries(
              Object.entries(tensors).map(([name, { shape: s, data: values }]) => [
                name,
                jax.numpy.array(values as Float32Array<ArrayBuffer>, { shape: [...s] }),
              ]),
            );
          let value = 0;
          const gradient = new Float64Array(4);
          for (const chosen of steps) {
            const lossOf = (p: ReturnType<typeof toJax>, batch: ReturnType<typeof toJax>) =>
              traced(jax, p, batch);
            const [part, slope] = jax.valueAndGrad(lossOf)(
              toJax(parameters(theta)),
              toJax(bagStep(rows, chosen, shape)),
            );
            value += (await part.data())[0];
            (await slope['layers.0.weight'].data()).forEach((g: number, j: number) => {
              gradient[j] += g;
            });
            gradient[3] += (await slope['layers.0.bias'].data())[0];
          }
          const expected = plainLoss(data, theta, options, shape.steps);
          // float32 sums of about 20 terms of size 1: 20 · 2⁻²⁴ and a reserve of ten for exp and log.
          const close = (a: number, b: number) => Math.abs(a - b) < 2e-5 * (1 + Math.abs(b));
          assert.ok(close(value, expected.value), `ρ ${rho}: ${value}, ${expected.value}`);
          gradient.forEach((g, j) => {
            assert.ok(close(g, expected.gradient[j]), `ρ ${rho}, θ${j}: ${g}, ${expected.gradient[j]}`);
          });
        }
      });
    }
  }
});

describe('steps', () => {
  it('hold whole bags, each once a pass, in one shape', () => {
    const bags = bagsOfSizes([1, 7, 3, 3, 2, 9, 1], 4);
    for (const perStep of [1, 2, 3, 100]) {
      const shape = stepShape(bags, perStep);
      const steps = shuffledSteps(bags, shape, createRng(5));
      assert.equal(steps.length, shape.steps);
      assert.deepEqual([...steps.flatMap((step) => [...step])].sort(), [0, 1, 2, 3, 4, 5, 6]);
      const features = Float32Array.from({ length: bags.samples }, (_, i) => i);
      const rows = { features, columns: 1, bags, targets: Float64Array.from({ length: 7 }, (_, a) => a) };
      let weight = 0;
      for (const chosen of steps) {
        const step = bagStep(rows, chosen, shape);
        assert.deepEqual(step.average.shape, [shape.bags, shape.rows]);
        chosen.forEach((a, i) => {
          const row = step.average.data.subarray(i * shape.rows, (i + 1) * shape.rows);
          const inside = [...row.keys()].filter((r) => row[r] > 0);
          // All samples of the bag and no other.
          const members = bags.members.subarray(bags.offsets[a], bags.offsets[a + 1]);
          assert.deepEqual(
            inside.map((r) => step.features.data[r]),
            [...members],
          );
        });
        weight += step.rowWeights.data.reduce((sum, w) => sum + w, 0);
      }
      // Weights of a pass add up to its steps: the mean step is the whole loss.
      assert.ok(Math.abs(weight - shape.steps) < 1e-5);
    }
  });
});

describe('mlpLearner', () => {
  const sizes = Array.from({ length: 60 }, (_, a) => 2 + (a % 3));

  it('without hidden layers and with all bags in a step finds the closed form', async () => {
    const data = drawData(sizes, (x) => 1 + 2 * x[0] - x[1] + 0.3 * x[0] * x[2], 8);
    for (const rho of [0, 0.4, 1]) {
      const options = {
        hidden: [],
        epochs: 300,
        bagsPerStep: 60,
        optimizer: sgd({ momentum: 0.9 }),
        learningRate: 0.1,
      };
      const network = await mlpLearner(options).fit(data, { rho, seed: 0 });
      const exact = await linearLearner().fit(data, { rho, seed: 0 });
      const [a, b] = [network.predict(data.features), exact.predict(data.features)];
      a.forEach((value, i) => {
        assert.ok(Math.abs(value - b[i]) < 1e-4, `ρ ${rho}: ${value} against ${b[i]}`);
      });
    }
  });

  it('learns a planted function of single samples from bag means', async () => {
    const planted = (x: Float64Array) => Math.abs(x[0]) + 0.5 * x[1];
    const data = drawData(
      Array.from({ length: 300 }, () => 3),
      planted,
      2,
    );
    const options = { hidden: [32], epochs: 50, optimizer: adam(), learningRate: 5e-3 };
    const fresh = drawData([500], planted, 99);
    const error = async (learner: typeof linearLearner) => {
      const predicted = (await learner().fit(data, { rho: 0.02, seed: 1 })).predict(fresh.features);
      return predicted.reduce(
        (sum, p, i) => sum + (p - planted(fresh.features.data.subarray(3 * i, 3 * i + 3))) ** 2 / 500,
        0,
      );
    };
    const [network, linear] = [await error(() => mlpLearner(options)), await error(linearLearner)];
    // |x| has variance 1 − 2/π = 0.36 about its best line.
    assert.ok(linear > 0.3, `linear ${linear}`);
    assert.ok(network < 0.05, `network ${network}`);
  });

  it('does not depend on the order of samples in bags, and repeats itself', async () => {
    const data = drawData(sizes, (x) => x[0] * x[1], 5);
    const members = data.bags.members.slice();
    for (let a = 0; a < bagCount(data.bags); a++) {
      members.subarray(data.bags.offsets[a], data.bags.offsets[a + 1]).reverse();
    }
    const turned = { ...data, bags: { ...data.bags, members } };
    const fit = (d: AggregateData) => mlpLearner({ hidden: [8], epochs: 5 }).fit(d, { rho: 0.5, seed: 3 });
    const [a, b, c] = [await fit(data), await fit(turned), await fit(data)];
    assert.deepEqual(a.toJSON(), c.toJSON());
    const [pa, pb] = [a.predict(data.features), b.predict(data.features)];
    // Sums of a step in another order, in float32, over 25 steps.
    pa.forEach((value, i) => {
      assert.ok(Math.abs(value - pb[i]) < 1e-3);
    });
  });

  for (const [loss, f] of [
    ['logistic', (x: Float64Array) => 1 / (1 + Math.exp(-2 * x[0]))],
    ['poisson', (x: Float64Array) => Math.exp(0.7 * x[0])],
  ] as const) {
    it(`learns by ${loss} loss from noisy means, and comes back from JSON`, async () => {
      const data = drawData(
        Array.from({ length: 200 }, () => 2),
        f,
        4,
      );
      const rng = createRng(6);
      const means = data.means.map((mean) => mean + 0.2 * rng.normal());
      const noisy = { ...data, means, noiseVariance: new Float64Array(200).fill(0.04) };
      const options = { hidden: [], loss, epochs: 60, learningRate: 0.02 };
      const model = await mlpLearner(options).fit(noisy, { rho: 0.1, seed: 0 });
      const predicted = model.predict(data.features);
      const truth = Float64Array.from(predicted, (_, i) => f(data.features.data.subarray(3 * i, 3 * i + 3)));
      const mean = truth.reduce((s, y) => s + y / truth.length, 0);
      const unexplained = truth.reduce((s, y, i) => s + (y - predicted[i]) ** 2, 0);
      assert.ok(unexplained < 0.2 * truth.reduce((s, y) => s + (y - mean) ** 2, 0));
      const state = JSON.parse(JSON.stringify(model));
      assert.deepEqual(restoreModel(state, { mlp: restoreMlpModel }).predict(data.features), predicted);
      await assert.rejects(mlpLearner(options).fit({ ...data, means }, { rho: 0, seed: 0 }), {
        code: 'DATA',
        message: /mean of bag \d+ is -.*or noiseVariance/,
      });
    });
  }

  it('chooses ρ by folds of bags', async () => {
    // Little signal and few bags: the bag-level loss of a network has no chance, the instance-level loss shrinks.
    const noise = createRng(12);
    const data = drawData(
      Array.from({ length: 12 }, () => 4),
      () => noise.normal(),
      7,
      20,
    );
    const fit = (rho: number | 'cv') =>
      mlpLearner({ hidden: [], epochs: 100, learningRate: 0.02, crossValidation: { grid: [0, 1] } }).fit(
        data,
        { rho, seed: 0 },
      );
    assert.deepEqual((await fit('cv')).toJSON(), (await fit(1)).toJSON());
  });

  it('can be cancelled and refuses what makes no sense', async () => {
    const data = drawData(sizes, (x) => x[0], 1);
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(mlpLearner().fit(data, { rho: 0, seed: 0, signal }), reason);
    await assert.rejects(mlpLearner().fit(data, { rho: -1, seed: 0 }), /rho is -1/);
    await assert.rejects(
      mlpLearner({ loss: 'poisson' }).fit(data, { rho: 2, seed: 0 }),
      /rho is 2.*\[0, 1\]/,
    );
    assert.throws(() => mlpLearner({ hidden: [0] }), /hidden\[0\] is 0/);
    assert.throws(() => mlpLearner({ bagsPerStep: 0 }), /bagsPerStep is 0/);
    const bad = { ...data, means: data.means.map((m, a) => (a === 7 ? NaN : m)) };
    await assert.rejects(mlpLearner().fit(bad, { rho: 0, seed: 0 }), /mean of bag 7 is NaN/);
    assert.throws(() => restoreMlpModel({ kind: 'linear' }), { code: 'DATA' });
    assert.throws(
      () => restoreMlpModel({ kind: 'mlp', loss: 'square', widths: [2, 1], weights: [[1]] }),
      /weights/,
    );
  });
});
