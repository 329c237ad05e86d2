import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normalQuantile } from '../../core/statistics/index.ts';
import { logPosteriorMean } from './posterior-mean.ts';

describe('logPosteriorMean', () => {
  it('is the closed form where ln v is normal', () => {
    // 4000 quantiles of N(0.5, 0.8²) instead of draws: what is left is the smoothing and the groups.
    const logValues = Float64Array.from(
      { length: 4000 },
      (_, i) => 0.5 + 0.8 * normalQuantile((i + 0.5) / 4000),
    );
    for (const sigma of [0.2, 0.6, 1.5]) {
      const predict = logPosteriorMean(logValues, sigma);
      const weight = 0.64 / (0.64 + sigma ** 2);
      for (const z of [-2, -1, 0, 1, 2]) {
        const signal = 0.5 + z * Math.sqrt(0.64 + sigma ** 2);
        const exact = 0.5 + weight * (signal - 0.5) + (weight * sigma ** 2) / 2;
        assert.ok(
          Math.abs(predict(signal) - exact) < 0.02,
          `σ ${sigma}, z ${z}: ${predict(signal)} for ${exact}`,
        );
      }
    }
  });

  it('believes a signal without error, and none with a large one', () => {
    const logValues = Float64Array.from({ length: 500 }, (_, i) => Math.sin(i));
    const sharp = logPosteriorMean(logValues, 1e-3);
    for (const signal of [-0.9, 0, 0.7]) assert.ok(Math.abs(sharp(signal) - signal) < 1e-2);
    const mean = Math.log(logValues.reduce((sum, x) => sum + Math.exp(x), 0) / 500);
    // At σ = 50 a signal moves the guess by about 2 · Var(ln v) / 2500.
    for (const signal of [-1, 1]) assert.ok(Math.abs(logPosteriorMean(logValues, 50)(signal) - mean) < 0.02);
  });

  it('rises with the signal, also beyond the sample', () => {
    const predict = logPosteriorMean(Float64Array.of(0, 0.1, 3), 0.4);
    let last = -Infinity;
    for (let signal = -10; signal < 15; signal += 0.05) {
      const guess = predict(signal);
      assert.ok(guess >= last - 1e-9, `at ${signal}`);
      last = guess;
    }
  });
});
