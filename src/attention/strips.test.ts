import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../core/rng.ts';
import { type AttentionLogits, loadKernels } from '../kernels/index.ts';
import { strips } from './strips.ts';

const rng = createRng(4);
const normal = (count: number) => Float32Array.from({ length: count }, () => rng.normal());

const [heads, keyHeads, rows, dim] = [4, 2, 200, 8];
const logits: AttentionLogits = {
  ...{ heads, keyHeads, queryRows: rows, keyRows: rows, dim, valueDim: dim, scale: 0.5 },
  queries: normal(heads * rows * dim),
  keys: normal(keyHeads * rows * dim),
  values: normal(keyHeads * rows * dim),
};
const headCost = 4 * rows * rows * dim;

const cases: Record<string, Partial<AttentionLogits>> = {
  plain: {},
  causal: { causalOffset: 0 },
  'causal with slopes': { causalOffset: 0, slopes: Float32Array.of(0.1, 0.2, 0.3, 0.4) },
  'slopes alone': { slopes: Float32Array.of(0.1, 0.2, 0.3, 0.4) },
  'one bias': { bias: normal(rows * rows) },
  'a bias a head, masked keys': {
    bias: normal(heads * rows * rows),
    keyLogWeights: normal(keyHeads * rows).map((x) => (x < -1 ? -Infinity : 0)),
  },
};

describe('strips', () => {
  for (const [name, extra] of Object.entries(cases)) {
    it(`give the whole, bit for bit, in any parts: ${name}`, async () => {
      const kernels = await loadKernels();
      const whole = { ...logits, ...extra };
      const out = new Float32Array(heads * rows * dim);
      const lse = new Float64Array(heads * rows);
      await kernels.attention({ ...whole, out, lse });
      for (const part of [headCost / 3, headCost, 2 * headCost, 100 * headCost]) {
        const [partOut, partLse] = [new Float32Array(out.length), new Float64Array(lse.length)];
        let at = 0;
        for (const { logits: own, start, end } of strips(whole, part)) {
          assert.equal(start, at);
          at = end;
          await kernels.attention({
            ...{ ...own, out: partOut.subarray(start * dim, end * dim), lse: partLse.subarray(start, end) },
          });
        }
        assert.equal(at, heads * rows);
        assert.deepEqual(partOut, out, `parts of ${part}`);
        assert.deepEqual(partLse, lse);
      }
    });
  }

  it('are as many as the work asks for', () => {
    const count = (part: number) => [...strips(logits, part)].length;
    assert.deepEqual([count(100 * headCost), count(2 * headCost), count(headCost / 3)], [1, 2, 4 * 4]);
    assert.equal([...strips({ ...logits, queryRows: 0, queries: new Float32Array(0) })].length, 1);
  });
});
