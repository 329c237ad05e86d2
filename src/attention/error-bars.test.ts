import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plantedInput, randomInput, relativeError } from '../../test/attention-inputs.ts';
import {
  type AttentionInput,
  attentionBackward,
  exactAttention,
  type HyperOptions,
  hyperAttention,
} from './index.ts';

describe('error bars', () => {
  /** Mean estimated over mean true variance, and the share of rows that are off by more than 3 standard errors. */
  async function coverage(input: AttentionInput, options: HyperOptions, seeds: number) {
    const exact = (await exactAttention(input)).output.data;
    let [squares, estimates, far, estimated] = [0, 0, 0, 0];
    for (let seed = 0; seed < seeds; seed++) {
      const { value } = await hyperAttention(input, { ...options, certifyRows: 0, errorBars: true, seed });
      value.rowErrors?.forEach((bar, i) => {
        let square = 0;
        for (let c = 0; c < 8; c++) square += (value.output.data[8 * i + c] - exact[8 * i + c]) ** 2;
        squares += square;
        estimates += bar * bar;
        if (bar > 0) estimated++;
        if (bar > 0 && square > 9 * bar * bar) far++;
      });
    }
    return { ratio: estimates / squares, far: far / estimated };
  }

  it('are the spread of the output over the samples, with and without replacement', async () => {
    // One hash for all seeds would need another option: with no blocks there is none to differ.
    const options = { blocks: 'none', blockSize: 8, minSequence: 32 } as const;
    const cases = [
      { causal: false, sampling: 'uniform', sampleSize: 24 },
      { causal: true, sampling: 'uniform', sampleSize: 24 },
      { causal: true, sampling: 'without-replacement', sampleSize: 24 },
      // Half of the keys: with replacement the variance would be twice as large.
      { causal: false, sampling: 'without-replacement', sampleSize: 64 },
    ] as const;
    for (const { causal, sampling, sampleSize } of cases) {
      const input = { ...randomInput({ queryRows: 128, dim: 8, size: 0.8 }), causal };
      const { ratio, far } = await coverage(input, { ...options, sampling, sampleSize }, 400);
      // Linearisation and m/(m − 1) leave a bias of order 1/m.
      assert.ok(Math.abs(ratio - 1) <= 0.2, `${sampling}: estimated / true variance = ${ratio}`);
      // Chebyshev allows 1/9; errors in eight columns at once are closer to their mean.
      assert.ok(far <= 1 / 9, `${sampling}: ${far} of the rows beyond 3 standard errors`);
    }
  });

  it('are no less than the spread where samples are stratified, or blocks are beside them', async () => {
    // Sorted by hash, the keys of a stratum are alike: clusters make strata differ.
    const planted = plantedInput({ rows: 128, dim: 8, clusters: 4, strength: 2 });
    const alone = { blocks: 'none', blockSize: 8, sampleSize: 24, minSequence: 1 } as const;
    const stratified = await coverage(planted, { ...alone, sampling: 'stratified' }, 300);
    assert.ok(stratified.ratio > 1.2, `${stratified.ratio}`);
    const uniform = await coverage(planted, alone, 300);
    assert.ok(Math.abs(uniform.ratio - 1) <= 0.2, `${uniform.ratio}`);
    const random = randomInput({ queryRows: 128, dim: 8, size: 0.8 });
    const blocks = { blockSize: 32, sampleSize: 24, minSequence: 1, hashBits: 2 };
    for (const sampling of ['uniform', 'without-replacement', 'stratified'] as const) {
      const { ratio } = await coverage(random, { ...blocks, sampling }, 200);
      assert.ok(ratio >= 0.85 && ratio < 1.6, `${sampling}: ${ratio}`);
    }
  });

  it('find the rows to do exactly, and the gradient knows', async () => {
    const input = plantedInput({ rows: 1024, clusters: 128, dim: 16, strength: 8, seed: 5 });
    const options = { blockSize: 32, sampleSize: 32, minSequence: 64, certifyRows: 0 };
    const exact = (await exactAttention(input)).output.data;
    const plain = await hyperAttention(input, options);
    assert.equal(plain.value.rowErrors, undefined);
    const before = relativeError(plain.value.output.data, exact);
    const { value } = await hyperAttention(input, { ...options, fallback: 0.15 });
    assert.ok(value.exactRows > 50 && value.exactRows < 1000, `${value.exactRows}`);
    const after = relativeError(value.output.data, exact);
    assert.ok(after < 0.8 * before, `${after}, before ${before}`);
    // The plans still hold every row once: gradients of a constant are what they should be.
    const ones = new Float32Array(exact.length).fill(1);
    const gradients = await attentionBackward(input, value, { output: ones });
    const mass = gradients.values.data.reduce((sum, x) => sum + x, 0);
    assert.ok(
      Math.abs(mass - exact.length) <= 1e-3 * exact.length,
      `${mass}; every row hands out its mass of 1 in each column`,
    );
    await assert.rejects(hyperAttention(input, { fallback: 0 }), { message: /fallback is 0/ });
  });
});
