import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adam, adamW, type Optimizer, sgd } from './optimizers.ts';
import type { Tensors } from './tensors.ts';
import { createTrainer, type LossFunction } from './trainer.ts';

/** Loss Σ c · θ over a matrix and a vector: its gradient is c, whatever θ is, so that steps can be computed by hand. */
const linearLoss: LossFunction = (_jax, { matrix, vector }, { forMatrix, forVector }) =>
  matrix.mul(forMatrix).sum().add(vector.mul(forVector).sum());

const start = (): Tensors => ({
  matrix: { shape: [1, 2], data: Float32Array.of(1, -2) },
  vector: { shape: [2], data: Float32Array.of(0.5, 4) },
});

/** Gradients of three steps, (matrix, vector). */
const gradients = [
  [
    [0.5, -1],
    [2, 0.25],
  ],
  [
    [-0.25, -1],
    [1, 0],
  ],
  [
    [3, 0.125],
    [-1, 0.5],
  ],
];
const rates = [0.1, 0.05, 0.2];

async function run(optimizer: Optimizer): Promise<number[]> {
  using trainer = await createTrainer(start(), { loss: linearLoss, optimizer });
  for (const [t, [forMatrix, forVector]] of gradients.entries()) {
    const batch = {
      forMatrix: { shape: [1, 2], data: Float32Array.from(forMatrix) },
      forVector: { shape: [2], data: Float32Array.from(forVector) },
    };
    await trainer.step(batch, rates[t]);
  }
  assert.equal(trainer.steps, 3);
  const { matrix, vector } = await trainer.parameters();
  assert.deepEqual([matrix.shape, vector.shape], [[1, 2], [2]]);
  return [...matrix.data, ...vector.data];
}

/** The same steps in float64, one parameter at a time. @param next - the value after a step; owns its state */
function byHand(next: (isMatrix: boolean) => (value: number, g: number, rate: number, t: number) => number) {
  return [1, -2, 0.5, 4].map((value, i) => {
    const update = next(i < 2);
    return gradients.reduce((x, g, t) => update(x, g[i < 2 ? 0 : 1][i % 2], rates[t], t + 1), value);
  });
}

function requireClose(actual: number[], wanted: number[]): void {
  // Three steps of a dozen float32 operations on numbers below 8: 36 roundings of 2⁻²⁴ · 8 are 1.7e-5 at the very most.
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - wanted[i]) < 2e-6 * Math.max(1, Math.abs(wanted[i])), `${actual} ≠ ${wanted}`);
  });
}

const adamByHand =
  (decay: number, [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8]) =>
  (isMatrix: boolean) => {
    let [m, v] = [0, 0];
    return (x: number, g: number, rate: number, t: number) => {
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const kept = isMatrix ? x - rate * decay * x : x;
      return kept - (rate * (m / (1 - beta1 ** t))) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
    };
  };

describe('optimizers take the steps of their papers', () => {
  it('sgd', async () => {
    requireClose(
      await run(sgd()),
      byHand(() => (x, g, rate) => x - rate * g),
    );
  });

  for (const nesterov of [false, true]) {
    it(`sgd with momentum${nesterov ? ' (Nesterov)' : ''}`, async () => {
      const wanted = byHand(() => {
        let v = 0;
        return (x, g, rate) => {
          v = 0.9 * v + g;
          return x - rate * (nesterov ? g + 0.9 * v : v);
        };
      });
      requireClose(await run(sgd({ momentum: 0.9, nesterov })), wanted);
    });
  }

  it('adam', async () => {
    requireClose(await run(adam()), byHand(adamByHand(0)));
    requireClose(
      await run(adam({ beta1: 0.5, beta2: 0.8, epsilon: 0.1 })),
      byHand(adamByHand(0, [0.5, 0.8, 0.1])),
    );
  });

  it('adamW shrinks matrices, not vectors', async () => {
    requireClose(await run(adamW({ weightDecay: 0.5 })), byHand(adamByHand(0.5)));
  });

  it('refuse options out of range', () => {
    const code = 'INVALID_ARGUMENT';
    assert.throws(() => sgd({ momentum: 1 }), { code, message: /sgd: momentum is 1/ });
    assert.throws(() => adam({ beta1: 1 }), { code });
    assert.throws(() => adam({ epsilon: 0 }), { code });
    assert.throws(() => adamW({ weightDecay: -1 }), { code });
  });
});

describe('createTrainer', () => {
  it('returns the loss before the step', async () => {
    using trainer = await createTrainer(
      { x: { shape: [], data: Float32Array.of(3) } },
      { loss: (_jax, { x }, { target }) => x.sub(target).mul(2), optimizer: sgd() },
    );
    const batch = { target: { shape: [], data: Float32Array.of(1) } };
    assert.equal(await trainer.step(batch, 0.5), 4);
    assert.equal(await trainer.step(batch, 0.5), 2);
  });

  it('refuses a tensor whose data does not fit its shape', async () => {
    const wrong = { x: { shape: [2, 2], data: new Float32Array(3) } };
    await assert.rejects(createTrainer(wrong, { loss: linearLoss, optimizer: sgd() }), {
      code: 'SHAPE',
      message: /parameter x: data has 3 entries; expected 4 for shape \(2, 2\)/,
    });
  });
});
