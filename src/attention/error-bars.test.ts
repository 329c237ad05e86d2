import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plantedInput, randomInput, relativeError } from '../../test/attention-inputs.ts';
import { attentionBackward, exactAttention, hyperAttention } from './index.ts';

describe('error bars', () => {
  it('are the spread of the output over the samples', async () => {
    for (const causal of [false, true]) {
      const input = { ...randomInput({ queryRows: 128, dim: 8, size: 0.8 }), causal };
      // One hash for all seeds would need another option: with no blocks there is none to differ.
      const options = {
        blocks: 'none',
        blockSize: 8,
        sampleSize: 24,
        minSequence: 32,
        certifyRows: 0,
        errorBars: true,
      } as const;
      const exact = await exactAttention(input);
      const seeds = 600;
      let [squares, estimates] = [0, 0];
      for (let seed = 0; seed < seeds; seed++) {
        const { value } = await hyperAttention(input, { ...options, seed });
        for (let i = 0; i < 128 * 8; i++) squares += (value.output.data[i] - exact.output.data[i]) ** 2;
        for (const error of value.rowErrors ?? []) estimates += error * error;
      }
      // Linearisation and m/(m − 1) leave a bias of order 1/m.
      assert.ok(
        Math.abs(estimates / squares - 1) <= 0.2,
        `estimated / true variance = ${estimates / squares}`,
      );
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
