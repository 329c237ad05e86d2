import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hiddenKeysInput, plantedInput, randomInput } from '../../test/attention-inputs.ts';
import { type Certified, formatCertificate } from '../core/certificate.ts';
import { type AttentionInput, auditAttention, type HyperResult, hyperAttention } from './index.ts';

const tight = { blockSize: 16, sampleSize: 0, minSequence: 1, hashBits: 3 } as const;

/** What the audit says: whether the text calls the bound broken. */
async function isBroken(
  input: AttentionInput,
  result: Certified<HyperResult>,
  rows: number | 'all',
  seed = 1,
): Promise<boolean> {
  const { certificate } = await auditAttention(input, result, { rows, seed });
  const broken = formatCertificate(certificate).includes('BOUND BROKEN');
  assert.equal(broken, certificate.audit?.kept === false);
  return broken;
}

/** The same result, promising something else. */
function promising(result: Certified<HyperResult>, value: number): Certified<HyperResult> {
  const { certificate } = result;
  return { ...result, certificate: { ...certificate, bound: { ...certificate.bound, value } } };
}

describe('auditAttention', () => {
  it('never calls a bound broken that holds, and always one that does not when all rows are done', async () => {
    const [n, hidden] = [128, 21];
    const input = hiddenKeysInput(n, hidden);
    const ratio = 2 * Math.sqrt(hidden / n);
    let truly = 0;
    for (let seed = 0; seed < 60; seed++) {
      const options = { ...tight, certifyRows: 8, failureProbability: 0.25, seed };
      const result = await hyperAttention(input, options);
      // Without a hidden row among the 8 the bound is 1.5 % too low; with one it is far above.
      const broken = result.certificate.bound.value < ratio;
      if (broken) truly++;
      assert.equal(await isBroken(input, result, 'all'), broken);
      // Each hidden row adds 4 to ‖E‖²_op, and ‖V‖²_op is n: the sample tells how many it holds, and no more.
      const { certificate } = await auditAttention(input, promising(result, 9), { rows: 40, seed });
      const count = (n / 4) * (certificate.audit?.error ?? 0) ** 2;
      assert.ok(Math.abs(count - Math.round(count)) < 1e-3 && count < hidden, `${count}`);
      for (const rows of [8, 64, 127])
        if (await isBroken(input, result, rows, seed)) assert.ok(broken, `${rows} rows, seed ${seed}`);
    }
    // Each is broken with probability 0.23: none of 60 with probability 2e-7.
    assert.ok(truly > 0);
  });

  it('acquits bounds that are as tight as can be', async () => {
    const inputs = [
      hiddenKeysInput(128, 21),
      // A single row is off: a sample that has it holds all of the error.
      hiddenKeysInput(128, 1),
      plantedInput({ rows: 128, dim: 8, clusters: 8, strength: 6 }),
      { ...randomInput({ queryRows: 128, dim: 8 }), causal: true },
      // One value column: its norms have no slack at all. Uniform attention has ‖P‖_op = 1, the least there is.
      randomInput({ queryRows: 128, valueDim: 1, size: 0 }),
    ];
    for (const input of inputs)
      for (let seed = 0; seed < 8; seed++) {
        // With all rows certified the bound is the ratio itself, but for ‖P‖_op.
        const result = await hyperAttention(input, { ...tight, certifyRows: 128, seed });
        for (const rows of [16, 127, 'all'] as const)
          assert.ok(!(await isBroken(input, result, rows, seed)), `${rows} rows, seed ${seed}`);
      }
  });

  it('holds no rounding against a bound of 0', async () => {
    // Blocks too small to be approximated: exact, but merged from parts.
    const input = { ...randomInput({ heads: 2, queryRows: 300, size: 2 }), causal: true };
    const result = await hyperAttention(input, { minSequence: 60 });
    assert.equal(result.certificate.bound.value, 0);
    const { certificate } = await auditAttention(input, result, { rows: 100 });
    assert.ok(certificate.audit && certificate.audit.error > 0 && certificate.audit.error < 1e-5);
    assert.ok(certificate.audit.kept && certificate.audit.slack === Infinity);
  });

  it('convicts on a sample only after all rows were asked', async () => {
    const input = plantedInput({ rows: 512, dim: 16, clusters: 8, strength: 6 });
    const result = await hyperAttention(input, { blockSize: 32, sampleSize: 16, minSequence: 1 });
    const measured = async (rows: number | 'all', bound: number) =>
      (await auditAttention(input, promising(result, bound), { rows })).certificate.audit;
    const whole = await measured('all', Infinity);
    const part = await measured(128, Infinity);
    assert.ok(whole && part && part.error > 0);
    const broken = await measured(128, 0.5 * Math.min(whole.error, part.error));
    assert.deepEqual([broken?.kept, broken?.sample, broken?.error], [false, 'all 512 rows', whole.error]);
    assert.equal((await measured(128, 1.01 * part.error))?.kept, true);
    assert.equal((await measured('all', 0.99 * whole.error))?.kept, false);
    // So is a result that was spoilt after its certificate was made.
    const spoilt = structuredClone(result.value);
    for (let i = 0; i < spoilt.output.data.length; i++) spoilt.output.data[i] += 1;
    const wrong = { ...result, value: spoilt };
    assert.equal((await auditAttention(input, wrong, { rows: 64 })).certificate.audit?.kept, false);
  });

  it('knows ‖P‖_op where a bias makes all rows look at one key', async () => {
    // ‖P‖_op = √n, far above its least value 1: an error of one row in all is √n less than that suggests.
    const n = 64;
    const bias = Float32Array.from({ length: n * n }, (_, i) => (i % n === 0 ? 30 : 0));
    const input = { ...randomInput({ queryRows: n, size: 0.1 }), bias };
    const result = await hyperAttention(input, { ...tight, certifyRows: n });
    const { certificate } = await auditAttention(input, result, { rows: 'all' });
    const { error = 0 } = certificate.audit ?? {};
    const slack = certificate.bound.value / error;
    assert.ok(Math.abs(slack / Math.sqrt(n) - 1) < 0.01, `${slack}`);
  });
});
