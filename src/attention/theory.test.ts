import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plantedInput, randomInput, relativeError } from '../../test/attention-inputs.ts';
import { exactAttention, theoryAttention } from './index.ts';

const sizes = { blockSize: 16, sampleSize: 24, valueSamples: 32, minSequence: 32, hashBits: 3 } as const;

describe('theoryAttention', () => {
  it('estimates row sums and numerators without bias, with cap and floor off', async () => {
    for (const causal of [false, true]) {
      const input = { ...randomInput({ queryRows: 96, dim: 8 }), causal };
      const exact = await exactAttention(input);
      const seeds = 600;
      const rows = [40, 70, 95];
      const sums = rows.map(() => ({ mass: 0, massSquare: 0, value: 0, valueSquare: 0 }));
      for (let seed = 0; seed < seeds; seed++) {
        const { value } = await theoryAttention(input, { ...sizes, cap: false, floor: false, seed });
        rows.forEach((row, i) => {
          const mass = Math.exp(value.lse[row] - exact.lse[row]);
          // z / D rather than z / d̃: the numerator alone.
          const numerator = value.output.data[row * 8] * mass;
          sums[i].mass += mass;
          sums[i].massSquare += mass * mass;
          sums[i].value += numerator;
          sums[i].valueSquare += numerator * numerator;
        });
      }
      rows.forEach((row, i) => {
        const { mass, massSquare, value, valueSquare } = sums[i];
        const check = (sum: number, square: number, expected: number) => {
          const mean = sum / seeds;
          const error = Math.sqrt(Math.max(0, square / seeds - mean * mean) / seeds);
          // 6 standard errors: twelve figures fail by chance with probability 2e-8.
          assert.ok(
            Math.abs(mean - expected) <= 6 * error + 1e-5,
            `row ${row}: ${mean} ± ${error}; expected ${expected}`,
          );
        };
        check(mass, massSquare, 1);
        check(value, valueSquare, exact.output.data[row * 8]);
      });
    }
  });

  it('cuts sums with the cap and lifts them with the floor', async () => {
    const input = randomInput({ queryRows: 128, dim: 8, size: 1.5 });
    const mean = async (options: object) => {
      let sum = 0;
      for (let seed = 0; seed < 20; seed++) {
        const { value } = await theoryAttention(input, { ...sizes, ...options, seed });
        for (const lse of value.lse) sum += lse;
      }
      return sum / (20 * 128);
    };
    const off = { cap: false, floor: false };
    assert.ok((await mean({ ...off, cap: true, capConstant: 0.1 })) < (await mean(off)));
    assert.ok((await mean({ ...off, floor: true, kappa: 1 })) > (await mean(off)));
  });

  it('comes near exact attention with many samples', async () => {
    const input = plantedInput({ rows: 512, dim: 16, clusters: 8, strength: 2, seed: 1 });
    const exact = await exactAttention(input);
    const options = { blockSize: 64, sampleSize: 512, valueSamples: 8192, minSequence: 64, capConstant: 100 };
    const { value, certificate } = await theoryAttention(input, options);
    assert.ok(relativeError(value.output.data, exact.output.data) < 0.15);
    assert.equal(certificate.assumptions[1].status, 'violated');
    await assert.rejects(theoryAttention({ ...input, keyMask: new Uint8Array(512) }), {
      code: 'UNSUPPORTED',
    });
    await assert.rejects(theoryAttention(input, { kappa: 0 }), {
      code: 'INVALID_ARGUMENT',
      message: /kappa/,
    });
  });
});
