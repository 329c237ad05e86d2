import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, type Rng } from '../rng.ts';
import {
  bernsteinInterval,
  chiSquareInterval,
  clopperPearsonInterval,
  empiricalBernsteinInterval,
  hoeffdingInterval,
  type Interval,
  studentTInterval,
  summarize,
} from './index.ts';
import { binomialTerm } from './saddle-point.ts';

const near = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}; expected ${expected} ± ${tolerance}`);

/** Share of `runs` samples whose interval covers `truth`. */
function coverage(runs: number, truth: number, draw: (rng: Rng) => Interval): number {
  let covered = 0;
  for (let run = 0; run < runs; run++) {
    const { low, high } = draw(createRng(run));
    if (low <= truth && truth <= high) covered++;
  }
  return covered / runs;
}

const sample = (n: number, draw: () => number) => summarize(Float64Array.from({ length: n }, draw));

describe('intervals for the mean of bounded values', () => {
  const summary = { count: 1000, mean: 0.3, variance: 0.01 };

  it('have the half-width of their formula', () => {
    // Python: sqrt(log(40)/2000), (log(40)/3 + sqrt((log(40)/3)**2 + 20*log(40)))/1000, sqrt(.02*log(80)/1000) + 7*log(80)/3/999
    near(hoeffdingInterval(summary).high - 0.3, 0.04294694083467376, 1e-15);
    near(bernsteinInterval(summary).high - 0.3, 0.009906582769840917, 1e-15);
    near(empiricalBernsteinInterval(summary).high - 0.3, 0.019596616019661048, 1e-15);
    for (const interval of [hoeffdingInterval, bernsteinInterval, empiricalBernsteinInterval]) {
      const { low, high, confidence } = interval(summary);
      near(high + low, 0.6, 1e-15);
      assert.equal(confidence, 0.95);
    }
  });

  it('follow the unit of the values', () => {
    const scaled = { count: 1000, mean: 10 * 0.3 - 4, variance: 1 };
    for (const interval of [hoeffdingInterval, bernsteinInterval, empiricalBernsteinInterval]) {
      const plain = interval(summary, { confidence: 0.99 });
      const moved = interval(scaled, { confidence: 0.99, min: -4, max: 6 });
      near(moved.low, 10 * plain.low - 4, 1e-14);
      near(moved.high, 10 * plain.high - 4, 1e-14);
    }
  });

  it('cover at least as often as promised, also for skewed values', () => {
    // Bernoulli values, the extreme case at each mean. With true coverage ≥ 0.8, a share below 0.8 − 0.0263 in 10⁴ runs has
    // probability ≤ exp(−2 · 10⁴ · 0.0263²) = 1e-6 (Hoeffding).
    const runs = 10_000;
    for (const mean of [0.02, 0.5]) {
      const draw = (rng: Rng) => sample(50, () => Number(rng.next() < mean));
      const options = { confidence: 0.8 };
      const shares = {
        hoeffding: coverage(runs, mean, (rng) => hoeffdingInterval(draw(rng), options)),
        bernstein: coverage(runs, mean, (rng) =>
          bernsteinInterval({ ...draw(rng), variance: mean * (1 - mean) }, options),
        ),
        empirical: coverage(runs, mean, (rng) => empiricalBernsteinInterval(draw(rng), options)),
      };
      for (const [name, share] of Object.entries(shares)) assert.ok(share >= 0.7737, `${name}: ${share}`);
      // And they are not so wide that nothing could fail: for a fair coin Hoeffding's misses with the normal tail.
      if (mean === 0.5) assert.ok(shares.hoeffding < 1);
    }
  });

  it('are the whole range of no values, and of one where the variance is needed', () => {
    const none = { count: 0, mean: 0, variance: 0 };
    const range = { low: 2, high: 5, confidence: 0.95 };
    for (const interval of [hoeffdingInterval, bernsteinInterval, empiricalBernsteinInterval]) {
      assert.deepEqual(interval(none, { min: 2, max: 5 }), range);
    }
    assert.deepEqual(
      empiricalBernsteinInterval({ count: 1, mean: 3, variance: 0 }, { min: 2, max: 5 }),
      range,
    );
  });

  it('keep a width for constant values, and shrink like 1/n there when they use the variance', () => {
    const constant = { count: 1e6, mean: 0.5, variance: 0 };
    const width = ({ low, high }: Interval) => high - low;
    assert.ok(width(empiricalBernsteinInterval(constant)) > 0);
    assert.ok(width(empiricalBernsteinInterval(constant)) < width(hoeffdingInterval(constant)) / 50);
    assert.deepEqual(hoeffdingInterval(constant, { min: 0.5, max: 0.5 }), {
      low: 0.5,
      high: 0.5,
      confidence: 0.95,
    });
  });

  it('refuse a mean outside the range, a variance below 0, a count that is none', () => {
    const bad = [
      { ...summary, mean: 1.5 },
      { ...summary, mean: Number.NaN },
      { ...summary, count: -1 },
      { ...summary, count: 1.5 },
    ];
    for (const interval of [hoeffdingInterval, bernsteinInterval, empiricalBernsteinInterval]) {
      for (const input of bad) assert.throws(() => interval(input), { code: 'INVALID_ARGUMENT' });
      assert.throws(() => interval(summary, { confidence: 1 }), { code: 'INVALID_ARGUMENT' });
      assert.throws(() => interval(summary, { min: 1, max: 0 }), { code: 'INVALID_ARGUMENT' });
    }
    assert.throws(() => bernsteinInterval({ ...summary, variance: -1 }), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => empiricalBernsteinInterval({ ...summary, variance: Number.NaN }), {
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('studentTInterval and chiSquareInterval', () => {
  it('cover normal means and variances exactly as often as promised', () => {
    // Five observations, confidence 0.9: the share of 10⁴ runs is 0.9 ± 0.003, and off by 5 standard errors once in 1.7e6.
    const draw = (rng: Rng) => sample(5, () => 3 + 2 * rng.normal());
    const options = { confidence: 0.9 };
    near(
      coverage(10_000, 3, (rng) => studentTInterval(draw(rng), options)),
      0.9,
      0.015,
    );
    near(
      coverage(10_000, 4, (rng) => chiSquareInterval(draw(rng).variance, 4, options)),
      0.9,
      0.015,
    );
  });

  it('give what SciPy gives', () => {
    // Python: t.interval(.95, 9, 5, 2/sqrt(10)); 9*4/chi2.ppf([.975, .025], 9)   (SciPy 1.17)
    const { low, high } = studentTInterval({ count: 10, mean: 5, variance: 4 });
    near(low, 3.569286188058671, 1e-13);
    near(high, 6.430713811941329, 1e-13);
    const spread = chiSquareInterval(4, 9);
    near(spread.low, 1.8924690865737568, 1e-13);
    near(spread.high, 13.331410154076606, 1e-12);
  });

  it('know nothing of too few values, and all of constant ones', () => {
    assert.deepEqual(studentTInterval({ count: 1, mean: 5, variance: 0 }), {
      low: -Infinity,
      high: Infinity,
      confidence: 0.95,
    });
    assert.deepEqual(chiSquareInterval(0, 0), { low: 0, high: Infinity, confidence: 0.95 });
    assert.deepEqual(chiSquareInterval(0, 5), { low: 0, high: 0, confidence: 0.95 });
    assert.deepEqual(studentTInterval({ count: 9, mean: 5, variance: 0 }), {
      low: 5,
      high: 5,
      confidence: 0.95,
    });
  });
});

describe('clopperPearsonInterval', () => {
  it('gives what SciPy gives', () => {
    // Python: binomtest(s, n).proportion_ci(method="exact")
    for (const [s, n, low, high] of [
      [3, 10, 0.06673951117773447, 0.652452850060008],
      [0, 20, 0, 0.16843347098308536],
      [20, 20, 0.8315665290169146, 1],
      [500, 1000, 0.46854917297179194, 0.531450827028208],
    ]) {
      const interval = clopperPearsonInterval(s, n);
      near(interval.low, low, 1e-13);
      near(interval.high, high, 1e-13);
    }
    assert.deepEqual(clopperPearsonInterval(0, 0), { low: 0, high: 1, confidence: 0.95 });
    // No success: 1 − (δ/2)^(1/n), with all digits where n is great.
    near(clopperPearsonInterval(0, 1e9).high, -Math.expm1(Math.log((1 - 0.95) / 2) / 1e9), 1e-22);
  });

  it('covers every probability at least as often as promised: exact, by adding up all outcomes', () => {
    const trials = 25;
    const intervals = Array.from({ length: trials + 1 }, (_, s) =>
      clopperPearsonInterval(s, trials, { confidence: 0.9 }),
    );
    let least = 1;
    for (let p = 0.005; p < 1; p += 0.005) {
      let covered = 0;
      for (const [s, { low, high }] of intervals.entries()) {
        if (low <= p && p <= high) covered += binomialProbability(s, trials, p);
      }
      least = Math.min(least, covered);
    }
    assert.ok(least >= 0.9, `least coverage ${least}`);
    assert.ok(least < 0.93, `far wider than needed: ${least}`);
  });

  it('refuses more successes than trials', () => {
    assert.throws(() => clopperPearsonInterval(3, 2), {
      code: 'INVALID_ARGUMENT',
      message: /successes is 3/,
    });
    assert.throws(() => clopperPearsonInterval(1, 2, { confidence: 0 }), { code: 'INVALID_ARGUMENT' });
  });
});

describe('summarize', () => {
  it('gives mean and unbiased variance, whatever the offset', () => {
    assert.deepEqual(summarize([]), { count: 0, mean: 0, variance: 0 });
    assert.deepEqual(summarize([4]), { count: 1, mean: 4, variance: 0 });
    assert.deepEqual(summarize([1, 2, 3, 4]), { count: 4, mean: 2.5, variance: 5 / 3 });
    assert.deepEqual(summarize([1, 2, 3, 4].map((x) => x + 2 ** 40)).variance, 5 / 3);
    assert.throws(() => summarize([1, Number.NaN]), { code: 'INVALID_ARGUMENT', message: /values\[1\]/ });
  });
});

function binomialProbability(s: number, n: number, p: number): number {
  if (s === 0) return (1 - p) ** n;
  if (s === n) return p ** n;
  return binomialTerm(s, n - s, p, 1 - p);
}
