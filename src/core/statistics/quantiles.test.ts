import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  betaQuantile,
  chiSquarePValue,
  chiSquareQuantile,
  normalQuantile,
  studentTQuantile,
} from './quantiles.ts';
import { betaTails, gammaTails } from './tails.ts';

// Golden values: Python, mpmath 1.3 with mp.dps = 40. Upper tails p are solved by
//   normal   findroot(lambda x: log(erfc(x/sqrt(2))/2/p), norm.isf(p))
//   t        findroot(lambda x: log(betainc(v/2, 0.5, 0, v/(v+x*x), regularized=True)/2/p), t.isf(p, v))
//   χ²       findroot(lambda x: log(gammainc(k/2, x/2, inf, regularized=True)/p), chi2.isf(p, k))   (lower: 0, x/2)
//   beta     findroot(lambda x: log(betainc(a, b, 0, x, regularized=True)/p), beta.ppf(p, a, b))
const RELATIVE = 1e-13; // a few hundred roundings: 40-odd terms of a series, and the conditioning of the quantile

function assertNear(actual: number, expected: number, relative = RELATIVE): void {
  const error = Math.abs(actual - expected) / Math.abs(expected);
  assert.ok(error <= relative, `${actual}; expected ${expected}, relative error ${error}`);
}

describe('normalQuantile', () => {
  it('gives the golden values, symmetric in its tails', () => {
    const golden = [
      [0.4, 0.2533471031357997],
      [0.025, 1.9599639845400543],
      [1e-3, 3.0902323061678136],
      [1e-9, 5.997807015007687],
      [1e-100, 21.273453560965326],
    ];
    for (const [p, z] of golden) {
      assertNear(normalQuantile(p, 'upper'), z);
      assert.equal(normalQuantile(p), -normalQuantile(p, 'upper'));
    }
    assert.equal(normalQuantile(0.5), 0);
    assert.deepEqual([normalQuantile(0), normalQuantile(1)], [-Infinity, Infinity]);
    assertNear(normalQuantile(0.975), 1.9599639845400543);
    // Next to the middle the quantile is (p − ½) √(2π).
    assertNear(normalQuantile(0.5 + 2 ** -40), 2 ** -40 * Math.sqrt(2 * Math.PI));
  });
});

describe('studentTQuantile', () => {
  it('gives the golden values', () => {
    const golden = [
      [0.025, 1, 12.706204736174705],
      [0.025, 3.5, 2.9400886379827296],
      [1e-9, 3.5, 439.49849343934466],
      [0.4, 10, 0.26018482949208016],
      [0.005, 1000, 2.580754698065951],
      [1e-6, 1e6, 4.753452348279681],
    ];
    for (const [p, degrees, t] of golden) {
      assertNear(studentTQuantile(p, degrees, 'upper'), t, 1e-12);
      assert.equal(studentTQuantile(p, degrees), -studentTQuantile(p, degrees, 'upper'));
    }
    assert.equal(studentTQuantile(0.5, 3), 0);
    assert.equal(studentTQuantile(0.025, Infinity), normalQuantile(0.025));
    // Cauchy: tan(π (p − ½)).
    for (const p of [0.6, 0.9, 0.999])
      assertNear(studentTQuantile(p, 1), Math.tan(Math.PI * (p - 0.5)), 1e-12);
  });
});

describe('chiSquareQuantile', () => {
  it('gives the golden values', () => {
    const golden = [
      [1e-6, 3, 'lower', 0.00024181048720124283],
      [0.025, 1, 'lower', 0.000982069117175256],
      [0.05, 0.5, 'lower', 8.437150840525984e-6],
      [0.025, 1e4, 'upper', 10279.07017988759],
      [1e-20, 7, 'upper', 109.82144367398818],
      [0.5, 2, 'lower', 2 * Math.LN2],
      [0.025, 99, 'lower', 73.36108019128366],
      [0.025, 99, 'upper', 128.4219886438403],
    ] as const;
    for (const [p, degrees, tail, x] of golden) assertNear(chiSquareQuantile(p, degrees, tail), x);
    assert.deepEqual([chiSquareQuantile(0, 3), chiSquareQuantile(1, 3)], [0, Infinity]);
  });
});

describe('betaQuantile', () => {
  it('gives the golden values', () => {
    const golden = [
      [0.025, 3, 998, 'lower', 0.0006190999316495713],
      [0.025, 500, 500, 'upper', 0.5309677375854026],
      [1e-9, 200, 5, 'lower', 0.855705129471789],
      [0.3, 0.5, 0.5, 'lower', Math.sin(0.15 * Math.PI) ** 2], // the arcsine law
      [0.025, 0.5, 20, 'lower', 2.486020863130437e-5],
      [1e-7, 1, 1e6, 'lower', -Math.expm1(Math.log1p(-1e-7) / 1e6)],
    ] as const;
    for (const [p, a, b, tail, x] of golden) assertNear(betaQuantile(p, a, b, tail), x);
    assert.deepEqual([betaQuantile(0, 2, 3), betaQuantile(1, 2, 3)], [0, 1]);
  });
});

describe('chiSquarePValue', () => {
  it('gives the golden values, far into the tail', () => {
    // gammainc(k/2, x/2, inf, regularized=True)
    assertNear(chiSquarePValue(200, 3), 4.2185411071920426e-43);
    assertNear(chiSquarePValue(1e4, 1e4), 0.4981193659661826);
    assertNear(chiSquarePValue(3.841458820694124, 1), 0.05000000000000006);
    assertNear(chiSquarePValue(0.1, 5), 0.9998376833880773);
    assert.deepEqual([chiSquarePValue(0, 4), chiSquarePValue(Infinity, 4)], [1, 0]);
  });
});

describe('quantiles and tails', () => {
  const probability = fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true });
  const shape = fc.double({ min: -1, max: 5, noNaN: true }).map((e) => 10 ** e);

  it('undo each other', () => {
    const property = fc.property(probability, shape, shape, (p, a, b) => {
      const x = chiSquareQuantile(p, 2 * a) / 2;
      const gamma = gammaTails(a, x);
      // An error ε of x moves the tail by density · x · ε ≤ √(a + 1) ε, relative to a tail that may be as small as p.
      const allowed = 1e-12 * (1 + Math.sqrt(a)) * (1 + Math.abs(Math.log(Math.min(p, 1 - p))));
      if (p <= 0.5) assertNear(gamma.lower, p, allowed);
      else assertNear(gamma.upper, 1 - p, allowed);
      const y = betaQuantile(p, a, b);
      if (y > 0 && y < 0.5) {
        const beta = betaTails(a, b, y, 1 - y);
        const conditioning = 1e-12 * (1 + Math.sqrt(a + b)) * (1 + Math.abs(Math.log(Math.min(p, 1 - p))));
        if (p <= 0.5) assertNear(beta.lower, p, conditioning);
        else assertNear(beta.upper, 1 - p, conditioning);
      }
    });
    fc.assert(property, { seed: 1, numRuns: 1000 });
  });

  it('hold for very large parameters', () => {
    // Normal limits, to the order of the first skewness term.
    const n = 1e10;
    assertNear(chiSquareQuantile(0.975, n), n + 1.959963984540054 * Math.sqrt(2 * n), 1e-9);
    assertNear(betaQuantile(0.975, n, n), 0.5 + 1.959963984540054 / Math.sqrt(8 * n), 1e-9);
  });

  it('meet at the median of a symmetric distribution', () => {
    for (const a of [1e-3, 1, 99999.99999831953, 1e8]) assertNear(betaTails(a, a, 0.5, 0.5).lower, 0.5);
  });

  it('refuse what is no probability and no shape', () => {
    const calls = [
      () => normalQuantile(-0.1),
      () => normalQuantile(Number.NaN),
      () => studentTQuantile(0.5, 0),
      () => studentTQuantile(1.1, 3),
      () => chiSquareQuantile(0.5, -1),
      () => betaQuantile(0.5, 0, 1),
      () => betaQuantile(0.5, 1, Infinity),
      () => chiSquarePValue(-1, 3),
      () => chiSquarePValue(Number.NaN, 3),
      () => chiSquarePValue(1, 0),
    ];
    for (const call of calls) assert.throws(call, { code: 'INVALID_ARGUMENT' });
  });
});
