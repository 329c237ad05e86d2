import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from './rng.ts';
import { CompensatedSum, compensatedSum, pairwiseSum } from './sums.ts';

/** Exact sum of doubles as a rational with denominator 2¹⁰⁷⁴, rounded once: the oracle. */
function exactSum(values: ArrayLike<number>): number {
  let total = 0n;
  for (let i = 0; i < values.length; i++) total += scaled(values[i]);
  const negative = total < 0n;
  const magnitude = negative ? -total : total;
  const drop = Math.max(0, magnitude.toString(2).length - 64);
  // 64 leading bits are kept before the rounding to 53: wrong by one ulp at most, which the tolerances allow.
  let value = Number(magnitude >> BigInt(drop));
  for (let shift = drop - 1074; shift !== 0; ) {
    const step = Math.max(-1000, Math.min(1000, shift));
    value *= 2 ** step;
    shift -= step;
  }
  return negative ? -value : value;
}

function scaled(x: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(x).buffer)[0];
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1);
  return bits >> 63n ? -magnitude : magnitude;
}

const unit = 2 ** -53;
const moderate = fc.array(fc.double({ min: -1e10, max: 1e10, noNaN: true }), { maxLength: 300 });

describe('compensatedSum', () => {
  it('keeps what plain and Kahan summation lose', () => {
    assert.equal(compensatedSum([1, 1e100, 1, -1e100]), 2);
    assert.equal(compensatedSum(new Float64Array(10).fill(0.1)), 1);
    assert.equal(compensatedSum([]), 0);
  });

  it('is within one rounding of the exact sum, plus n² u² of the absolute sum', () => {
    const property = fc.property(moderate, (values) => {
      const exact = exactSum(values);
      const absolute = exactSum(values.map(Math.abs));
      const allowed = 2 * unit * Math.abs(exact) + values.length ** 2 * unit ** 2 * absolute;
      assert.ok(Math.abs(compensatedSum(values) - exact) <= allowed);
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });

  it('gives infinities and NaN as plain addition does', () => {
    assert.equal(compensatedSum([1, Infinity, 2]), Infinity);
    assert.equal(compensatedSum([-Infinity, 1]), -Infinity);
    assert.equal(compensatedSum([Infinity, -Infinity]), Number.NaN);
    assert.equal(compensatedSum([1, Number.NaN]), Number.NaN);
  });

  it('merges sums taken in parts without losing their compensation', () => {
    const parts = [[1, 1e100], [1, -1e100], [1e-3]].map((values) => {
      const sum = new CompensatedSum();
      for (const x of values) sum.add(x);
      return sum;
    });
    const merged = parts.reduce((all, part) => all.merge(part), new CompensatedSum());
    assert.equal(merged.value, 2.001);
  });
});

describe('pairwiseSum', () => {
  it('is within its bound of the exact sum, where a plain sum is not', () => {
    const rng = createRng(1);
    const values = Float64Array.from({ length: 1 << 20 }, () => rng.next());
    const exact = exactSum(values);
    assert.ok(Math.abs(pairwiseSum(values) - exact) <= (128 + 20) * unit * exact);
    const tenths = new Float64Array(1 << 20).fill(0.1);
    const plain = tenths.reduce((sum, x) => sum + x, 0);
    const error = (sum: number) => Math.abs(sum - exactSum(tenths));
    assert.ok(error(pairwiseSum(tenths)) < error(plain) / 100);
  });

  it('takes every length', () => {
    for (const n of [0, 1, 2, 127, 128, 129, 256, 257, 1000]) {
      assert.equal(pairwiseSum(Float64Array.from({ length: n }, (_, i) => i + 1)), (n * (n + 1)) / 2);
    }
  });
});
