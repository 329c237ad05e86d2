// The protocols at sizes small enough for a unit test: that they run, repeat, count and stop. What they find at full size is for
// `provably reproduce attention`.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadKernels } from '../../kernels/index.ts';
import { compareAttention } from '../compare.ts';
import { exactAttention } from '../exact.ts';
import { hyperAttention } from '../hyper.ts';
import { reproduceAblation } from './ablation.ts';
import { reproduceAccuracy } from './accuracy.ts';
import { reproduceCausal } from './causal.ts';
import { plantedInput, randomBlockAttention } from './planted.ts';
import { reproduceSpeed } from './speed.ts';

describe('randomBlockAttention', () => {
  it('estimates row sums without bias, as blocks by hash do', async () => {
    const kernels = await loadKernels();
    const input = plantedInput({ rows: 64, dim: 8, clusters: 8, strength: 1, seed: 3 });
    const exact = await exactAttention(input);
    const runs = 400;
    let sum = 0;
    let squares = 0;
    for (let seed = 0; seed < runs; seed++) {
      const options = { blockSize: 16, sampleSize: 16, minSequence: 1, seed };
      const { lse } = await randomBlockAttention(input, options, kernels);
      const mean = lse.reduce((total, value, i) => total + Math.exp(value - exact.lse[i]), 0) / 64;
      sum += mean;
      squares += mean ** 2;
    }
    const mean = sum / runs;
    const standardError = Math.sqrt((squares / runs - mean ** 2) / runs);
    // 5 standard errors of a mean of 400: false-failure rate below 1e-6.
    assert.ok(Math.abs(mean - 1) < 5 * standardError, `${mean} ± ${standardError}`);
  });

  it('misses the heavy keys that hashing finds', async () => {
    const kernels = await loadKernels();
    const input = plantedInput({ rows: 512, dim: 32, clusters: 64, seed: 1 });
    const exact = await exactAttention(input);
    const options = { blockSize: 64, sampleSize: 64, minSequence: 1, certifyRows: 0 };
    const { value } = await hyperAttention(input, options);
    const random = await randomBlockAttention(input, options, kernels);
    assert.ok(
      compareAttention(value, exact).relativeError < 0.6 * compareAttention(random, exact).relativeError,
    );
  });
});

describe('protocols', () => {
  it('E1 gives every method one error a seed, and repeats bit for bit', async () => {
    const options = { rows: 512, strengths: [10], sizes: [32, 64], seeds: [2, 5] };
    const report = await reproduceAccuracy(options);
    assert.deepEqual(
      report.figures.map(({ method, size }) => `${size} ${method}`),
      [32, 64].flatMap((size) =>
        [
          'hash-aligned blocks',
          "the paper's blocks",
          'random blocks',
          'samples only, as many keys',
          "the theorem's estimator",
        ].map((method) => `${size} ${method}`),
      ),
    );
    for (const { error } of report.figures) assert.equal(error.values.length, 2);
    assert.equal(report.verdicts.length, 2);
    assert.deepEqual(await reproduceAccuracy(options), report);
  });

  it('E2 shows on small input what it claims', async () => {
    const { figures, verdicts } = await reproduceAblation({ rows: 512, clusters: 8, size: 64, seeds: [0] });
    assert.equal(figures.length, 2);
    for (const { error } of figures) {
      for (const { mean } of Object.values(error)) assert.ok(mean > 0 && mean < 1);
    }
    assert.equal(verdicts.length, 7);
    for (const start of ['flat: blocks', 'flat: hashing'])
      assert.ok(verdicts.find(({ claim }) => claim.startsWith(start))?.passed);
  });

  it('E3 times both, and leaves exact attention out where it is too long', async () => {
    const { figures, verdicts } = await reproduceSpeed({
      rows: [512, 1024],
      mostExact: 512,
      size: 32,
      rounds: 1,
    });
    assert.deepEqual(
      figures.map(({ rows, causal, exactSeconds }) => [rows, causal, exactSeconds !== undefined]),
      [
        [512, false, true],
        [512, true, true],
        [1024, false, false],
        [1024, true, false],
      ],
    );
    // Pairs of blocks and samples: 32 + at most 32 of 512 and of 1024 keys.
    assert.ok(figures[0].ideal >= 8 && figures[2].ideal >= 16 && figures[2].ideal < 18);
    assert.equal(verdicts.length, 3);
  });

  it('E4 counts pairs as derived', async () => {
    const { figures, verdicts } = await reproduceCausal({
      rows: 1024,
      leaves: [128, 256, 512],
      size: 16,
      seeds: [1],
    });
    assert.ok(verdicts.find(({ claim }) => claim.startsWith('pairs'))?.passed);
    assert.ok(figures[2].error.mean < figures[0].error.mean);
  });

  it('stop when they are told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    for (const protocol of [reproduceAccuracy, reproduceAblation, reproduceSpeed, reproduceCausal])
      await assert.rejects(protocol({ signal }), { message: 'enough' });
  });
});
