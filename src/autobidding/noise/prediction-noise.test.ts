import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import type { Market } from '../types.ts';
import { type PredictionModel, withPredictionNoise } from './prediction-noise.ts';

/** One advertiser with n log-normal values: ln v ~ N(0.5, 0.8²). */
function logNormalMarket(n: number): Market {
  const rng = createRng(11);
  return {
    auctions: n,
    advertisers: 1,
    offsets: Uint32Array.from({ length: n + 1 }, (_, j) => j),
    advertiserOf: new Uint32Array(n),
    values: Float64Array.from({ length: n }, () => Math.exp(0.5 + 0.8 * rng.normal())),
    discounts: Float64Array.of(1),
  };
}

const MODELS: readonly PredictionModel[] = ['calibrated', 'unbiased'];

describe('withPredictionNoise', () => {
  const market = logNormalMarket(40_000);

  for (const model of MODELS) {
    it(`believes the truth at σ = 0, and keeps everything but the values (${model})`, () => {
      const { believed, truth } = withPredictionNoise(market, 0, 3, model);
      assert.deepEqual(believed, market);
      assert.equal(truth, market);
      const noisy = withPredictionNoise(market, 0.5, 3, model).believed;
      assert.notDeepEqual(noisy.values, market.values);
      assert.deepEqual({ ...noisy, values: 0 }, { ...market, values: 0 });
      assert.deepEqual(withPredictionNoise(market, 0.5, 3, model).believed, noisy);
    });

    it(`is right on average (${model})`, () => {
      const { believed } = withPredictionNoise(market, 0.5, 3, model);
      // Var(v̂ − v) < E v² (e^σ² − 1) < 3.9 · 0.3 · E[v]²/…: with E v = 2.27, sd(v̂ − v) < 2.4; σ of the mean of 40 000 < 0.012; 6 σ: 2e-9.
      const bias = average(believed.values) - average(market.values);
      assert.ok(Math.abs(bias) < 0.072, `bias ${bias}`);
    });
  }

  it('is right wherever predictions are looked at, if calibrated; too high at the top, if unbiased', () => {
    const ratio = (model: PredictionModel) => {
      const { believed, truth } = withPredictionNoise(market, 0.8, 5, model);
      const order = Array.from(believed.values.keys()).sort(
        (a, b) => believed.values[b] - believed.values[a],
      );
      const top = order.slice(0, 4000);
      return average(top.map((e) => truth.values[e])) / average(top.map((e) => believed.values[e]));
    };
    // At the top v | v̂ has relative spread √(e^0.32 − 1) = 0.61: 1 % of the mean of 4000, and as much again for fitted moments; 6 σ.
    assert.ok(Math.abs(ratio('calibrated') - 1) < 0.1, `${ratio('calibrated')}`);
    assert.ok(ratio('unbiased') < 0.8, `${ratio('unbiased')}`);
  });

  it('is calibrated whatever the distribution of values', () => {
    const { believed, truth } = withPredictionNoise(
      gammaTopicGenerator({ auctions: 10_000, seed: 1 }).market,
      0.5,
      2,
    );
    const order = Array.from(believed.values.keys()).sort((a, b) => believed.values[a] - believed.values[b]);
    const entries = order.length; // 60 000, from ten advertisers
    for (let tenth = 0; tenth < 10; tenth++) {
      const part = order.slice((tenth * entries) / 10, ((tenth + 1) * entries) / 10);
      const ratio = average(part.map((e) => truth.values[e])) / average(part.map((e) => believed.values[e]));
      // v | v̂ has relative spread < √(e^0.25 − 1) = 0.53: 0.7 % of the mean of 6000. 6 σ and 1 % for the smoothed prior.
      assert.ok(Math.abs(ratio - 1) < 0.052, `tenth ${tenth}: ${ratio}`);
    }
  });

  it('errs with the same numbers at every σ', () => {
    const errors = [0.1, 0.4].map((sigma) => {
      const { believed } = withPredictionNoise(market, sigma, 1, 'unbiased');
      return believed.values.map((v, e) => (Math.log(v / market.values[e]) + sigma ** 2 / 2) / sigma);
    });
    for (let e = 0; e < 100; e++) assert.ok(Math.abs(errors[0][e] - errors[1][e]) < 1e-12);
  });

  it('leaves an advertiser of one value alone, if calibrated', () => {
    const { believed } = withPredictionNoise(logNormalMarket(1), 0.7, 1);
    assert.ok(Math.abs(believed.values[0] / logNormalMarket(1).values[0] - 1) < 1e-12);
  });

  it('refuses bad numbers', () => {
    assert.throws(() => withPredictionNoise(market, -1, 0), /sigma is -1/);
    assert.throws(() => withPredictionNoise(market, Number.NaN, 0), /sigma is NaN/);
    assert.throws(() => withPredictionNoise(market, 1, -1), /seed is -1/);
  });
});

function average(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;
}
