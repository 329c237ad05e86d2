import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hiddenKeysInput, plantedInput, randomInput } from '../../test/attention-inputs.ts';
import { isVacuous } from '../core/certificate.ts';
import { createRng } from '../core/rng.ts';
import { chernoffUpperLimit } from '../core/statistics/index.ts';
import { loadKernels } from '../kernels/index.ts';
import {
  type AttentionInput,
  auditAttention,
  exactAttention,
  type HyperOptions,
  hyperAttention,
  oracleProbabilities,
} from './index.ts';
import { operatorNorm, operatorNormAbove } from './operator-norm.ts';
import { checkProblem } from './problem.ts';
import { errorRows, exactRows } from './row-sample.ts';
import { largestDistance, valueNorms } from './value-norms.ts';

const kernels = await loadKernels();

/** ‖P‖_op ‖V‖_op of one head without padding. */
async function sizeOf(input: AttentionInput): Promise<number> {
  const { rows, cols, data } = input.values;
  const p = new Float32Array(input.queries.rows * rows);
  for (let i = 0; i < input.queries.rows; i++) p.set(oracleProbabilities(input, 0, 0, i).values, i * rows);
  return (
    (await operatorNorm(p, input.queries.rows, rows, kernels)) *
    (await operatorNorm(data as Float32Array, rows, cols, kernels))
  );
}

describe('the certificate of hyperAttention', () => {
  const options = { blockSize: 64, sampleSize: 32, minSequence: 32, certifyRows: 64 };
  const inputs = {
    planted: plantedInput({ rows: 256, dim: 8, clusters: 8, strength: 6, seed: 1 }),
    random: randomInput({ queryRows: 256, size: 1.5 }),
    flat: randomInput({ queryRows: 256, size: 0.3, seed: 2 }),
  };

  it('holds, in the norm it speaks of', async () => {
    for (const [name, input] of Object.entries(inputs)) {
      const exact = await exactAttention(input);
      const size = await sizeOf(input);
      const seeds = 200;
      let broken = 0;
      for (let seed = 0; seed < seeds; seed++) {
        const run = { ...options, certifyRows: 128, failureProbability: 0.05, seed };
        const { value, certificate } = await hyperAttention(input, run);
        const error = value.output.data.map((x, i) => x - exact.output.data[i]);
        if ((await operatorNorm(error, 256, 8, kernels)) / size > certificate.bound.value) broken++;
        if (name === 'planted') assert.ok(!isVacuous(certificate.bound), `${certificate.bound.value}`);
      }
      // Of 200 bounds that fail with probability 0.05 each, more than 28 fail with probability 4e-7.
      assert.ok(broken <= 28, `${name}: ${broken} of ${seeds}`);
    }
  });

  it('fails as often as it says where rows are off by all they can be', async () => {
    const [n, t, failureProbability, seeds] = [128, 8, 0.25, 800];
    const shareBroken = async (hidden: number) => {
      const input = hiddenKeysInput(n, hidden);
      let broken = 0;
      for (let seed = 0; seed < seeds; seed++) {
        const { certificate } = await hyperAttention(input, {
          ...{ blockSize: 16, sampleSize: 0, minSequence: 1, hashBits: 3 },
          ...{ certifyRows: t, failureProbability, seed },
        });
        if (certificate.bound.value < 2 * Math.sqrt(hidden / n)) broken++;
      }
      return broken / seeds;
    };
    // No hidden row among 8 drawn of 128: then the limit of the mean is 1 − δ^(1/8) = 0.1591, between 20/128 = 0.156 and 21/128 = 0.164.
    let missed = 1;
    for (let i = 0; i < t; i++) missed *= (n - 21 - i) / (n - i);
    assert.ok(missed > 0.2 && missed <= failureProbability);
    const broken = await shareBroken(21);
    // 5 standard errors.
    const margin = 5 * Math.sqrt((missed * (1 - missed)) / seeds);
    assert.ok(Math.abs(broken - missed) <= margin, `${broken}; expected ${missed}`);
    assert.equal(await shareBroken(20), 0);
  });

  it('is never above twice the largest deviation of a value, and far below where attention is spread', async () => {
    for (const [name, input] of Object.entries(inputs)) {
      const problem = await checkProblem('test', input, kernels);
      const { operator, deviation, center } = await valueNorms(problem, 0, kernels);
      const gains: number[] = [];
      for (let seed = 0; seed < 20; seed++) {
        const { value, certificate } = await hyperAttention(input, { ...options, seed });
        assert.ok((await largestDistance(value.output.data, center, kernels)) <= deviation * (1 + 1e-6));
        const exact = await exactRows(problem, 64, createRng(seed).fork('certificate'), kernels);
        const errors = errorRows(problem, exact, value, 0);
        const mean = (await operatorNormAbove(errors, 64, 8, kernels)) ** 2 / 64;
        const reach = 2 * deviation;
        const limit = chernoffUpperLimit(mean / reach ** 2, 64, 0.05);
        gains.push(certificate.bound.value / ((reach * Math.sqrt(256 * limit)) / operator));
      }
      assert.ok(Math.max(...gains) <= 1 + 1e-6, `${name}: ${gains}`);
      if (name === 'flat') assert.ok(Math.max(...gains) < 0.8, `${gains}`);
    }
  });

  it('holds where padding leaves rows without keys, and where a bias hides them', async () => {
    const n = 256;
    const planted = { ...plantedInput({ rows: n, dim: 8, clusters: 16, strength: 6 }), causal: true };
    // The first 200 keys are padding, so as many rows see nothing; ‖P‖_op is that of the other 56.
    const keyMask = Uint8Array.from({ length: n }, (_, j) => Number(j >= 200));
    // All but one key in 16 hidden: most rows of an approximation without samples meet nothing.
    const hiding = Float32Array.from({ length: n * n }, (_, i) => (i % 16 === 0 ? 0 : -Infinity));
    // All values are alike, so that averages of them could not differ.
    const ones = { ...planted.values, data: new Float32Array(n * 8).fill(1) };
    const cases: [AttentionInput, HyperOptions][] = [
      [
        { ...planted, keyMask },
        { minSequence: 8, blockSize: 8, sampleSize: 4 },
      ],
      [
        { ...planted, values: ones, causal: false, bias: hiding },
        { minSequence: 8, blockSize: 2, sampleSize: 0 },
      ],
    ];
    for (const [input, options] of cases) {
      const result = await hyperAttention(input, { ...options, certifyRows: n });
      const exact = await exactAttention(input);
      const error = result.value.output.data.map((x, i) => x - exact.output.data[i]);
      const p = new Float32Array(n * n);
      for (let i = 0; i < n; i++) p.set(oracleProbabilities(input, 0, 0, i).values, i * n);
      const live = input.keyMask
        ? (input.values.data as Float32Array).subarray(200 * 8)
        : (input.values.data as Float32Array);
      const size =
        (await operatorNorm(p, n, n, kernels)) * (await operatorNorm(live, live.length / 8, 8, kernels));
      const measured = (await operatorNorm(error, n, 8, kernels)) / size;
      assert.ok(measured > 0 && measured <= result.certificate.bound.value * (1 + 1e-4));
      const audited = await auditAttention(input, result, { rows: 'all' });
      const found = audited.certificate.audit?.error ?? 0;
      assert.ok(found <= measured * (1 + 1e-4) && found >= 0.98 * measured, `${found}, not ${measured}`);
      assert.equal(audited.certificate.audit?.kept, true);
    }
  });

  it('says so where blocks were too small to be approximated', async () => {
    const input = { ...plantedInput({ rows: 300, dim: 8, clusters: 16 }), causal: true };
    const { value, certificate } = await hyperAttention(input, { minSequence: 200 });
    assert.ok(value.trace.plans.length > 0);
    assert.equal(certificate.bound.value, 0);
    assert.equal(certificate.assumptions[0].status, 'proved');
  });

  it('is exact where all rows are checked, and vacuous where none is', async () => {
    const input = plantedInput({ rows: 300, dim: 8, clusters: 10, strength: 4 });
    const options = { blockSize: 32, sampleSize: 16, minSequence: 32 };
    const all = await hyperAttention(input, { ...options, certifyRows: 300 });
    assert.equal(all.certificate.bound.failureProbability, 0);
    const exact = await exactAttention(input);
    const error = await operatorNorm(
      all.value.output.data.map((x, i) => x - exact.output.data[i]),
      ...([300, 8, kernels] as const),
    );
    const size = await operatorNorm(input.values.data as Float32Array, 300, 8, kernels);
    // From above by at most 8^(1 / 2048), and from below, each.
    const ratio = all.certificate.bound.value / (error / size);
    assert.ok(ratio >= 1 - 1e-5 && ratio <= 1.0012, `${ratio}`);
    const none = await hyperAttention(input, { ...options, certifyRows: 0 });
    assert.ok(isVacuous(none.certificate.bound));
    assert.match(none.certificate.warnings[0], /nothing is promised/);
  });
});
