import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createRng } from '../core/rng.ts';
import { saveTensors } from './checkpoint.ts';
import { adam, sgd } from './optimizers.ts';
import { runSteps } from './run-steps.ts';
import { constantSchedule, cosineSchedule, warmUp } from './schedules.ts';
import type { Tensors } from './tensors.ts';
import { createTrainer, type LossFunction } from './trainer.ts';
import { loadTrainerState, saveTrainerState } from './trainer-state.ts';

/** Mean squared error of a linear model, whose batches come from known coefficients. */
const squaredError: LossFunction = ({ numpy }, { weight, bias }, { x, y }) =>
  numpy.square(numpy.matmul(x, weight).add(bias).sub(y)).mean();

const truth = [2, -1, 0.5];
const start = (): Tensors => ({
  weight: { shape: [3, 1], data: new Float32Array(3) },
  bias: { shape: [1], data: new Float32Array(1) },
});

function batch(step: number): Tensors {
  const rng = createRng(11).fork(step);
  const x = Float32Array.from({ length: 24 }, () => rng.normal());
  const y = Float32Array.from({ length: 8 }, (_, i) =>
    truth.reduce((sum, slope, c) => sum + slope * x[3 * i + c], 0.25),
  );
  return { x: { shape: [8, 3], data: x }, y: { shape: [8, 1], data: y } };
}

describe('runSteps', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'provably-steps-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('finds the coefficients of a small regression', async () => {
    using trainer = await createTrainer(start(), { loss: squaredError, optimizer: adam() });
    const learningRate = warmUp(cosineSchedule({ peak: 0.1, steps: 190 }), 10);
    await runSteps(trainer, { steps: 200, batch, learningRate });
    const { weight, bias } = await trainer.parameters();
    // The data has no noise, so the gradient vanishes at the truth, and the rate falls to zero: what is left is far below 1 %.
    [...weight.data, ...bias.data].forEach((value, i) => {
      assert.ok(Math.abs(value - [...truth, 0.25][i]) < 0.01, `${value}`);
    });
  });

  it('saves at multiples and at the end, and counts the steps before a resumption', async () => {
    const path = join(folder, 'run.safetensors');
    const seen: number[] = [];
    const saved: number[] = [];
    const options = {
      batch,
      learningRate: constantSchedule(0.05),
      onStep: (step: number) => seen.push(step),
    };
    using first = await createTrainer(start(), { loss: squaredError, optimizer: adam() });
    const write = async () => {
      saved.push(first.steps);
      await saveTrainerState(path, await first.state());
    };
    await runSteps(first, { ...options, steps: 5, save: { every: 2, write } });
    assert.deepEqual(saved, [2, 4, 5]);
    const resume = await loadTrainerState(path, start());
    using second = await createTrainer(start(), { loss: squaredError, optimizer: adam(), resume });
    assert.deepEqual(await second.state(), await first.state());
    await runSteps(second, { ...options, steps: 8 });
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
    using whole = await createTrainer(start(), { loss: squaredError, optimizer: adam() });
    await runSteps(whole, { ...options, steps: 8 });
    assert.deepEqual(await second.state(), await whole.state());
  });

  it('stops before the next step when aborted, and names the step that diverged', async () => {
    using trainer = await createTrainer(start(), { loss: squaredError, optimizer: sgd() });
    const abort = new AbortController();
    const running = runSteps(trainer, {
      ...{ steps: 9, batch, learningRate: constantSchedule(0.1), signal: abort.signal },
      onStep: (step) => step === 2 && abort.abort(new Error('enough')),
    });
    await assert.rejects(running, { message: 'enough' });
    assert.equal(trainer.steps, 3);
    const diverging = runSteps(trainer, { steps: 99, batch, learningRate: constantSchedule(1e20) });
    await assert.rejects(diverging, { code: 'NUMERICAL', message: /the loss of step \d+ is/ });
  });

  it('refuses the state of another model or optimizer', async () => {
    const path = join(folder, 'other.safetensors');
    using trainer = await createTrainer(start(), { loss: squaredError, optimizer: adam() });
    const resume = await trainer.state();
    await saveTrainerState(path, resume);
    const other: Tensors = { weight: { shape: [4, 1], data: new Float32Array(4) } };
    await assert.rejects(loadTrainerState(path, other), {
      code: 'DATA',
      message: /3 numbers of weight; expected 4/,
    });
    await assert.rejects(createTrainer(start(), { loss: squaredError, optimizer: sgd(), resume }), {
      code: 'SHAPE',
      message: /same optimizer/,
    });
    await assert.rejects(createTrainer(other, { loss: squaredError, optimizer: adam(), resume }), {
      code: 'SHAPE',
      message: /weight .* another model/,
    });
    await saveTensors(
      path,
      Object.fromEntries(Object.entries(start()).map(([n, t]) => [`parameter/${n}`, t])),
    );
    await assert.rejects(loadTrainerState(path, start()), { code: 'DATA', message: /no steps/ });
  });
});

describe('clipNorm', () => {
  it('scales all gradients together down to the norm, and leaves smaller ones alone', async () => {
    // Gradients (3, 0, 4) of two parameters have norm 5.
    const loss: LossFunction = (_jax, { a, b }, { forA, forB }) => a.mul(forA).sum().add(b.mul(forB).sum());
    const tensors = (a: number[], b: number[]): Tensors => ({
      a: { shape: [2], data: Float32Array.from(a) },
      b: { shape: [1], data: Float32Array.from(b) },
    });
    const gradients = { forA: tensors([3, 0], [4]).a, forB: tensors([3, 0], [4]).b };
    for (const [clipNorm, size] of [
      [1, 0.2],
      [10, 1],
    ]) {
      using trainer = await createTrainer(tensors([0, 0], [0]), { loss, optimizer: sgd(), clipNorm });
      await trainer.step(gradients, 1);
      const { a, b } = await trainer.parameters();
      [...a.data, ...b.data].forEach((value, i) => {
        assert.ok(Math.abs(value + size * [3, 0, 4][i]) < 1e-6, `${value}`);
      });
    }
    using still = await createTrainer(tensors([1, 1], [1]), { loss, optimizer: sgd(), clipNorm: 1 });
    await still.step({ forA: tensors([0, 0], [0]).a, forB: tensors([0, 0], [0]).b }, 1);
    assert.deepEqual([...(await still.parameters()).a.data], [1, 1]);
    await assert.rejects(createTrainer(tensors([0, 0], [0]), { loss, optimizer: sgd(), clipNorm: 0 }), {
      code: 'INVALID_ARGUMENT',
    });
  });
});
