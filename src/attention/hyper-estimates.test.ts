import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  hyperOutput,
  largestDifference,
  plantedInput,
  randomInput,
  relativeError,
} from '../../test/attention-inputs.ts';
import { createRng, sampleIndices } from '../core/rng.ts';
import { loadKernels } from '../kernels/index.ts';
import { drawDirections, hashCodes } from './angular-hash.ts';
import { exactAttention, hyperAttention, oracleAttention } from './index.ts';
import type { AttentionInput } from './types.ts';

const rules = ['hash-aligned', 'rank', 'smooth', 'none'] as const;

describe('hyperAttention, as an estimate', () => {
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
        const [a, b] = [await hyperOutput(input, options), await hyperOutput(other, options)];
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

  it('finds the heavy keys of planted data', async () => {
    // Acceptance figures of the paper's protocol: ≤ 0.33 and ≤ 0.45 of uniform sampling at b = m = 128, falling in b = m.
    const input = plantedInput({ seed: 0 });
    const exact = await exactAttention(input);
    const errors: number[] = [];
    for (const size of [64, 128, 256])
      errors.push(
        relativeError(
          await hyperOutput(input, { blockSize: size, sampleSize: size, minSequence: 256 }),
          exact.output.data,
        ),
      );
    const uniform = relativeError(
      await hyperOutput(input, { blocks: 'none', sampleSize: 256, minSequence: 256 }),
      exact.output.data,
    );
    assert.ok(errors[0] > errors[1] && errors[1] > errors[2], `${errors}`);
    assert.ok(errors[1] <= 0.33 && errors[1] <= 0.45 * uniform, `${errors[1]}, uniform ${uniform}`);
    const rank = await hyperOutput(input, {
      blockSize: 128,
      sampleSize: 128,
      minSequence: 256,
      blocks: 'rank',
    });
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
          await hyperOutput(input, { blocks: 'none', sampleSize, minSequence: 1, seed }),
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
        sum += relativeError(await hyperOutput(input, { ...options, seed }), exact);
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
});
