// Cuts against the optimum in exact arithmetic: integers, whose costs are fractions of a small common denominator.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, type Rng } from '../../core/rng.ts';
import { loadKernels } from '../../kernels/index.ts';
import { optimalCuts } from './cuts.ts';
import { dequeCuts } from './deque.ts';

const MIN_SIZE = 9;
const MAX_SIZE = 2 * MIN_SIZE - 1;

/** lcm(1 … 17): every cost is a whole number of its fractions. */
const DENOMINATOR = 12252240n;

/** DENOMINATOR · Σ (v − v̄)² of the values from … to − 1. */
function exactCost(sums: readonly bigint[], squares: readonly bigint[], from: number, to: number): bigint {
  const sum = sums[to] - sums[from];
  return DENOMINATOR * (squares[to] - squares[from]) - (DENOMINATOR / BigInt(to - from)) * sum * sum;
}

function runningSums(values: readonly bigint[]): bigint[] {
  const sums = [0n];
  for (const value of values) sums.push(sums[sums.length - 1] + value);
  return sums;
}

/** Integers below 2⁵³ of which the least differences are 1: a common offset, clumps and outliers of every size. */
const KINDS: Record<string, (rng: Rng) => number> = {
  'an offset of 2⁵²': (rng) => 2 ** 52 + rng.integer(10_000),
  clumps: (rng) => 2 ** 50 * rng.integer(4) + rng.integer(1000),
  'heavy tails': (rng) => Math.floor(2 ** (52 * rng.next())),
  ties: (rng) => rng.integer(30),
};

describe('cuts against exact arithmetic', () => {
  for (const [name, draw] of Object.entries(KINDS)) {
    it(`are optimal to 1e-14 with ${name}`, async () => {
      const kernels = await loadKernels();
      for (let seed = 0; seed < 8; seed++) {
        const rng = createRng(seed).fork(name);
        const count = 9 + 9 * seed + rng.integer(300);
        const sorted = Float64Array.from({ length: count }, () => draw(rng)).sort();
        const exact = Array.from(sorted, BigInt);
        const [sums, squares] = [runningSums(exact), runningSums(exact.map((v) => v * v))];
        const least: (bigint | undefined)[] = [0n];
        for (let i = 1; i <= count; i++) {
          for (let j = Math.max(0, i - MAX_SIZE); j <= i - MIN_SIZE; j++) {
            const before = least[j];
            if (before === undefined) continue;
            const cost = before + exactCost(sums, squares, j, i);
            if (least[i] === undefined || cost < least[i]!) least[i] = cost;
          }
        }
        const optimum = least[count]!;
        const rules = { minSize: MIN_SIZE, maxSize: Math.min(count, MAX_SIZE), penalty: 0 } as const;
        const rest = { weights: undefined, noise: undefined };
        for (const offsets of [
          await optimalCuts(sorted, { ...rules, ...rest }, kernels),
          await optimalCuts(sorted, { ...rules, ...rest, plain: true }, kernels),
          await dequeCuts(sorted, { ...rules, ...rest }),
        ]) {
          let cost = 0n;
          for (let a = 0; a + 1 < offsets.length; a++) {
            assert.ok(offsets[a + 1] - offsets[a] >= MIN_SIZE);
            cost += exactCost(sums, squares, offsets[a], offsets[a + 1]);
          }
          assert.ok(cost >= optimum);
          assert.ok((cost - optimum) * 10n ** 14n <= optimum, `${cost - optimum} above ${optimum}`);
        }
      }
    });
  }
});
