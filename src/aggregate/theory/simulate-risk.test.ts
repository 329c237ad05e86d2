import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { summarize } from '../../core/statistics/index.ts';
import { asymptoticRisk } from './asymptotic-risk.ts';
import { drawSortedNorms, limitSortedNorms } from './bag-design.ts';
import { curatedRisk } from './curated-risk.ts';
import { type PlainRun, plainRun } from './oracle.ts';
import { privateRisk } from './private-risk.ts';
import { simulateRisk } from './simulate-risk.ts';

function plainRuns(run: PlainRun, repeats: number, seed: number) {
  const rng = createRng(seed);
  const { mean, variance } = summarize(Array.from({ length: repeats }, (_, i) => plainRun(run, rng.fork(i))));
  return { mean, standardError: Math.sqrt(variance / repeats) };
}

/** Six standard errors of the difference of two means of 100 or more runs: false-failure rate below 1e-7, heavy tails aside. */
function assertEqualMeans(
  a: { mean: number; standardError: number },
  b: { mean: number; standardError: number },
  what: string,
): void {
  const allowed = 6 * Math.hypot(a.standardError, b.standardError);
  assert.ok(Math.abs(a.mean - b.mean) <= allowed, `${what}: ${a.mean} and ${b.mean}, allowed ${allowed}`);
}

describe('simulateRisk', () => {
  it('follows the theory over ψ, k, ρ and SNR', async () => {
    let [cells, kept] = [0, 0];
    for (const psi of [2, 4, 8]) {
      for (const bagSize of [2, 3, 5]) {
        for (const signal of [0.5, 1, 4]) {
          const rhos = [0, 0.05, 0.1, 0.3, 1];
          const setting = { psi, bagSize, signal, noise: 1, rhos, features: 60 };
          const simulated = await simulateRisk(setting, { repeats: 30, seed: 7 });
          simulated.forEach(({ rho, mean, standardError }) => {
            const { risk } = asymptoticRisk({ ...setting, rho });
            // With ψ/k just above 1 the risk of finite d has no mean to speak of: m − d − 1 is near 0.
            if (rho === 0 && psi < 1.5 * bagSize) return;
            cells++;
            if (Math.abs(mean - risk) <= 3 * standardError + 0.03 * risk) kept++;
          });
        }
      }
    }
    assert.ok(cells >= 120);
    assert.ok(kept >= 0.95 * cells, `${kept} of ${cells} cells within 3 standard errors + 3 %`);
  });

  it('draws from the distribution of plain data', async () => {
    for (const [psi, bagSize, rho, correlation] of [
      [6, 3, 0.2, undefined],
      [2, 3, 0.5, undefined],
      [6, 3, 0, 0.8],
      [6, 3, 1, 0.8],
    ] as const) {
      const shared = { bagSize, signal: 2, noise: 0.7, features: 8 };
      const prior = correlation === undefined ? undefined : { correlation };
      const [fast] = await simulateRisk({ ...shared, psi, rhos: [rho], prior }, { repeats: 2000 });
      const plain = {
        ...shared,
        samples: 8 * psi,
        rho,
        ...(correlation === undefined ? {} : { correlation }),
      };
      assertEqualMeans(fast, plainRuns(plain, 1500, 3), `ψ ${psi} ρ ${rho} prior ${correlation}`);
    }
  });

  it('is the excess error of predictions whatever the covariance of the features', async () => {
    const shared = { bagSize: 3, signal: 2, noise: 0.7, features: 8 };
    const [fast] = await simulateRisk({ ...shared, psi: 6, rhos: [0.2] }, { repeats: 1000 });
    // Neighbours are correlated by 0.5.
    assertEqualMeans(fast, plainRuns({ ...shared, samples: 48, rho: 0.2, mixing: 1 }, 1000, 5), 'mixed');
    // The same draws give the same error up to rounding: the fit is equivariant.
    const run = { ...shared, samples: 48, rho: 0.2 };
    const plain = plainRun(run, createRng(2));
    assert.ok(Math.abs(plainRun({ ...run, mixing: 1 }, createRng(2)) / plain - 1) < 1e-9);
  });

  it('follows the ridge theory, also with fewer samples than features', async () => {
    for (const [psi, bagSize, rho, ridge] of [
      [0.5, 2, 0.4, 0.3],
      [0.8, 1, 0, 0.2],
      [3, 4, 0, 0.5],
      [4, 3, 0.3, 0.5],
    ]) {
      const setting = { psi, bagSize, signal: 1, noise: 1, ridge };
      const [{ mean, standardError, squaredBias, variance }] = await simulateRisk(
        { ...setting, rhos: [rho], features: 120 },
        { repeats: 60, seed: 5 },
      );
      const theory = asymptoticRisk({ ...setting, rho });
      // Finite d adds O(1/d): 3 % here. Five standard errors: 6e-7 each.
      assert.ok(Math.abs(mean - theory.risk) <= 5 * standardError + 0.03 * theory.risk);
      assert.ok(Math.abs(squaredBias / theory.squaredBias - 1) < 0.12);
      assert.ok(Math.abs(variance / theory.variance - 1) < 0.15);
    }
  });

  it('takes the order of many samples from its limit', () => {
    const [bags, bagSize] = [400, 60];
    const limit = limitSortedNorms(bags, bagSize);
    const drawn = drawSortedNorms(bags, bagSize, createRng(1));
    // χ² of n = 24 000 degrees: its root has a relative spread of 1/√(2n) = 0.46 %, five of which are 2.3 %.
    assert.ok(Math.abs(drawn.between / limit.between - 1) < 0.023);
    // Within bags it is the two extreme ones that vary most: the spread is about a tenth.
    assert.ok(Math.abs(drawn.within / limit.within - 1) < 0.5, `${drawn.within} ${limit.within}`);
    assert.ok(Math.abs(limit.between ** 2 + limit.within ** 2 - bags * bagSize) < 1e-6);
  });

  it('is infinite where the estimate is not unique', async () => {
    const setting = { psi: 2, bagSize: 4, signal: 1, noise: 1, rhos: [0, 0.5], features: 10 };
    const [bagLevel, mixed] = await simulateRisk(setting, { repeats: 5 });
    assert.equal(bagLevel.mean, Infinity);
    assert.ok(mixed.mean < Infinity && mixed.low <= mixed.mean && mixed.mean <= mixed.high);
  });

  it('repeats itself, can be cancelled, and refuses what makes no sense', async () => {
    const setting = { psi: 6, bagSize: 2, signal: 1, noise: 1, rhos: [0.1], features: 6 };
    const options = { repeats: 5, seed: 3 };
    assert.deepEqual(await simulateRisk(setting, options), await simulateRisk(setting, options));
    const reason = new Error('enough');
    await assert.rejects(simulateRisk(setting, { signal: AbortSignal.abort(reason) }), reason);
    const refused = (change: object, message: RegExp) =>
      assert.rejects(simulateRisk({ ...setting, ...change }), { code: 'INVALID_ARGUMENT', message });
    await refused({ rhos: [] }, /rhos is empty/);
    await refused({ rhos: [-1] }, /rhos\[0\] is -1/);
    await refused({ bagSize: 40 }, /36 samples do not fill a bag of 40/);
    await refused({ prior: { correlation: 1.2 } }, /prior.correlation is 1.2/);
    await refused({ features: 0 }, /features is 0/);
  });
});

describe('privateRisk', () => {
  it('is what clipped labels with Laplace noise give, within 5 %, and half of the scale is not', () => {
    const setting = { psi: 10, bagSize: 2, signal: 1, noise: 0.25, rho: 0.1, epsilon: 2 };
    const run = { ...setting, samples: 500, features: 50, privacy: { bounds: [-6, 6] as const, epsilon: 2 } };
    // 500 runs of spread √(2/50): standard error 0.9 %; d = 50 adds about 0.5 %. The other 4.5 % are five: 6e-7.
    const { mean } = plainRuns(run, 500, 11);
    const { risk } = privateRisk({ ...setting, bounds: [-6, 6] });
    assert.ok(Math.abs(mean / risk - 1) < 0.05, `${mean} against ${risk}`);
    const halved = privateRisk({ ...setting, bounds: [-3, 3] }).risk;
    assert.ok(Math.abs(mean / halved - 1) > 0.5, `${mean} against ${halved}`);
  });
});

describe('curatedRisk', () => {
  it('follows simulation from an oracle to random bags, with and without privacy', async () => {
    const privacy = { bounds: [-3, 3] as const, epsilon: 2 };
    for (const [correlation, rho, options] of [
      [1, 1, {}],
      [0.9, 1, {}],
      [0.9, 0.1, { privacy }],
      [0, 0.3, { privacy }],
      [0.7, 0, { ridge: 0.2 }],
    ] as const) {
      const setting = { bagSize: 4, signal: 1, noise: 0.5, features: 40, prior: { correlation }, ...options };
      const { risk } = curatedRisk({ ...setting, samples: 800, rho });
      const [{ mean, standardError }] = await simulateRisk(
        { ...setting, psi: 20, rhos: [rho] },
        { repeats: 100 },
      );
      // d = 40: up to 1/d more from the limit. Six standard errors.
      assert.ok(
        Math.abs(mean - risk) <= 6 * standardError + 0.025 * risk,
        `${correlation}: ${mean}, ${risk}`,
      );
    }
  });

  it('with a correlation of 0 is risk on random bags, with 1 beats single labels by 1 + (d−1)/k to d', () => {
    const setting = { samples: 8192, features: 10, bagSize: 8, signal: 1, noise: 0.25, rho: 1 };
    const oracle = curatedRisk({ ...setting, prior: { correlation: 1 } });
    const classical = (0.25 / 8192) * (1 + 9 / 8);
    // ψ is 910, not infinite: the variance is 1/ψ larger.
    assert.ok(Math.abs(oracle.risk / classical - 1) < 2e-3);
    assert.equal(oracle.squaredBias, 0);
    const random = curatedRisk({ ...setting, prior: { correlation: 0 } });
    const theory = asymptoticRisk({ ...setting, psi: 819.2 });
    assert.ok(Math.abs(random.risk / theory.risk - 1) < 1e-3);
  });

  it('predicts two stages: the table of independent measurements, within a third', () => {
    const setting = { samples: 8192, features: 10, signal: 1, noise: 0.25, rho: 1 };
    const privacy = { bounds: [-3, 3] as const, epsilon: 1 };
    // ‖θ̂ − θ‖² of eight seeds of a reference implementation; the angle of one prior has a spread of √(2/9) ≈ ½ itself, a mean of eight of 1/6.
    for (const [bagSize, firstStageRho, options, measured] of [
      [8, 1, {}, 0.0126],
      [64, 1, {}, 0.136],
      [8, 0, {}, 0.0038],
      [64, 0, {}, 0.0348],
      [8, 1, { privacy }, 0.145],
    ] as const) {
      const { risk } = curatedRisk({ ...setting, bagSize, prior: { firstStageRho }, ...options });
      assert.ok(Math.abs(risk / measured - 1) < 1 / 3, `k ${bagSize}: ${risk} against ${measured}`);
    }
  });

  it('refuses stages without a bag and correlations that are none', () => {
    const setting = { samples: 100, features: 4, bagSize: 60, signal: 1, noise: 1, rho: 1 };
    assert.throws(
      () => curatedRisk({ ...setting, prior: { firstStageRho: 1 } }),
      /50 samples; expected at least/,
    );
    assert.throws(
      () => curatedRisk({ ...setting, prior: { correlation: -0.5 } }),
      /prior.correlation is -0.5/,
    );
  });
});
