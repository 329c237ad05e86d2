import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomInput } from '../../test/attention-inputs.ts';
import { createRng } from '../core/rng.ts';
import { attentionBackward, exactAttention, hyperAttention, oracleAttention } from './index.ts';
import type { AttentionInput, AttentionResult, HyperTrace } from './types.ts';

/** Loss: Σ w · O + Σ u · lse with fixed random w and u, computed in float64 over the keys the plans list. */
function lossOf(
  input: AttentionInput,
  trace: HyperTrace | undefined,
  w: Float32Array,
  u: Float64Array,
): number {
  const { queries, keys, values } = input;
  let loss = 0;
  if (!trace || trace.plans.length === 0) {
    const { output, lse } = oracleAttention(input);
    output.forEach((x, i) => {
      loss += w[i] * x;
    });
    lse.forEach((x, i) => {
      loss += u[i] * x;
    });
    return loss;
  }
  const group = queries.heads / keys.heads;
  for (let head = 0; head < queries.heads; head++)
    for (let row = 0; row < queries.rows; row++) {
      const terms: { logit: number; key: number }[] = [];
      for (const plan of trace.plans)
        for (let t = 0; t < plan.heads.length; t++) {
          const rows = plan.rows.subarray(plan.rowStart[t], plan.rowStart[t + 1]);
          if (plan.heads[t] !== head || !rows.includes(row)) continue;
          for (let s = plan.segmentStart[t]; s < plan.segmentStart[t + 1]; s++)
            for (const key of plan.keys.subarray(plan.keyStart[s], plan.keyEnd[s])) {
              if (input.causal && key > row) continue;
              const keyRow = Math.floor(head / group) * keys.rows + key;
              let sum = 0;
              for (let p = 0; p < keys.cols; p++)
                sum +=
                  queries.data[(head * queries.rows + row) * keys.cols + p] *
                  keys.data[keyRow * keys.cols + p];
              terms.push({ logit: sum / Math.sqrt(keys.cols) + plan.logWeights[s], key: keyRow });
            }
        }
      const total = Math.log(terms.reduce((sum, { logit }) => sum + Math.exp(logit), 0));
      const at = head * queries.rows + row;
      loss += u[at] * total;
      for (const { logit, key } of terms)
        for (let c = 0; c < values.cols; c++)
          loss += w[at * values.cols + c] * Math.exp(logit - total) * values.data[key * values.cols + c];
    }
  return loss;
}

async function check(input: AttentionInput, result: AttentionResult & { trace?: HyperTrace }): Promise<void> {
  const rng = createRng(9);
  const w = Float32Array.from(result.output.data, () => rng.normal());
  const u = Float64Array.from(result.lse, () => rng.normal());
  const gradients = await attentionBackward(input, result, { output: w, lse: u });
  for (const name of ['queries', 'keys', 'values'] as const) {
    const { data } = input[name];
    for (let step = 0; step < 12; step++) {
      const at = rng.integer(data.length);
      // A power of two, so that all points are near floats. Five points: the quotient is off by h⁴ · f⁗′ / 30, below 1e-8 here.
      const h = 2 ** -6;
      const moved = (by: number) => {
        const copy = data.slice() as Float32Array;
        copy[at] += by;
        return lossOf({ ...input, [name]: { ...input[name], data: copy } }, result.trace, w, u);
      };
      // Entries that are not multiples of 2⁻³⁰ move by a little more or less than h.
      const slope = (by: number) =>
        (moved(by) - moved(-by)) / (Math.fround(data[at] + by) - Math.fround(data[at] - by));
      const expected = (4 * slope(h) - slope(2 * h)) / 3;
      const got = gradients[name].data[at];
      assert.ok(
        Math.abs(got - expected) <= 1e-6 * (1 + Math.abs(expected)),
        `${name}[${at}]: ${got}; expected ${expected}`,
      );
    }
  }
}

describe('attentionBackward', () => {
  const shape = { heads: 2, keyHeads: 1, queryRows: 48, dim: 6, valueDim: 5 };

  it('is the slope of exact attention', async () => {
    for (const causal of [false, true]) {
      const input = { ...randomInput(shape), causal };
      await check(input, await exactAttention(input));
    }
  });

  it('is the slope of HyperAttention with blocks and samples held', async () => {
    for (const causal of [false, true]) {
      const input = { ...randomInput(shape), causal };
      const options = { blockSize: 6, sampleSize: 4, hashBits: 3, minSequence: 12, certifyRows: 0 };
      const { value } = await hyperAttention(input, options);
      assert.ok(value.trace.plans.length > 0);
      await check(input, value);
    }
  });

  it('refuses gradients of another shape, and halves', async () => {
    const input = randomInput(shape);
    const result = await exactAttention(input);
    await assert.rejects(attentionBackward(input, result, { output: new Float32Array(3) }), {
      message: /gradient\.output has length 3/,
    });
    const halves = (tensor: AttentionInput['keys']) => ({
      ...tensor,
      data: new Uint16Array(tensor.data.length),
      storage: 'float16' as const,
    });
    await assert.rejects(
      attentionBackward({ ...input, keys: halves(input.keys), values: halves(input.values) }, result, {
        output: result.output.data,
      }),
      { message: /stored as float16; expected float32/ },
    );
  });
});
