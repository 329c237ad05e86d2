import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawBeta, drawGamma } from './gamma-draws.ts';
import { createRng } from './rng.ts';
import { betaTails, gammaTails } from './statistics/tails.ts';

const DRAWS = 20_000;
// Dvoretzky, Kiefer, Wolfowitz and Massart: P(sup |Fₙ − F| > ε) ≤ 2 e^(−2nε²) = 1e-7 for each of the eight distributions below.
const LIMIT = Math.sqrt(Math.log(2e7) / (2 * DRAWS));

describe('drawGamma', () => {
  for (const shape of [0.2, 1, 2, 8.5, 300]) {
    it(`follows the gamma distribution of shape ${shape}`, () => {
      const rng = createRng(1).fork(shape);
      const distance = largestGap(
        () => drawGamma(rng, shape),
        (x) => gammaTails(shape, x).lower,
      );
      assert.ok(distance < LIMIT, `sup |Fₙ − F| = ${distance}`);
    });
  }

  it('refuses a shape that is not positive', () => {
    for (const shape of [0, -1, Number.NaN, Infinity]) {
      assert.throws(() => drawGamma(createRng(1), shape), /drawGamma: shape is/);
    }
  });
});

describe('drawBeta', () => {
  for (const [a, b] of [
    [2, 8],
    [0.5, 0.5],
    [3, 0.7],
  ]) {
    it(`follows the beta distribution of shapes ${a} and ${b}`, () => {
      const rng = createRng(2).fork(a);
      const distance = largestGap(
        () => drawBeta(rng, a, b),
        (x) => betaTails(a, b, x, 1 - x).lower,
      );
      assert.ok(distance < LIMIT, `sup |Fₙ − F| = ${distance}`);
    });
  }
});

/** sup |Fₙ − F| of `DRAWS` draws. */
function largestGap(draw: () => number, distribution: (x: number) => number): number {
  const sample = Float64Array.from({ length: DRAWS }, draw).sort();
  let gap = 0;
  for (const [rank, x] of sample.entries()) {
    const f = distribution(x);
    gap = Math.max(gap, f - rank / DRAWS, (rank + 1) / DRAWS - f);
  }
  return gap;
}
