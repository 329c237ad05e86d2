import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { largestDifference, randomInput } from '../../test/attention-inputs.ts';
import { toHalf } from '../kernels/index.ts';
import { exactAttention, mergeAttention, oracleAttention } from './index.ts';
import type { AttentionInput } from './types.ts';

// Logits here stay below 10, so float32 logits are off by 1e-6 at most, and the acceptance limit of 1e-5 leaves room for nothing else.
async function agrees(input: AttentionInput): Promise<void> {
  const [result, oracle] = [await exactAttention(input), oracleAttention(input)];
  assert.ok(largestDifference(result.output.data, oracle.output) <= 1e-5);
  assert.ok(largestDifference(result.lse, oracle.lse) <= 1e-5);
}

describe('exactAttention', () => {
  const shape = { batch: 2, heads: 4, keyHeads: 2, queryRows: 30, keyRows: 45, dim: 6, valueDim: 5 };

  it('equals the oracle, with shared heads, masks, bias and slopes', async () => {
    const input = randomInput(shape);
    await agrees(input);
    await agrees({ ...input, scale: 0.1 });
    const keyMask = Uint8Array.from({ length: 2 * 45 }, (_, i) => Number(i % 3 > 0));
    await agrees({ ...input, keyMask });
    const bias = Float32Array.from({ length: 30 * 45 }, (_, i) => Math.sin(i));
    const slopes = Float32Array.of(0.1, 0.05, 0.02, 0);
    await agrees({ ...input, bias, slopes });
    await agrees({ ...input, bias: Float32Array.from({ length: 4 * 30 * 45 }, (_, i) => Math.cos(i)) });
    const square = randomInput({ ...shape, keyRows: 30 });
    await agrees({ ...square, causal: true, slopes, keyMask: keyMask.subarray(0, 60) });
  });

  it('gives a row whose keys are all masked 0 and −∞', async () => {
    const input = { ...randomInput({ queryRows: 3, keyRows: 4 }), keyMask: new Uint8Array(4) };
    const { output, lse } = await exactAttention(input);
    assert.deepEqual(new Set(output.data), new Set([0]));
    assert.deepEqual(new Set(lse), new Set([-Infinity]));
  });

  it('accepts no queries and no keys', async () => {
    assert.equal((await exactAttention(randomInput({ queryRows: 0, keyRows: 4 }))).lse.length, 0);
    assert.deepEqual(
      [...(await exactAttention(randomInput({ queryRows: 2, keyRows: 0 }))).lse],
      [-Infinity, -Infinity],
    );
  });

  it('reads halves as the numbers they are', async () => {
    const { queries, keys, values } = randomInput(shape);
    for (const storage of ['float16', 'bfloat16'] as const) {
      const half = <T extends typeof keys>(tensor: T) => ({
        ...tensor,
        data: toHalf(tensor.data as Float32Array, storage),
        storage,
      });
      await agrees({ queries, keys: half(keys), values: half(values) });
    }
  });

  it('merges results over parts of the keys to the whole', async () => {
    const input = randomInput(shape);
    const parts = [0, 1].map((part) =>
      Uint8Array.from({ length: 90 }, (_, i) => Number((i * 7) % 5 < 2 === Boolean(part))),
    );
    const [a, b] = await Promise.all(parts.map((keyMask) => exactAttention({ ...input, keyMask })));
    const whole = await exactAttention(input);
    for (const merged of [mergeAttention(a, b), mergeAttention(b, a)]) {
      assert.ok(largestDifference(merged.output.data, whole.output.data) <= 1e-6);
      assert.ok(largestDifference(merged.lse, whole.lse) <= 1e-6);
    }
    const nothing = await exactAttention({ ...input, keyMask: new Uint8Array(90) });
    assert.deepEqual(mergeAttention(a, nothing).output.data, a.output.data);
    assert.equal(mergeAttention(nothing, nothing).lse[0], -Infinity);
    assert.throws(() => mergeAttention(a, { ...b, lse: b.lse.slice(1) }), {
      code: 'SHAPE',
      message: /a has 240 rows/,
    });
  });

  it('merges any split of the keys in any order, however far the parts lie apart', async () => {
    const rows = 12;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: rows, maxLength: rows }),
        fc.array(fc.constantFrom(0, 1000, -1000), { minLength: 5, maxLength: 5 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        async (partOf, gaps, order) => {
          // A gap added to all logits of a part: such parts win or vanish, without overflow.
          const bias = Float32Array.from({ length: rows * rows }, (_, i) => gaps[partOf[i % rows]]);
          const input = { ...randomInput({ queryRows: rows }), bias };
          const parts = await Promise.all(
            order.map((part) =>
              exactAttention({ ...input, keyMask: Uint8Array.from(partOf, (p) => Number(p === part)) }),
            ),
          );
          const merged = parts.reduce(mergeAttention);
          const oracle = oracleAttention(input);
          // Logits near 1000 are rounded to 2⁻¹⁵ in float32, and values differ by up to 8.
          const most = gaps.some((gap) => gap !== 0) ? 2 ** -14 : 1e-6;
          assert.ok(largestDifference(merged.lse, oracle.lse) <= most);
          assert.ok(largestDifference(merged.output.data, oracle.output) <= 8 * most);
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });

  it('refuses what would end as NaN', async () => {
    const input = randomInput({ heads: 2, queryRows: 3, keyRows: 4, dim: 2 });
    const bias = new Float32Array(12);
    const filled = (value: number) => ({
      ...input.keys,
      data: new Float32Array(16).fill(value),
    });
    const refused: [Partial<AttentionInput>, RegExp][] = [
      [{ bias: bias.with(6, Number.NaN) }, /bias is NaN at head 0, query 1, key 2/],
      [{ bias: bias.with(11, Infinity) }, /bias is Infinity at head 0, query 2, key 3/],
      [{ slopes: Float32Array.of(0.1, Number.NaN) }, /slopes\[1\] is NaN/],
      [{ slopes: Float32Array.of(2e38, 0) }, /slopes\[0\] is 1\.99/],
      [{ keys: filled(3e38) }, /keys up to 4\.24e\+38/],
      [{ scale: 1e38 }, /by scale = 1e\+38 within float32/],
    ];
    for (const [change, message] of refused)
      await assert.rejects(exactAttention({ ...input, ...change }), { code: 'INVALID_ARGUMENT', message });
    // −∞ hides keys, all of them too.
    const hidden = await exactAttention({ ...input, bias: bias.fill(-Infinity, 0, 4) });
    assert.deepEqual([...hidden.lse].map(Number.isFinite), [false, true, true, false, true, true]);
    assert.ok(!hidden.output.data.some(Number.isNaN));
    const halves = (value: number, storage: 'float16' | 'bfloat16') => ({
      keys: { ...input.keys, data: new Uint16Array(16).fill(value), storage },
      values: { ...input.values, data: new Uint16Array(16), storage },
    });
    await assert.rejects(exactAttention({ ...input, ...halves(0xfc00, 'float16') }), {
      message: /keys is not finite at batch 0, head 0, row 0, column 0/,
    });
    await assert.rejects(exactAttention({ ...input, ...halves(0x7f7f, 'bfloat16') }), {
      message: /keys up to 4\.\d+e\+38/,
    });
    await exactAttention({ ...input, ...halves(0xfbff, 'float16') });
  });

  it('names what does not fit', async () => {
    const input = randomInput(shape);
    const refused: [Partial<AttentionInput>, RegExp][] = [
      [
        { keys: { ...input.keys, cols: 5, data: new Float32Array(2 * 2 * 45 * 5) } },
        /keys\.cols is 5; expected queries\.cols = 6/,
      ],
      [{ keys: { ...input.keys, rows: 44 } }, /keys: data has 1080 entries/],
      [{ causal: true }, /30 queries and 45 keys/],
      [{ scale: Number.NaN }, /scale is NaN/],
      [{ keyMask: new Uint8Array(45) }, /keyMask has length 45; expected 90/],
      [{ bias: new Float32Array(7) }, /bias has length 7; expected 1350 or 5400/],
      [{ slopes: new Float32Array(3) }, /slopes has length 3; expected 4/],
      [
        { queries: { ...input.queries, heads: 3, data: new Float32Array(2 * 3 * 30 * 6) } },
        /3 heads, keys 2/,
      ],
      [{ values: { ...input.values, storage: 'float16' } }, /data is Float32Array and storage "float16"/],
    ];
    for (const [change, message] of refused)
      await assert.rejects(exactAttention({ ...input, ...change }), { message });
    const data = input.keys.data.slice() as Float32Array;
    data[((1 * 2 + 1) * 45 + 7) * 6 + 2] = Infinity;
    await assert.rejects(exactAttention({ ...input, keys: { ...input.keys, data } }), {
      code: 'INVALID_ARGUMENT',
      message: /keys is not finite at batch 1, head 1, row 7, column 2/,
    });
  });
});
