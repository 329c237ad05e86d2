// What the plans of a call name, row by row: the pairs computed, and the result that they alone determine.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { largestDifference, randomInput } from '../../test/attention-inputs.ts';
import { type HyperOptions, hyperAttention, oracleAttention } from './index.ts';
import type { AttentionInput, HyperTrace } from './types.ts';

interface Met {
  key: number;
  logWeight: number;
}

/** The keys that each row of each head meets, shape (heads, n_q); those that causality hides are left out. */
function keysMet({ queries, causal }: AttentionInput, { plans }: HyperTrace): Met[][] {
  const met: Met[][] = Array.from({ length: queries.batch * queries.heads * queries.rows }, () => []);
  for (const plan of plans)
    for (let t = 0; t < plan.heads.length; t++)
      for (const row of plan.rows.subarray(plan.rowStart[t], plan.rowStart[t + 1]))
        for (let s = plan.segmentStart[t]; s < plan.segmentStart[t + 1]; s++)
          for (const key of plan.keys.subarray(plan.keyStart[s], plan.keyEnd[s]))
            if (!causal || key <= row)
              met[plan.heads[t] * queries.rows + row].push({ key, logWeight: plan.logWeights[s] });
  return met;
}

/** lse and output over listed keys, in float64, by oracle attention of one row. */
function replayed(input: AttentionInput, met: Met[], at: number): { lse: number; output: Float64Array } {
  const { queries, keys, values } = input;
  const row = at % queries.rows;
  const head = Math.floor(at / queries.rows);
  const keyHead = Math.floor((head * keys.heads) / queries.heads);
  const gathered = (tensor: typeof keys, rows: number[]) => ({
    data: Float32Array.from(
      rows.flatMap((r) => [...tensor.data.subarray(r * tensor.cols, (r + 1) * tensor.cols)]),
    ),
    ...{ batch: 1, heads: 1, rows: rows.length, cols: tensor.cols },
  });
  const keyRows = met.map(({ key }) => keyHead * keys.rows + key);
  const slope = input.slopes?.[head % queries.heads] ?? 0;
  const biasHead = input.bias && input.bias.length > queries.rows * keys.rows ? head % queries.heads : 0;
  const { lse, output } = oracleAttention({
    queries: gathered(queries, [at]),
    keys: gathered(keys, keyRows),
    values: gathered(values, keyRows),
    bias: Float32Array.from(
      met,
      ({ key, logWeight }) =>
        logWeight +
        slope * (key - row) +
        (input.bias?.[(biasHead * queries.rows + row) * keys.rows + key] ?? 0),
    ),
  });
  return { lse: lse[0], output };
}

interface Case {
  input: AttentionInput;
  options: HyperOptions;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    keyHeads: fc.integer({ min: 1, max: 2 }),
    group: fc.integer({ min: 1, max: 2 }),
    queryRows: fc.integer({ min: 1, max: 70 }),
    keyRows: fc.integer({ min: 1, max: 70 }),
    causal: fc.boolean(),
    masked: fc.constantFrom(0, 2, 3),
    added: fc.constantFrom('nothing', 'bias', 'bias per head', 'slopes'),
    seed: fc.integer({ min: 0, max: 1000 }),
    blockSize: fc.integer({ min: 1, max: 20 }),
    sampleSize: fc.integer({ min: 0, max: 12 }),
    minSequence: fc.integer({ min: 1, max: 20 }),
    hashBits: fc.constantFrom<number | 'auto'>(1, 3, 7, 'auto'),
    blocks: fc.constantFrom('hash-aligned', 'rank', 'smooth', 'none'),
    bucketOrder: fc.constantFrom('gray', 'gray-forward', 'binary', 'random'),
    sampling: fc.constantFrom('uniform', 'without-replacement', 'stratified'),
    sinks: fc.integer({ min: 0, max: 3 }),
    window: fc.integer({ min: 0, max: 3 }),
  })
  .filter(({ blocks, sampleSize }) => blocks !== 'none' || sampleSize > 0)
  .map(({ batch, keyHeads, group, queryRows, causal, masked, added, seed, window, ...rest }) => {
    const keyRows = causal ? queryRows : rest.keyRows;
    const heads = keyHeads * group;
    const input: AttentionInput = {
      ...randomInput({ batch, heads, keyHeads, queryRows, keyRows, dim: 4, valueDim: 3, seed }),
      causal,
    };
    if (masked)
      input.keyMask = Uint8Array.from({ length: batch * keyRows }, (_, i) => Number(i % masked > 0));
    if (added.startsWith('bias'))
      input.bias = Float32Array.from(
        { length: (added === 'bias' ? 1 : heads) * queryRows * keyRows },
        (_, i) => Math.sin(i),
      );
    if (added === 'slopes') input.slopes = Float32Array.from({ length: heads }, (_, h) => 0.05 * (h + 1));
    const { keyRows: _, ...options } = rest;
    return { input, options: { ...options, seed, window: causal ? window : 0, certifyRows: 0 } };
  });

describe('the plans of hyperAttention', () => {
  it('name live keys only, exact ones once and never sampled too, and determine the result', async () => {
    let approximated = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ({ input, options }) => {
        const { value } = await hyperAttention(input, options);
        if (value.trace.plans.length === 0) return;
        const { queries, keys, keyMask } = input;
        const met = keysMet(input, value.trace);
        let pairs = 0;
        for (const [at, list] of met.entries()) {
          const entry = Math.floor(at / (queries.rows * queries.heads));
          const exact = list.filter(({ logWeight }) => logWeight === 0).map(({ key }) => key);
          assert.equal(new Set(exact).size, exact.length, 'an exact key twice');
          const sampled = list.filter(({ logWeight }) => logWeight !== 0);
          if (sampled.length > 0) approximated++;
          assert.ok(!sampled.some(({ key }) => exact.includes(key)), 'a key both exact and sampled');
          pairs += list.length;
          // Leaves hide masked keys by their log-weight instead of leaving them out.
          const live = list.filter(({ key }) => keyMask?.[entry * keys.rows + key] !== 0);
          if (!input.causal) assert.equal(live.length, list.length, 'a masked key');
          const { lse, output } = replayed(input, live, at);
          assert.ok(Math.abs(value.lse[at] - lse) <= 1e-5 || value.lse[at] === lse, `lse of row ${at}`);
          const got = value.output.data.subarray(at * 3, (at + 1) * 3);
          assert.ok(largestDifference(got, output) <= 1e-5, `output of row ${at}`);
        }
        assert.equal(value.trace.pairs, pairs);
      }),
      { seed: 1, numRuns: 300 },
    );
    assert.ok(approximated > 3000, `only ${approximated} rows had samples`);
  });

  it('leave every row as it is, to the bit, whatever comes after it', async () => {
    const strict = cases.filter(
      ({ input, options }) => input.causal === true && !['rank', 'smooth'].includes(options.blocks ?? ''),
    );
    let approximated = 0;
    await fc.assert(
      fc.asyncProperty(
        strict,
        fc.double({ min: 0, max: 1, noNaN: true }),
        async ({ input, options }, share) => {
          const { rows } = input.queries;
          const at = Math.floor(share * rows);
          const changed = <T extends AttentionInput['keys']>(tensor: T): T => {
            const data = tensor.data.slice();
            for (let i = 0; i < data.length; i++)
              if (Math.floor(i / tensor.cols) % rows >= at) data[i] = 1 - 3 * data[i];
            return { ...tensor, data };
          };
          const later = {
            ...input,
            queries: changed(input.queries),
            keys: changed(input.keys),
            values: changed(input.values),
          };
          const [before, after] = [
            await hyperAttention(input, options),
            await hyperAttention(later, options),
          ];
          if (before.value.trace.plans.length > 0) approximated++;
          const cols = input.values.cols;
          for (let row = 0; row < before.value.lse.length; row++)
            if (row % rows < at) {
              assert.equal(after.value.lse[row], before.value.lse[row]);
              assert.deepEqual(
                after.value.output.data.subarray(row * cols, (row + 1) * cols),
                before.value.output.data.subarray(row * cols, (row + 1) * cols),
              );
            }
        },
      ),
      { seed: 2, numRuns: 200 },
    );
    assert.ok(approximated > 100, `${approximated} of 200 were approximated`);
  });
});
