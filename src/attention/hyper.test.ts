import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { largestDifference, plantedInput, randomInput, relativeError } from '../../test/attention-inputs.ts';
import { createRng, sampleIndices } from '../core/rng.ts';
import { fromHalf, loadKernels, toHalf } from '../kernels/index.ts';
import { drawDirections, hashCodes } from './angular-hash.ts';
import { exactAttention, type HyperOptions, hyperAttention, oracleAttention } from './index.ts';
import type { AttentionInput, BlockRule } from './types.ts';

const rules = ['hash-aligned', 'rank', 'smooth', 'none'] as const;

async function outputOf(input: AttentionInput, options: HyperOptions): Promise<Float32Array> {
  return (await hyperAttention(input, { certifyRows: 0, ...options })).value.output.data;
}

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
    assert.deepEqual(await outputOf(causal, { minSequence: 90 }), (await exactAttention(causal)).output.data);
    // Leaves and small rectangles are exact too: only the merges remain.
    const merged = await outputOf(causal, { minSequence: 16, blockSize: 64 });
    assert.ok(largestDifference(merged, oracleAttention(causal).output) <= 1e-5);
  });

  it('gives no rows to no queries', async () => {
    assert.equal((await hyperAttention(randomInput({ queryRows: 0, keyRows: 5 }))).value.lse.length, 0);
  });
});

describe('hyperAttention', () => {
  it('estimates every row sum without bias', async () => {
    const input = randomInput({ queryRows: 64, dim: 8, size: 1.2 });
    const { lse } = oracleAttention(input);
    const seeds = 4000;
    for (const sampling of ['uniform', 'without-replacement', 'stratified'] as const) {
      const sums = new Float64Array(64);
      const squares = new Float64Array(64);
      for (let seed = 0; seed < seeds; seed++) {
        const { value } = await hyperAttention(input, {
          blockSize: 16,
          sampleSize: 8,
          hashBits: 3,
          minSequence: 1,
          sampling,
          certifyRows: 0,
          seed,
        });
        for (let i = 0; i < 64; i++) {
          const ratio = Math.exp(value.lse[i] - lse[i]);
          sums[i] += ratio;
          squares[i] += ratio * ratio;
        }
      }
      for (let i = 0; i < 64; i++) {
        const mean = sums[i] / seeds;
        const standardError = Math.sqrt((squares[i] / seeds - mean * mean) / seeds);
        // 6 standard errors: 64 × 3 rows fail by chance with probability 4e-7; of 4, as protocols ask, it would be 1 %.
        assert.ok(
          Math.abs(mean - 1) <= 6 * standardError,
          `row ${i}, ${sampling}: ${mean} ± ${standardError}`,
        );
      }
    }
  });

  it('does so too in causal attention with masked keys and shared heads', async () => {
    const rows = 48;
    const keyMask = Uint8Array.from({ length: 2 * rows }, (_, i) => Number(i % 5 > 0));
    const input = {
      ...randomInput({ batch: 2, heads: 2, keyHeads: 1, queryRows: rows, dim: 8, size: 1.2 }),
      ...{ keyMask, causal: true },
    };
    const { lse } = oracleAttention(input);
    const seeds = 4000;
    const sums = new Float64Array(lse.length);
    const squares = new Float64Array(lse.length);
    for (let seed = 0; seed < seeds; seed++) {
      const { value } = await hyperAttention(input, {
        ...{ blockSize: 2, sampleSize: 2, hashBits: 2, minSequence: 6, sinks: 2, window: 2 },
        ...{ certifyRows: 0, seed },
      });
      // The first row of each batch entry sees a masked key alone.
      for (let i = 0; i < lse.length; i++) {
        const ratio = value.lse[i] === lse[i] ? 1 : Math.exp(value.lse[i] - lse[i]);
        sums[i] += ratio;
        squares[i] += ratio * ratio;
      }
    }
    let varying = 0;
    for (let i = 0; i < lse.length; i++) {
      const mean = sums[i] / seeds;
      const variance = Math.max(0, squares[i] / seeds - mean * mean);
      if (variance > 1e-6) varying++;
      // 6 standard errors, as above; rows that meet all keys are off by rounding alone.
      assert.ok(Math.abs(mean - 1) <= 6 * Math.sqrt(variance / seeds) + 1e-5, `row ${i}: ${mean}`);
    }
    assert.ok(varying > lse.length / 2, `${varying} rows were estimated`);
  });

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
      const difference = largestDifference(await outputOf(input, options), await outputOf(widened, options));
      // The same keys are met with the same numbers; kernels may sum halves in another order.
      assert.ok(difference <= 1e-5, `${difference}`);
    }
  });

  it('counts all keys exactly where all logits are 0 and blocks are even', async () => {
    const input = randomInput({ queryRows: 128, size: 0 });
    for (let seed = 0; seed < 20; seed++) {
      const options = {
        blockSize: 16,
        sampleSize: 8,
        minSequence: 1,
        blocks: 'rank',
        certifyRows: 0,
        seed,
      } as const;
      const { value } = await hyperAttention(input, options);
      const mean = value.lse.reduce((sum, lse) => sum + Math.exp(lse), 0) / 128;
      // Each sample is left out of exactly b rows. Rounding: exp of a float32-based lse.
      assert.ok(Math.abs(mean - 128) <= 128 * 1e-5, `${mean}`);
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
        const same = await outputOf({ ...constant, causal }, options);
        assert.ok(same.every((x) => Math.abs(x - 1) <= 1e-6));
        const output = await outputOf({ ...input, causal }, options);
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
    const output = await outputOf(input, options);
    const reversed = input.queries.data.slice();
    for (let i = 0; i < 200; i++)
      reversed.set(input.queries.data.subarray((199 - i) * 8, (200 - i) * 8), i * 8);
    const moved = await outputOf({ ...input, queries: { ...input.queries, data: reversed } }, options);
    for (let i = 0; i < 200; i++)
      assert.ok(
        largestDifference(
          moved.subarray((199 - i) * 8, (200 - i) * 8),
          output.subarray(i * 8, (i + 1) * 8),
        ) <= 1e-6,
      );
  });

  it('does not care in which order the keys come', async () => {
    const [rows, dim] = [48, 64];
    const input = randomInput({ queryRows: rows, dim });
    const order = sampleIndices(rows, rows, createRng(7));
    const shuffled = (tensor: AttentionInput['keys']) => ({
      ...tensor,
      data: Float32Array.from(
        tensor.data,
        (_, at) => tensor.data[order[Math.floor(at / dim)] * dim + (at % dim)],
      ),
    });
    const other = { ...input, keys: shuffled(input.keys), values: shuffled(input.values) };
    // With a bucket for every key, as 16 bits give nearly orthogonal ones, the order is by hash alone: blocks and samples are the same keys.
    let compared = 0;
    for (let seed = 0; seed < 6; seed++) {
      const directions = drawDirections(dim, 16, createRng(seed).fork('directions').fork(0));
      const codes = await hashCodes(
        input.keys.data as Float32Array,
        rows,
        dim,
        directions,
        await loadKernels(),
      );
      if (new Set(codes).size < rows) continue;
      compared++;
      for (const blocks of rules) {
        const options = { blockSize: 8, sampleSize: 12, minSequence: 1, hashBits: 16, blocks, seed };
        const [a, b] = [await outputOf(input, options), await outputOf(other, options)];
        assert.ok(largestDifference(a, b) <= 1e-6, `${blocks}, seed ${seed}`);
      }
    }
    assert.ok(compared >= 4, `${compared}`);
    // With ties, places within a bucket follow the order of the keys, so samples differ, but not their distribution.
    const seeds = 1000;
    const moments = async (of: AttentionInput) => {
      let [sum, squares] = [0, 0];
      for (let seed = 0; seed < seeds; seed++) {
        const options = { blockSize: 8, sampleSize: 12, minSequence: 1, hashBits: 2, certifyRows: 0 };
        const { lse } = (await hyperAttention(of, { ...options, blocks: 'none', seed })).value;
        sum += lse[0] / seeds;
        squares += lse[0] ** 2 / seeds;
      }
      return { mean: sum, variance: squares - sum * sum };
    };
    const [a, b] = [await moments(input), await moments(other)];
    // 5 standard errors of a difference of means, and of variances of nearly normal numbers.
    assert.ok(Math.abs(a.mean - b.mean) <= 5 * Math.sqrt((a.variance + b.variance) / seeds));
    assert.ok(Math.abs(a.variance / b.variance - 1) <= 5 * Math.sqrt(4 / seeds));
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

  it('finds the heavy keys of planted data', async () => {
    // Acceptance figures of the paper's protocol: ≤ 0.33 and ≤ 0.45 of uniform sampling at b = m = 128, falling in b = m.
    const input = plantedInput({ seed: 0 });
    const exact = await exactAttention(input);
    const errors: number[] = [];
    for (const size of [64, 128, 256])
      errors.push(
        relativeError(
          await outputOf(input, { blockSize: size, sampleSize: size, minSequence: 256 }),
          exact.output.data,
        ),
      );
    const uniform = relativeError(
      await outputOf(input, { blocks: 'none', sampleSize: 256, minSequence: 256 }),
      exact.output.data,
    );
    assert.ok(errors[0] > errors[1] && errors[1] > errors[2], `${errors}`);
    assert.ok(errors[1] <= 0.33 && errors[1] <= 0.45 * uniform, `${errors[1]}, uniform ${uniform}`);
    const rank = await outputOf(input, { blockSize: 128, sampleSize: 128, minSequence: 256, blocks: 'rank' });
    assert.ok(relativeError(rank, exact.output.data) <= 0.33);
  });

  it('errs as the square root of 1/m where attention is near uniform', async () => {
    const input = plantedInput({ rows: 2048, clusters: 32, strength: 0.5, seed: 1 });
    const exact = await exactAttention(input);
    const sizes = [32, 64, 128, 256, 512];
    const logs: number[] = [];
    for (const sampleSize of sizes) {
      let sum = 0;
      for (let seed = 0; seed < 6; seed++)
        sum += relativeError(
          await outputOf(input, { blocks: 'none', sampleSize, minSequence: 1, seed }),
          exact.output.data,
        );
      logs.push(Math.log2(sum / 6));
    }
    const slope = logs.reduce((sum, y, i) => sum + y * (i - 2), 0) / 10;
    assert.ok(Math.abs(slope + 0.5) <= 0.1, `slope ${slope}`);
  });

  it('does as well at any length, with padding nowhere', async () => {
    const options = { blockSize: 64, sampleSize: 64, minSequence: 64 };
    const errorAt = async (queryRows: number, keyRows: number) => {
      const all = plantedInput({ rows: 2048, clusters: 128, seed: 2 });
      const cut = (tensor: AttentionInput['queries'], rows: number) => ({
        ...tensor,
        rows,
        data: tensor.data.slice(0, rows * 64),
      });
      const input = {
        queries: cut(all.queries, queryRows),
        keys: cut(all.keys as AttentionInput['queries'], keyRows),
        values: cut(all.values as AttentionInput['queries'], keyRows),
      };
      const exact = (await exactAttention(input)).output.data;
      let sum = 0;
      for (let seed = 0; seed < 8; seed++)
        sum += relativeError(await outputOf(input, { ...options, seed }), exact);
      return sum / 8;
    };
    const round = await errorAt(1024, 1024);
    for (const [queries, keys] of [
      [1021, 1021],
      [1025, 1025],
      [1024, 1000],
      [701, 1024],
    ])
      assert.ok((await errorAt(queries, keys)) <= 1.2 * round, `${queries} × ${keys}`);
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
    const masked = await outputOf({ ...all, keyMask }, options);
    const cut = await outputOf({ ...all, keys: short(all.keys), values: short(all.values) }, options);
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
    const plain = relativeError(await outputOf({ ...input, bias }, options), exact.output.data);
    const withSinks = relativeError(
      await outputOf({ ...input, bias }, { ...options, sinks: 4 }),
      exact.output.data,
    );
    assert.ok(withSinks < 0.5 * plain && withSinks < 0.2, `${withSinks}, without sinks ${plain}`);
    const slopes = Float32Array.of(0.5, 0.25);
    const local = await exactAttention({ ...input, slopes });
    const far = relativeError(await outputOf({ ...input, slopes }, options), local.output.data);
    const near = relativeError(
      await outputOf({ ...input, slopes }, { ...options, window: 24 }),
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
        await outputOf(input, { ...options, blocks }),
        await outputOf(later, { ...options, blocks }),
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
