import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plantedInput } from '../../test/attention-inputs.ts';
import { isVacuous } from '../core/certificate.ts';
import { loadKernels } from '../kernels/index.ts';
import {
  type AttentionInput,
  auditAttention,
  exactAttention,
  type HyperOptions,
  hyperAttention,
  oracleProbabilities,
} from './index.ts';
import { operatorNorm } from './operator-norm.ts';

const kernels = await loadKernels();

describe('the certificate of hyperAttention', () => {
  it('holds, in the norm it speaks of', async () => {
    const n = 512;
    const input = plantedInput({ rows: n, dim: 16, clusters: 8, strength: 6, seed: 1 });
    const exact = await exactAttention(input);
    const { data } = input.values;
    const p = new Float32Array(n * n);
    for (let i = 0; i < n; i++) p.set(oracleProbabilities(input, 0, 0, i).values, i * n);
    const scale =
      (await operatorNorm(p, n, n, kernels)) * (await operatorNorm(data as Float32Array, n, 16, kernels));
    let broken = 0;
    for (let seed = 0; seed < 60; seed++) {
      const options = {
        blockSize: 64,
        sampleSize: 32,
        minSequence: 64,
        certifyRows: 128,
        failureProbability: 0.05,
        seed,
      };
      const { value, certificate } = await hyperAttention(input, options);
      const error = value.output.data.map((x, i) => x - exact.output.data[i]);
      const measured = (await operatorNorm(error, n, 16, kernels)) / scale;
      if (measured > certificate.bound.value) broken++;
      assert.ok(!isVacuous(certificate.bound), `${certificate.bound.value}`);
    }
    // Of 60 bounds that fail with probability 0.05 each, more than 16 fail with probability 6e-8.
    assert.ok(broken <= 16, `${broken} of 60`);
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
      assert.ok(found >= measured * (1 - 1e-3) && found <= result.certificate.bound.value * (1 + 1e-4));
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
