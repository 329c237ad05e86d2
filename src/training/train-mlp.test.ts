import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Matrix32, takeRows } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import { loadMnist, takeLabelled } from '../data/datasets/index.ts';
import { shuffledBatches } from './batches.ts';
import { crossEntropies, Mlp } from './mlp.ts';
import { sgd } from './optimizers.ts';
import { trainMlp } from './train-mlp.ts';

function randomRows(rows: number, cols: number, seed: number): Matrix32 {
  const rng = createRng(seed);
  return { data: Float32Array.from({ length: rows * cols }, () => rng.normal()), rows, cols };
}

/** Oracle: weighted mean loss of a ReLU network in float64, entry by entry, from flat float64 parameters. */
function exactLoss(
  model: Mlp,
  parameters: Float64Array[],
  features: Matrix32,
  labels: number[],
  weights: number[],
): number {
  let total = 0;
  for (let i = 0; i < features.rows; i++) {
    let x = [...features.data.subarray(i * features.cols, (i + 1) * features.cols)];
    model.layers.forEach(({ weight }, l) => {
      const [w, b] = [parameters[2 * l], parameters[2 * l + 1]];
      const y = Array.from({ length: weight.cols }, (_, j) =>
        x.reduce((sum, value, p) => sum + value * w[p * weight.cols + j], b[j]),
      );
      x = l < model.layers.length - 1 ? y.map((value) => Math.max(0, value)) : y;
    });
    const logSum = Math.log(x.reduce((sum, value) => sum + Math.exp(value), 0));
    total += (weights[i] * (logSum - x[labels[i]])) / features.rows;
  }
  return total;
}

const flat = (model: Mlp) => Object.values(model.tensors()).map(({ data }) => Float64Array.from(data));

describe('trainMlp', () => {
  it('steps along the gradient that finite differences give, with weighted rows', async () => {
    const features = randomRows(7, 3, 1);
    const labels = [0, 2, 1, 1, 0, 2, 2];
    const weights = [1, 0.5, 2, 0, 1.5, 1, 1]; // mean 1
    const options = { hidden: [5, 4], batchSize: 16, optimizer: sgd(), learningRate: 1, seed: 3 };
    const { model: before } = await trainMlp({ features, labels, weights }, { ...options, epochs: 0 });
    const { model: after, history } = await trainMlp(
      { features, labels, weights },
      { ...options, epochs: 1 },
    );
    const start = flat(before);
    const end = flat(after);
    const lossAt = (point: Float64Array[]) => exactLoss(before, point, features, labels, weights);
    // jax-js computes log with errors up to 1.3e-5 (measured against Math.log on (0, 20]); gradients do not contain it.
    assert.ok(
      Math.abs(history.losses[0] - lossAt(start)) < 1.5e-5,
      'the loss reported is that before the step',
    );
    start.forEach((values, t) => {
      values.forEach((_, j) => {
        const shifted = (by: number) => start.map((v, s) => (s === t ? v.with(j, v[j] + by) : v));
        const gradient = (lossAt(shifted(1e-5)) - lossAt(shifted(-1e-5))) / 2e-5;
        // Parameters of size ≤ 2 in float32: a step's rounding is ≤ 2⁻²³, the gradient's about ten times that.
        assert.ok(Math.abs(start[t][j] - end[t][j] - gradient) < 3e-6, `tensor ${t}, entry ${j}`);
      });
    });
  });

  it('averages a last, shorter batch over its own rows', async () => {
    const features = randomRows(7, 3, 1);
    const labels = [0, 2, 1, 1, 0, 2, 2];
    const weights = [1, 0.5, 2, 0, 1.5, 1, 1];
    const options = { hidden: [5], batchSize: 4, optimizer: sgd(), learningRate: 0, seed: 3, epochs: 1 };
    const { model, history } = await trainMlp({ features, labels, weights }, options);
    const batches = shuffledBatches(7, 4, createRng(3).fork('order').fork(0));
    const expected = batches.map(({ ids, count }) => {
      const real = [...ids.subarray(0, count)];
      const pick = (values: number[]) => real.map((id) => values[id]);
      return exactLoss(model, flat(model), takeRows(features, real), pick(labels), pick(weights));
    });
    assert.equal(batches[1].count, 3);
    // The error of jax-js's log, as above.
    assert.ok(Math.abs(history.losses[0] - (expected[0] + expected[1]) / 2) < 1.5e-5);
  });

  it('gives a row of weight 0 no say', async () => {
    const features = randomRows(20, 4, 2);
    const labels = Array.from({ length: 20 }, (_, i) => i % 3);
    const weights = labels.map((_, i) => Number(i < 15));
    const options = { hidden: [6], batchSize: 32, epochs: 5, seed: 1 };
    const { model } = await trainMlp({ features, labels, weights }, options);
    const spoiled = { ...features, data: features.data.map((value, i) => (i < 60 ? value : 1000)) };
    const { model: same } = await trainMlp({ features: spoiled, labels, weights }, options);
    assert.deepEqual(flat(same), flat(model));
  });

  it('repeats with its seed, and not with another', async () => {
    const rows = { features: randomRows(50, 4, 2), labels: Array.from({ length: 50 }, (_, i) => i % 3) };
    const train = async (seed: number) =>
      flat((await trainMlp(rows, { hidden: [8], batchSize: 8, dropout: 0.3, seed })).model);
    assert.deepEqual(await train(5), await train(5));
    assert.notDeepEqual(await train(5), await train(6));
  });

  it('drops the stated share of hidden units', async () => {
    const features = randomRows(1, 20, 4);
    const options = { hidden: [4000], optimizer: sgd(), learningRate: 1, seed: 2, classes: 2 };
    const rows = { features, labels: [1] };
    const { model: initial } = await trainMlp(rows, { ...options, epochs: 0 });
    const start = initial.layers[1].weight;
    const touched = async (dropout: number) => {
      const { model } = await trainMlp(rows, { ...options, epochs: 1, dropout });
      const end = model.layers[1].weight;
      return Array.from({ length: 4000 }, (_, u) => end.data[2 * u] !== start.data[2 * u]);
    };
    const active = await touched(0);
    const kept = await touched(0.3);
    const activeCount = active.filter(Boolean).length;
    const share = kept.filter(Boolean).length / activeCount;
    assert.ok(kept.every((touch, u) => !touch || active[u]));
    // Binomial(activeCount ≈ 2000, 0.7): five standard errors, false-failure rate about 6e-7.
    assert.ok(Math.abs(share - 0.7) < 5 * Math.sqrt(0.21 / activeCount), `kept ${share}`);

    // The step of the output bias is label − softmax, which tells the logits: those of the kept units, scaled up.
    const { model } = await trainMlp(rows, { ...options, epochs: 1, dropout: 0.3 });
    const odds = Math.log(-model.layers[1].bias[0] / (1 - model.layers[1].bias[1]));
    const hidden = (await initial.embed(features)).data;
    const wanted = kept.reduce(
      (sum, isKept, u) =>
        sum + (isKept ? (hidden[u] * (start.data[2 * u] - start.data[2 * u + 1])) / 0.7 : 0),
      0,
    );
    assert.ok(Math.abs(odds - wanted) < 1e-4 * Math.max(1, Math.abs(wanted)), `${odds} ≠ ${wanted}`);
  });

  it('learns handwritten digits', async () => {
    const { train, test } = await loadMnist();
    const first = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);
    const learn = takeLabelled(train, first(3000));
    const held = takeLabelled(test, first(7000).subarray(5000)); // the second half is the easier one
    const { model, history } = await trainMlp(learn, { hidden: [64], epochs: 5 });
    const accuracy = await model.accuracy(held.features, held.labels);
    // Seen 0.926; guessing the commonest digit gives 0.11.
    assert.ok(accuracy > 0.9, `accuracy ${accuracy}`);
    assert.ok(history.losses.every((loss, i) => i === 0 || loss < history.losses[i - 1]));
    assert.equal((await model.embed(held.features)).cols, 64);
  });

  it('returns the model of the best epoch when it validates', async () => {
    // Random labels cannot be learned: validation soon gets worse while training gets better.
    const rng = createRng(9);
    const draw = (n: number) => Array.from({ length: n }, () => rng.integer(3));
    const [features, labels] = [randomRows(40, 5, 7), draw(40)];
    const validation = { features: randomRows(40, 5, 8), labels: draw(40) };
    const options = { hidden: [32], epochs: 60, learningRate: 0.01, validation, patience: 3 };
    const { model, history } = await trainMlp({ features, labels }, options);
    assert.ok(history.stoppedEarly && history.validation.length < 60);
    assert.equal(history.validation.length, history.bestEpoch + 4);
    const losses = await model.losses(validation.features, validation.labels);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / 40;
    assert.equal(mean, Math.min(...history.validation));
  });

  it('stops when aborted', async () => {
    const rows = { features: randomRows(50, 4, 2), labels: new Uint8Array(50) };
    const running = trainMlp(rows, { signal: AbortSignal.abort(new Error('enough')) });
    await assert.rejects(running, { message: 'enough' });
  });

  it('leaves its inputs as they are', async () => {
    const rows = {
      features: randomRows(9, 4, 2),
      labels: [0, 1, 2, 0, 1, 2, 0, 1, 2],
      weights: [1, 2, 3, 4, 5, 6, 7, 8, 9],
    };
    const copy = structuredClone(rows);
    await trainMlp(rows, { hidden: [3], epochs: 2, dropout: 0.5 });
    assert.deepEqual(rows, copy);
  });

  it('says what is wrong with its arguments', async () => {
    const features = randomRows(3, 2, 1);
    const labels = [0, 1, 0];
    const cases: [Parameters<typeof trainMlp>, object][] = [
      [
        [{ features, labels: [0, 1] }],
        { code: 'SHAPE', message: /labels has length 2; expected one per row, 3/ },
      ],
      [
        [{ features, labels: [0, 1.5, 0] }, { classes: 3 }],
        { code: 'INVALID_ARGUMENT', message: /labels\[1\] is 1.5/ },
      ],
      [[{ features, labels: [0, -1, 0] }], { code: 'INVALID_ARGUMENT', message: /labels\[1\] is -1/ }],
      [[{ features, labels }, { classes: 1 }], { code: 'INVALID_ARGUMENT', message: /labels\[1\] is 1/ }],
      [[{ features, labels, weights: [1, 1] }], { code: 'SHAPE', message: /weights/ }],
      [
        [{ features, labels, weights: [0, 0, 0] }],
        { code: 'INVALID_ARGUMENT', message: /all weights are 0/ },
      ],
      [[{ features, labels }, { dropout: 1 }], { code: 'INVALID_ARGUMENT', message: /dropout is 1/ }],
      [[{ features, labels }, { hidden: [0] }], { code: 'INVALID_ARGUMENT', message: /hidden\[0\] is 0/ }],
      [[{ features, labels }, { patience: 2 }], { code: 'INVALID_ARGUMENT', message: /needs validation/ }],
      [
        [{ features: { ...features, data: features.data.with(3, NaN) }, labels }],
        { code: 'INVALID_ARGUMENT', message: /NaN at row 1, column 1/ },
      ],
      [
        [{ features: { data: new Float32Array(0), rows: 0, cols: 2 }, labels: [] }],
        { code: 'SHAPE', message: /no rows/ },
      ],
    ];
    for (const [args, error] of cases) await assert.rejects(trainMlp(...args), error);
  });

  it('reports divergence instead of returning NaN', async () => {
    const features = { data: Float32Array.of(1e30, -1e30), rows: 2, cols: 1 };
    const running = trainMlp({ features, labels: [0, 1] }, { optimizer: sgd(), learningRate: 1e30 });
    await assert.rejects(running, { code: 'NUMERICAL', message: /Lower the learning rate/ });
  });
});

describe('Mlp', () => {
  const model = new Mlp([
    { weight: { data: Float32Array.of(1, 0, -1, 2), rows: 2, cols: 2 }, bias: Float32Array.of(0.5, -1) },
    {
      weight: { data: Float32Array.of(1, -1, 0.5, 1, 0, 2), rows: 2, cols: 3 },
      bias: Float32Array.of(0, 0, 1),
    },
  ]);
  const features = { data: Float32Array.of(1, 1, 3, 0), rows: 2, cols: 2 };

  it('computes the layers as written', async () => {
    // Hidden (1·1 − 1·1 + 0.5, 2·1 − 1) = (0.5, 1) and (3.5, max(0, −1)) = (3.5, 0).
    assert.deepEqual([...(await model.embed(features)).data], [0.5, 1, 3.5, 0]);
    assert.deepEqual([...(await model.predict(features)).data], [1.5, -0.5, 3.25, 3.5, -3.5, 2.75]);
    assert.equal(await model.accuracy(features, [2, 1]), 0.5);
  });

  it('gives the same rows in one block and in many', async () => {
    const many = randomRows(9000, 2, 3);
    const all = await model.predict(many);
    const last = await model.predict({ data: many.data.subarray(2 * 8990), rows: 10, cols: 2 });
    assert.deepEqual(all.data.subarray(3 * 8990), last.data);
  });

  it('survives a round trip through its tensors', async () => {
    assert.deepEqual(Mlp.fromTensors(model.tensors()), model);
    const { 'layers.1.bias': _, ...rest } = model.tensors();
    assert.throws(() => Mlp.fromTensors(rest), { code: 'SHAPE', message: /layer 1 .* no bias/ });
    assert.throws(() => Mlp.fromTensors({}), { code: 'SHAPE', message: /no layers/ });
  });

  it('refuses what does not fit', async () => {
    await assert.rejects(model.predict({ data: new Float32Array(3), rows: 1, cols: 3 }), { code: 'SHAPE' });
    await assert.rejects(model.losses(features, [0]), { code: 'SHAPE' });
    await assert.rejects(model.accuracy(features, [0, 3]), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(new Mlp(model.layers.slice(0, 1)).embed(features), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => new Mlp([...model.layers, ...model.layers.slice(0, 1)]), { code: 'SHAPE' });
  });
});

describe('crossEntropies', () => {
  it('is exact where exp would overflow or cancel', () => {
    const logits = { data: Float32Array.of(1000, 0, -1000, 0, 0, 0), rows: 2, cols: 3 };
    assert.deepEqual([...crossEntropies(logits, [0, 1])], [0, Math.log(3)]);
    assert.deepEqual([...crossEntropies(logits, [2, 0])], [2000, Math.log(3)]);
  });
});
