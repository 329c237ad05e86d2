import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  hyperOutput,
  largestDifference,
  plantedInput,
  randomInput,
  relativeError,
} from '../../test/attention-inputs.ts';
import { fromHalf, toHalf } from '../kernels/index.ts';
import { exactAttention, type HyperOptions, hyperAttention, oracleAttention } from './index.ts';
import type { AttentionInput, BlockRule } from './types.ts';

const rules = ['hash-aligned', 'rank', 'smooth', 'none'] as const;

describe('hyperAttention, where it is exact', () => {
  it('equals exact attention below n₀ and where a block holds all keys', async () => {
    const input = randomInput({ heads: 2, queryRows: 90 });
    const exact = await exactAttention(input);
    const oracle = oracleAttention(input);
    for (const options of [
      {},
      { minSequence: 91 },
      { minSequence: 1, blockSize: 90 },
      { minSequence: 1, blockSize: 80, sampleSize: 10 },
    ]) {
      const { value, certificate } = await hyperAttention(input, options);
      assert.deepEqual(value.output, exact.output);
      assert.ok(largestDifference(value.lse, oracle.lse) <= 1e-5);
      assert.equal(certificate.bound.value, 0);
    }
    const causal = { ...input, causal: true };
    assert.deepEqual(
      await hyperOutput(causal, { minSequence: 90 }),
      (await exactAttention(causal)).output.data,
    );
    // Leaves and small rectangles are exact too: only the merges remain.
    const merged = await hyperOutput(causal, { minSequence: 16, blockSize: 64 });
    assert.ok(largestDifference(merged, oracleAttention(causal).output) <= 1e-5);
  });

  it('gives no rows to no queries', async () => {
    assert.equal((await hyperAttention(randomInput({ queryRows: 0, keyRows: 5 }))).value.lse.length, 0);
  });
});

describe('hyperAttention', () => {
  it('keeps its bits for any number of threads', async () => {
    const input = { ...plantedInput({ rows: 1500, dim: 32, clusters: 100 }), causal: true };
    const before = process.env.PROVABLY_THREADS;
    const results: string[] = [];
    for (const threads of ['1', '2', '3']) {
      process.env.PROVABLY_THREADS = threads;
      const { value, certificate } = await hyperAttention(input, { blockSize: 64, minSequence: 300 });
      results.push(JSON.stringify([[...value.output.data], [...value.lse], certificate.bound]));
    }
    if (before === undefined) delete process.env.PROVABLY_THREADS;
    else process.env.PROVABLY_THREADS = before;
    assert.equal(results[1], results[0]);
    assert.equal(results[2], results[0]);
  });

  it('stays finite where logits are huge, samples few and vectors zero', async () => {
    const input = randomInput({ queryRows: 120, size: 40 });
    // Logits of ±1e4: attention picks one key, which must be met to be found.
    const steep = await exactAttention({ ...input, scale: 1 });
    const oracle = oracleAttention({ ...input, scale: 1 });
    assert.ok(Math.max(...oracle.lse.map(Math.abs)) > 1e4);
    // float32 logits near 2e4 are off by (d + 3) · 2⁻²⁴ · Σ|q k|, up to 0.02 here.
    assert.ok(largestDifference(steep.lse, oracle.lse) <= 0.02);
    for (const options of [{}, { sampleSize: 0 }, { sampleSize: 1 }, { blocks: 'none' as const }]) {
      for (const causal of [false, true]) {
        const { value } = await hyperAttention(
          { ...input, causal, scale: 1 },
          { blockSize: 16, sampleSize: 8, minSequence: 8, ...options, certifyRows: 0 },
        );
        assert.ok(value.output.data.every(Number.isFinite) && value.lse.every(Number.isFinite));
      }
    }
    input.queries.data.fill(0, 0, 8 * 60);
    input.keys.data.fill(0, 8 * 30, 8 * 90);
    const { value } = await hyperAttention(input, { blockSize: 16, sampleSize: 8, minSequence: 8 });
    assert.ok(value.output.data.every(Number.isFinite));
  });

  it('needs no samples: blocks alone are exact attention within them', async () => {
    const input = plantedInput({ rows: 512, dim: 16, clusters: 64, strength: 9 });
    const options = { blockSize: 64, sampleSize: 0, minSequence: 64, certifyRows: 0 };
    const { value } = await hyperAttention(input, options);
    assert.equal(value.trace.pairs, 512 * 64);
    // Only terms are left out of the sums.
    const exact = await exactAttention(input);
    assert.ok(value.lse.every((lse, i) => lse <= exact.lse[i] + 1e-5));
  });

  it('hashes halves as the numbers they are', async () => {
    const { queries, keys, values } = randomInput({ heads: 4, keyHeads: 2, queryRows: 150, dim: 8 });
    const options = { blockSize: 16, sampleSize: 16, minSequence: 32, certifyRows: 0 };
    for (const storage of ['float16', 'bfloat16'] as const) {
      const halves = (tensor: typeof keys) => toHalf(tensor.data as Float32Array, storage);
      const stored = { ...keys, data: halves(keys), storage };
      const input = { queries, keys: stored, values: { ...values, data: halves(values), storage } };
      const widened = {
        queries,
        keys: { ...keys, data: fromHalf(stored.data, storage) },
        values: { ...values, data: fromHalf(input.values.data, storage) },
      };
      const difference = largestDifference(
        await hyperOutput(input, options),
        await hyperOutput(widened, options),
      );
      // The same keys are met with the same numbers; kernels may sum halves in another order.
      assert.ok(difference <= 1e-5, `${difference}`);
    }
  });

  it('returns averages of values', async () => {
    const input = randomInput({ queryRows: 300, size: 2 });
    const { values } = input;
    const constant = {
      ...input,
      values: { ...values, data: new Float32Array(values.data.length).fill(1) },
    };
    for (const blocks of rules) {
      const options = { blockSize: 32, sampleSize: 16, minSequence: 64, blocks };
      for (const causal of [false, true]) {
        const same = await hyperOutput({ ...constant, causal }, options);
        assert.ok(same.every((x) => Math.abs(x - 1) <= 1e-6));
        const output = await hyperOutput({ ...input, causal }, options);
        for (let c = 0; c < 8; c++) {
          const column = Array.from({ length: 300 }, (_, j) => values.data[j * 8 + c]);
          const [low, high] = [Math.min(...column) - 1e-5, Math.max(...column) + 1e-5];
          for (let i = 0; i < 300; i++) assert.ok(output[i * 8 + c] >= low && output[i * 8 + c] <= high);
        }
      }
    }
  });

  it('moves rows with their queries', async () => {
    const input = randomInput({ queryRows: 200, size: 2 });
    const options = { blockSize: 32, sampleSize: 16, minSequence: 1 };
    const output = await hyperOutput(input, options);
    const reversed = input.queries.data.slice();
    for (let i = 0; i < 200; i++)
      reversed.set(input.queries.data.subarray((199 - i) * 8, (200 - i) * 8), i * 8);
    const moved = await hyperOutput({ ...input, queries: { ...input.queries, data: reversed } }, options);
    for (let i = 0; i < 200; i++)
      assert.ok(
        largestDifference(
          moved.subarray((199 - i) * 8, (200 - i) * 8),
          output.subarray(i * 8, (i + 1) * 8),
        ) <= 1e-6,
      );
  });

  it('computes as many pairs as the method says', async () => {
    // Proportional to n; samples in a row's own block are left out.
    for (const rows of [512, 1024, 2048]) {
      const input = plantedInput({ rows, dim: 8, clusters: rows / 8 });
      const options = { blockSize: 32, sampleSize: 32, minSequence: 1, certifyRows: 0 };
      const { pairs } = (await hyperAttention(input, options)).value.trace;
      assert.ok(pairs <= rows * 64 && pairs >= rows * 58, `${pairs / rows} a row`);
    }
  });

  it('drops masked keys before sorting and counting', async () => {
    const all = plantedInput({ rows: 1024, clusters: 64, seed: 3 });
    const live = 640;
    const short = (tensor: AttentionInput['keys']) => ({
      ...tensor,
      rows: live,
      data: tensor.data.slice(0, live * 64) as Float32Array,
    });
    const keyMask = Uint8Array.from({ length: 1024 }, (_, j) => Number(j < live));
    const options = { blockSize: 64, sampleSize: 64, minSequence: 64 };
    const masked = await hyperOutput({ ...all, keyMask }, options);
    const cut = await hyperOutput({ ...all, keys: short(all.keys), values: short(all.values) }, options);
    assert.ok(largestDifference(masked, cut) <= 1e-6);
    const none = await hyperAttention(
      { ...all, keyMask: new Uint8Array(1024) },
      { ...options, certifyRows: 0 },
    );
    assert.ok(none.value.output.data.every((x) => x === 0));
    assert.ok(none.value.lse.every((x) => x === -Infinity));
  });

  it('carries bias, slopes, sinks and a window through the sort', async () => {
    const input = { ...randomInput({ heads: 2, keyHeads: 1, queryRows: 256, size: 0.5 }), causal: true };
    const bias = Float32Array.from({ length: 256 * 256 }, (_, i) => (i % 256 < 4 ? 6 : 0));
    const exact = await exactAttention({ ...input, bias });
    const options = { blockSize: 16, sampleSize: 16, minSequence: 32 };
    const plain = relativeError(await hyperOutput({ ...input, bias }, options), exact.output.data);
    const withSinks = relativeError(
      await hyperOutput({ ...input, bias }, { ...options, sinks: 4 }),
      exact.output.data,
    );
    assert.ok(withSinks < 0.5 * plain && withSinks < 0.2, `${withSinks}, without sinks ${plain}`);
    const slopes = Float32Array.of(0.5, 0.25);
    const local = await exactAttention({ ...input, slopes });
    const far = relativeError(await hyperOutput({ ...input, slopes }, options), local.output.data);
    const near = relativeError(
      await hyperOutput({ ...input, slopes }, { ...options, window: 24 }),
      local.output.data,
    );
    assert.ok(near < 0.2 * far, `${near}, without a window ${far}`);
  });

  it('lets no row depend on what comes later', async () => {
    const at = 700;
    const input = { ...plantedInput({ rows: 1024, clusters: 64, seed: 4 }), causal: true };
    const changed = (tensor: AttentionInput['keys']) => {
      const data = tensor.data.slice() as Float32Array;
      for (let i = at * 64; i < data.length; i++) data[i] = -data[i] + 0.1;
      return { ...tensor, data };
    };
    const later = {
      ...input,
      queries: changed(input.queries) as AttentionInput['queries'],
      keys: changed(input.keys),
      values: changed(input.values),
    };
    const options = { blockSize: 64, sampleSize: 64, minSequence: 256 };
    const rowsMoved = async (blocks: BlockRule) => {
      const [before, after] = [
        await hyperOutput(input, { ...options, blocks }),
        await hyperOutput(later, { ...options, blocks }),
      ];
      let moved = 0;
      for (let i = 0; i < at; i++)
        if (
          largestDifference(before.subarray(i * 64, (i + 1) * 64), after.subarray(i * 64, (i + 1) * 64)) > 0
        )
          moved++;
      return moved;
    };
    assert.equal(await rowsMoved('hash-aligned'), 0);
    assert.ok((await rowsMoved('rank')) > 0, 'blocks of sorted queries leak, as is known of them');
  });

  it('refuses options outside their domain', async () => {
    const refused: [HyperOptions, RegExp][] = [
      [{ hashBits: 0 }, /hashBits is 0; expected an integer in \[1, 16\]/],
      [{ hashBits: 17 }, /hashBits/],
      [{ blockSize: 0 }, /blockSize is 0/],
      [{ sampleSize: -1 }, /sampleSize is -1/],
      [{ minSequence: 0 }, /minSequence/],
      [{ window: 3 }, /window is 3 without causal/],
      [{ blocks: 'none', sampleSize: 0 }, /sampleSize 0/],
      [{ seed: 1.5 }, /seed is 1.5/],
    ];
    for (const [options, message] of refused)
      await assert.rejects(hyperAttention(randomInput(), options), { code: 'INVALID_ARGUMENT', message });
  });
});
