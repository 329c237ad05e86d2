import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asymptoticRisk } from './asymptotic-risk.ts';
import { optimalRho } from './optimal-rho.ts';
import { planAggregation } from './plan-aggregation.ts';
import type { PlanOptions } from './plan-options.ts';
import { privateRisk } from './private-risk.ts';
import { simulateRisk } from './simulate-risk.ts';

const quick = { repeats: 0 } as const;
const many: PlanOptions = { samples: 8192, features: 10, snr: 4, noise: 0.25, minBag: 8 };
const few: PlanOptions = { psi: 8, features: 100, snr: 1, minBag: 5, maxBag: 20 };
const released = { bounds: [-6, 6] as const, epsilon: 1 };

describe('planAggregation', () => {
  it('finds the best pair of the closed form', async () => {
    const { value } = await planAggregation({ ...few, ...quick });
    assert.equal(value.best.bagSize, 5);
    assert.equal(
      value.best.risk,
      optimalRho({ psi: 8, bagSize: 5, signal: 1, noise: 1 }, { maxRho: 1 }).risk,
    );
    for (const { bagSize, rho, risk } of value.table) {
      assert.equal(risk, asymptoticRisk({ psi: 8, bagSize, signal: 1, noise: 1, rho }).risk);
      assert.ok(value.best.risk <= risk);
    }
    const sizes = value.byBagSize.map(({ bagSize }) => bagSize);
    assert.equal(sizes[0], 5);
    assert.equal(sizes.at(-1), 20);
    const given = await planAggregation({
      ...few,
      ...quick,
      minBag: undefined,
      maxBag: undefined,
      bagSizes: [6, 5, 6],
    });
    assert.deepEqual(
      given.value.byBagSize.map(({ bagSize }) => bagSize),
      [5, 6],
    );
  });

  it('shows individual labels with the same ε, also when they may not be asked for', async () => {
    const { value } = await planAggregation({ ...many, ...quick, ...released });
    const single = privateRisk({ psi: 819.2, bagSize: 1, signal: 1, noise: 0.25, rho: 0, ...released });
    assert.equal(value.individual.bagSize, 1);
    assert.equal(value.individual.risk, single.risk);
    assert.equal(value.individual.againstIndividual, 1);
    assert.ok(value.byBagSize.every(({ bagSize }) => bagSize >= 8));
    assert.ok(value.chart.series.some(({ name }) => name === 'individual labels'));
    assert.match(value.advice[0], /individual labels at the same ε = 1/);
  });

  it('takes larger bags as ε falls', async () => {
    const options = {
      psi: 10,
      features: 50,
      snr: 4,
      noise: 0.25,
      maxBag: 10,
      bounds: [-3, 3] as const,
      ...quick,
    };
    const best = async (epsilon: number) =>
      (await planAggregation({ ...options, epsilon })).value.best.bagSize;
    assert.equal(await best(8), 1);
    assert.ok((await best(0.5)) > 1);
  });

  it('says that plain bag-level loss beats PriorBoost when bags are many more than features', async () => {
    const { value } = await planAggregation({ ...many, ...quick });
    const { bagLevel, twoStages, oracle, instanceLevel } = value.alternatives!;
    assert.ok(bagLevel < twoStages && twoStages < instanceLevel && oracle < value.individual.risk);
    assert.match(value.advice[1], /many more bags than features, plain bag-level loss .* unbiased and beats/);
    assert.match(value.advice[2], /\(a\) .*soft labels.*\(b\).*\(c\) a good prior.*\(d\)/s);
  });

  it('says that curated bags win when bags are about as many as features', async () => {
    const { value } = await planAggregation({ ...few, ...quick });
    assert.ok(value.alternatives!.twoStages < value.alternatives!.bagLevel);
    assert.match(value.advice[1], /not many more than features, so curated bags beat/);
  });

  it('says what privacy makes of a prior trained on the same answers', async () => {
    const { value } = await planAggregation({ ...many, minBag: 1, maxBag: 8, ...quick, ...released });
    const last = value.advice.at(-1)!;
    assert.match(last, /two stages give .* about the same as noising individual labels/);
    assert.match(last, /prior's quality is everything/);
  });

  it('plans curated bags with a prior from elsewhere', async () => {
    const plan = (correlation: number) =>
      planAggregation({ ...many, ...quick, ...released, design: 'curated', prior: { correlation } });
    const [good, useless] = [(await plan(0.99)).value, (await plan(0)).value];
    assert.ok(good.best.risk < good.individual.risk / 3);
    const random = (await planAggregation({ ...many, ...quick, ...released })).value;
    // A useless order still makes bags homogeneous along one direction of ten.
    assert.ok(useless.best.risk < random.best.risk && useless.best.risk > 0.9 * random.best.risk);
  });

  it('bounds the difference of the theory from runs of full size with other draws', async () => {
    const options: PlanOptions = { psi: 12, features: 40, snr: 2, minBag: 4, maxBag: 4 };
    const { value, certificate } = await planAggregation({ ...options, repeats: 200, seed: 1 });
    const { bagSize, rho, risk, band } = value.best;
    const [runs] = await simulateRisk(
      { psi: 12, features: 40, bagSize, rhos: [rho], signal: 2, noise: 1 },
      { repeats: 800, seed: 2 },
    );
    const { bound } = certificate;
    // The promise is kept but for 1 in 20 seeds; five more standard errors of the second sample make that below 1e-6.
    assert.ok(Math.abs(runs.mean - risk) <= bound.value + 5 * runs.standardError);
    assert.ok(bound.value < 0.1 * risk && bound.scale === risk);
    assert.ok(band!.low < risk && risk < band!.high);
    assert.ok(Math.abs(band!.low / runs.low - 1) < 0.1 && Math.abs(band!.high / runs.high - 1) < 0.1);
  });

  it('promises nothing without simulated runs', async () => {
    const { certificate } = await planAggregation({ ...few, ...quick });
    assert.equal(certificate.bound.value, Infinity);
    assert.match(certificate.warnings[0], /Estimates, not guarantees.*Gaussian/);
  });

  it('warns where the bag-level loss has no minimum and where bounds clip', async () => {
    const { certificate } = await planAggregation({ ...few, ...quick });
    assert.ok(certificate.warnings.some((text) => /ρ = 0 and bags of 8 or more.*infinite/.test(text)));
    const hopeless = await planAggregation({ ...many, ...quick, snr: 0.01, ...released });
    assert.ok(hopeless.certificate.warnings.some((text) => /largest allowed, 1.*maxRho/.test(text)));
    const clipped = await planAggregation({ ...many, ...quick, bounds: [-1, 1], epsilon: 1 });
    assert.ok(clipped.certificate.warnings.some((text) => /clipping adds a bias/.test(text)));
    assert.ok(
      clipped.certificate.assumptions.some(({ status, measured }) => status === 'assumed' && measured! < 1),
    );
  });

  it('gives curves that a chart can draw, for curated bags too', async () => {
    const options = { ...few, maxBag: 9, repeats: 5, design: 'curated' as const, features: 12 };
    const { chart, byBagSize } = (await planAggregation(options)).value;
    for (const { points } of chart.series) {
      assert.ok(points.length > 0);
      for (const { x, y, low = y, high = y } of points) {
        assert.ok([x, y, low, high].every((value) => value > 0 && value < Infinity));
      }
    }
    assert.ok(byBagSize.every(({ band }) => band && band.low < band.high));
  });

  it('repeats itself and can be cancelled', async () => {
    const options = { ...few, features: 10, repeats: 4 };
    assert.deepEqual(await planAggregation(options), await planAggregation(options));
    const reason = new Error('enough');
    await assert.rejects(planAggregation({ ...options, signal: AbortSignal.abort(reason) }), reason);
  });

  it('refuses what it cannot plan for, with advice', async () => {
    const refused = (change: Partial<PlanOptions>, message: RegExp) =>
      assert.rejects(planAggregation({ ...many, ...quick, ...change }), {
        code: 'INVALID_ARGUMENT',
        message,
      });
    await refused({ psi: 3 }, /samples and psi are both given/);
    await refused({ samples: undefined }, /neither samples nor psi is given/);
    await refused({ epsilon: 1 }, /no bounds; expected public bounds/);
    await refused({ epsilon: 1, bounds: [3, 3] }, /bounds are \[3, 3\]/);
    await refused({ bounds: [0, NaN] }, /bounds are/);
    await refused({ epsilon: 1, bounds: [0, 1], noise: undefined }, /noise is not given/);
    await refused({ epsilon: 0, bounds: [0, 1] }, /epsilon is 0/);
    await refused({ samples: 10 }, /10 samples for 10 features.*Add a ridge/);
    await refused({ samples: 18, minBag: 2, design: 'curated' }, /first stage has 0.9 samples a feature/);
    await refused({ prior: { correlation: 0.5 } }, /prior is given for random bags/);
    await refused({ maxBag: 4 }, /maxBag is 4; expected an integer in \[8, 8192\]/);
    await refused({ bagSizes: [8, 9] }, /bagSizes is given with minBag/);
    await refused({ minBag: undefined, bagSizes: [] }, /bagSizes is empty/);
    await refused({ minBag: undefined, bagSizes: [2, 0] }, /bagSizes\[1\] is 0/);
    await refused({ minBag: 1.5 }, /minBag is 1.5/);
    await refused({ snr: -1 }, /snr is -1/);
    await refused({ rhos: [2, -1] }, /rhos\[1\] is -1/);
  });
});
