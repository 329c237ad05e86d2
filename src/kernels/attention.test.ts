import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { attentionLogits as logitsOf, scrambledTiles, small } from '../../test/attention-tasks.ts';
import { allKernels, offsetView, randomFloats } from '../../test/each-backend.ts';
import { createRng, sampleIndices } from '../core/rng.ts';
import { attentionReference } from './attention-reference.ts';
import type { AttentionLogits, AttentionTask, AttentionTiles } from './attention-types.ts';
import { toHalf } from './half.ts';

/** With outputs that hold rubbish where nothing is merged. */
function taskOf(logits: AttentionLogits, before?: Pick<AttentionTask, 'out' | 'lse'>): AttentionTask {
  const rows = logits.heads * logits.queryRows;
  return {
    ...logits,
    out: before ? before.out.slice() : offsetView(new Float32Array(rows * logits.valueDim).fill(7)),
    lse: before ? before.lse.slice() : offsetView(new Float64Array(rows).fill(7)),
    merge: before !== undefined,
  };
}

/**
 * Every row within what rounding explains. A logit is off by at most η = (dim + 6) · 2⁻²⁴ · (scale · Σ|q k| + |added|): so a weight by
 * e^η, an output by 2η and the roundings of its sum, relative to the largest |v|.
 *
 * @param largestProduct - bound on |q k| of two entries
 */
async function check(
  kernels: { attention(task: AttentionTask): Promise<void> },
  logits: AttentionLogits,
  before?: AttentionTask,
  largestProduct = 4,
) {
  const task = taskOf(logits, before);
  const expected = taskOf(logits, before);
  await kernels.attention(task);
  await attentionReference.attention(expected);
  const { heads, queryRows, keyRows, dim, valueDim, scale } = logits;
  const largest = (values: ArrayLike<number>) =>
    Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const added = [
    logits.bias,
    logits.slopes?.map((x) => x * keyRows),
    logits.keyLogWeights?.filter((x) => x > -Infinity),
  ];
  const logit =
    largestProduct * scale * dim + added.reduce((sum, values) => sum + (values ? largest(values) : 0), 0) + 3;
  const eta = (dim + 6) * 2 ** -24 * logit;
  const rounding = (Math.min(keyRows, 1e5) + 30) * 2 ** -24;
  for (let row = 0; row < heads * queryRows; row++) {
    const [got, want] = [task.lse[row], expected.lse[row]];
    assert.ok(
      got === want || Math.abs(got - want) <= eta + rounding,
      `lse ${row} is ${got}; expected ${want}`,
    );
    for (let c = 0; c < valueDim; c++) {
      const [x, y] = [task.out[row * valueDim + c], expected.out[row * valueDim + c]];
      assert.ok(Math.abs(x - y) <= 2 * eta + 2 * rounding, `out ${row}, ${c} is ${x}; expected ${y}`);
    }
  }
  return task;
}

for (const { name, kernels } of await allKernels()) {
  describe(`attention, ${name}`, () => {
    it('is right at every edge of its panels, blocks and tiles', async () => {
      for (const queryRows of [0, 1, 2, 7, 8, 15, 16, 17, 47, 48, 49, 97])
        await check(kernels, logitsOf({ ...small, queryRows }));
      for (const keyRows of [0, 1, 2, 7, 8, 9, 127, 128, 129, 300])
        await check(kernels, logitsOf({ ...small, keyRows, queryRows: 18 }));
      for (const dim of [1, 2, 4, 5, 63, 64, 65])
        await check(kernels, logitsOf({ ...small, dim, queryRows: 20 }));
      for (const valueDim of [1, 2, 3, 5, 6, 7, 8, 9, 64, 67])
        await check(kernels, logitsOf({ ...small, valueDim, queryRows: 20 }));
    });

    it('lets groups of heads share keys, and hides what comes later', async () => {
      const shape = { ...small, heads: 6, keyHeads: 2, queryRows: 61, keyRows: 140, dim: 8, valueDim: 6 };
      await check(kernels, logitsOf(shape));
      for (const causalOffset of [0, 79, -20, -200, 1000])
        await check(kernels, { ...logitsOf(shape), causalOffset });
      const square = { ...shape, queryRows: 400, keyRows: 400 };
      await check(kernels, { ...logitsOf(square), causalOffset: 0 });
    });

    it('adds log-weights, bias and slopes', async () => {
      const shape = { ...small, heads: 4, keyHeads: 2, queryRows: 50, keyRows: 150 };
      const keyLogWeights = randomFloats(2 * 150, 4).map((x) => (x > 0.5 ? -Infinity : x));
      await check(kernels, { ...logitsOf(shape), keyLogWeights });
      await check(kernels, { ...logitsOf(shape), bias: randomFloats(50 * 150, 5) });
      await check(kernels, { ...logitsOf(shape), bias: randomFloats(4 * 50 * 150, 5), causalOffset: 100 });
      await check(kernels, {
        ...logitsOf(shape),
        slopes: Float32Array.of(0.5, 0.25, 0, 0.01),
        causalOffset: 100,
      });
      await check(kernels, { ...logitsOf(shape), slopes: Float32Array.of(0.1, 0.2, 0, 0.01), keyLogWeights });
    });

    it('follows a plan of tiles, whose keys may come twice', async () => {
      for (const rows of [1, 9, 50, 400]) {
        const shape = { ...small, heads: 2, queryRows: 301, keyRows: 233, dim: 6, valueDim: 5 };
        const tiles = scrambledTiles(shape, rows);
        await check(kernels, { ...logitsOf(shape), tiles });
        await check(kernels, {
          ...logitsOf(shape),
          tiles,
          causalOffset: -30,
          slopes: Float32Array.of(0.02, 0),
        });
      }
    });

    it('follows a plan with few of the keys, by groups of heads', async () => {
      const shape = { ...small, heads: 4, keyHeads: 2, queryRows: 240, keyRows: 240 };
      const plan = scrambledTiles(shape, 60);
      const tiles = { ...plan, keys: plan.keys.map((key) => key - (key % 4)) };
      const keyLogWeights = randomFloats(2 * 240, 4);
      await check(kernels, { ...logitsOf(shape), tiles, keyLogWeights });
      await check(kernels, { ...logitsOf(shape), tiles, keyLogWeights, causalOffset: -10 });
    });

    it('gives rows of no tile no keys, and leaves them alone when it merges', async () => {
      const shape = { ...small, queryRows: 30, keyRows: 20, valueDim: 7 };
      const tiles = scrambledTiles({ ...shape, queryRows: 10 }, 4);
      const task = await check(kernels, { ...logitsOf(shape), tiles });
      assert.equal(task.lse[29], -Infinity);
      await check(kernels, { ...logitsOf(shape), tiles }, await check(kernels, logitsOf(shape)));
      const none = new Uint32Array(0);
      const empty = { ...tiles, heads: none, rowStart: Uint32Array.of(0), segmentStart: Uint32Array.of(0) };
      await check(kernels, { ...logitsOf(shape), tiles: { ...empty, rows: none } });
    });

    it('merges parts over any split of the keys, in any order, to the whole', async () => {
      const shape = { ...small, queryRows: 21, keyRows: 40 };
      const part = fc.integer({ min: 0, max: 3 });
      const property = fc.asyncProperty(
        fc.array(part, { minLength: 40, maxLength: 40 }),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        fc.constantFrom(0, 1000),
        async (parts, order, gap) => {
          const logits = logitsOf(shape, 1);
          const weightOf = (p: number) => parts.map((q) => (p === -1 || p === q ? (q % 2) * gap : -Infinity));
          const whole = taskOf({ ...logits, keyLogWeights: Float32Array.from(weightOf(-1)) });
          await attentionReference.attention(whole);
          let merged: AttentionTask | undefined;
          for (const p of order) {
            const task: AttentionTask = taskOf(
              { ...logits, keyLogWeights: Float32Array.from(weightOf(p)) },
              merged,
            );
            await kernels.attention(task);
            merged = task;
          }
          // A logit near 1000 is a float32 with spacing 6e-5.
          const tolerance = gap === 0 ? 1e-6 : 2e-4;
          for (let i = 0; i < whole.out.length; i++)
            assert.ok(Math.abs((merged as AttentionTask).out[i] - whole.out[i]) <= tolerance, `out ${i}`);
        },
      );
      await fc.assert(property, { seed: 1, numRuns: 25 });
    });

    it('reads halves as the numbers they are', async () => {
      for (const storage of ['float16', 'bfloat16'] as const) {
        const shape = { ...small, heads: 2, queryRows: 33, keyRows: 150, dim: 9 };
        const logits = logitsOf(shape);
        const halves = {
          ...logits,
          storage,
          keys: offsetView(toHalf(logits.keys as Float32Array, storage)),
          values: toHalf(logits.values as Float32Array, storage),
        };
        await check(kernels, halves);
        await check(kernels, { ...halves, tiles: scrambledTiles(shape, 20) });
      }
    });

    it('stands logits of ±10 000', async () => {
      const logits = logitsOf({ ...small, queryRows: 20, keyRows: 200, dim: 1 }, 100);
      await check(kernels, { ...logits, scale: 1 }, undefined, 1e4);
    });

    it('writes its results and nothing beside them', async () => {
      const shape = { ...small, heads: 2, queryRows: 53, keyRows: 30, valueDim: 5 };
      for (const tiles of [undefined, scrambledTiles(shape, 20)]) {
        const [outs, lses] = [
          new Float32Array(2 * 53 * 5 + 20).fill(9),
          new Float64Array(2 * 53 + 20).fill(9),
        ];
        const [out, lse] = [outs.subarray(10, 10 + 2 * 53 * 5), lses.subarray(10, 10 + 2 * 53)];
        await kernels.attention({ ...logitsOf(shape), tiles, out, lse });
        assert.ok(out.every((x) => Math.abs(x) <= 1) && lse.every((x) => x !== 9));
        const edges = (array: Float32Array | Float64Array) => [...array.slice(0, 10), ...array.slice(-10)];
        assert.ok([...edges(outs), ...edges(lses)].every((x) => x === 9));
      }
    });

    it('keeps NaN to the rows that see it', async () => {
      const shape = { ...small, queryRows: 60, keyRows: 140 };
      const logits = logitsOf(shape);
      logits.queries[11 * 3] = Number.NaN;
      logits.keys[100 * 3 + 1] = Number.NaN;
      const task = taskOf({ ...logits, causalOffset: 60 });
      await kernels.attention(task);
      for (let row = 0; row < 60; row++)
        assert.equal(Number.isNaN(task.lse[row]), row === 11 || row >= 40, `row ${row}`);
      for (let row = 0; row < 60; row++)
        assert.equal(Number.isNaN(task.out[row * 4]), row === 11 || row >= 40, `row ${row}`);
    });

    it('keeps values that are not finite from the rows that do not see them', async () => {
      const shape = { ...small, queryRows: 60, keyRows: 140 };
      const tiles = scrambledTiles(shape, 25);
      const bias = randomFloats(60 * 140, 5).map((x, i) => (i % 140 === 100 && i < 140 * 40 ? -Infinity : x));
      for (const value of [Number.NaN, Infinity])
        for (const extra of [{ causalOffset: 60 }, { causalOffset: 60, tiles }, { bias }]) {
          const clean = { ...logitsOf(shape), ...extra };
          const spoilt = { ...clean, values: clean.values.slice() };
          spoilt.values[100 * 4 + 2] = value;
          const [task, expected] = [taskOf(spoilt), await check(kernels, clean)];
          await kernels.attention(task);
          for (let row = 0; row < 40; row++)
            for (let c = 0; c < 4; c++)
              assert.ok(Math.abs(task.out[row * 4 + c] - expected.out[row * 4 + c]) < 1e-5, `row ${row}`);
          // In the plan not every row has the key.
          for (let row = 40; row < 60; row++)
            assert.ok('tiles' in extra || !Number.isFinite(task.out[row * 4 + 2]), `row ${row}`);
        }
    });

    it('does not look at keys that log-weights hide', async () => {
      const shape = { ...small, keyHeads: 1, queryRows: 20, keyRows: 300 };
      const keyLogWeights = new Float32Array(300).map((_, j) => (j % 3 === 1 || j < 130 ? -Infinity : 0));
      const logits = logitsOf(shape);
      for (let j = 0; j < 300; j++)
        if (keyLogWeights[j] < 0) {
          logits.keys.fill(Number.NaN, j * 3, j * 3 + 3);
          logits.values.fill(Number.NaN, j * 4, j * 4 + 4);
        }
      await check(kernels, { ...logits, keyLogWeights });
      await check(kernels, { ...logits, keyLogWeights, causalOffset: 150, tiles: scrambledTiles(shape, 7) });
    });
  });
}

describe('attention', () => {
  it('gives the same bits for any number of threads', async () => {
    const shape = { ...small, heads: 3, queryRows: 700, keyRows: 500, dim: 16, valueDim: 16 };
    const byBackend = new Map<string, AttentionTask[]>();
    for (const { name, kernels } of await allKernels()) {
      const plain = taskOf(logitsOf(shape));
      const causal = taskOf({ ...logitsOf(shape), causalOffset: -40, tiles: scrambledTiles(shape, 300) });
      await kernels.attention(plain);
      await kernels.attention(causal);
      const key = name.split(' × ')[0];
      const known = byBackend.get(key);
      if (known) assert.deepEqual([plain, causal], known, name);
      byBackend.set(key, [plain, causal]);
    }
  });

  it('gives the same bits in pieces, by workers, as in one', async (test) => {
    const backends = (await allKernels()).filter(({ kernels }) => kernels.backend === 'wasm');
    if (backends.length === 0) return test.skip('no WASM kernels here');
    // More multiply-adds than are worth a worker each, which the reference would take long for.
    const shape = { ...small, heads: 2, keyHeads: 1, queryRows: 1000, keyRows: 700, dim: 64, valueDim: 64 };
    const tiles = scrambledTiles(shape, 130);
    const whole = { causalOffset: -200, merge: true };
    const known: AttentionTask[] = [];
    for (const { kernels } of backends)
      for (const [i, extra] of [{}, { causalOffset: -200 }, { tiles }, { tiles, ...whole }].entries()) {
        const task = taskOf({ ...logitsOf(shape), ...extra }, 'merge' in extra ? known[0] : undefined);
        await kernels.attention(task);
        if (kernels.threads === 1) known.push(task);
        else assert.deepEqual([task.out, task.lse], [known[i].out, known[i].lse], `task ${i}`);
      }
    assert.notDeepEqual(known[2].out, known[3].out);
  });

  it('gives the same bits where the tiles of one head take several pieces', async (test) => {
    const backends = (await allKernels()).filter(({ kernels }) => kernels.backend === 'wasm');
    if (backends.length === 0) return test.skip('no WASM kernels here');
    // 2⁸ tiles of 2⁴ rows and 2¹¹ keys, all of the second head, are 10⁹ multiply-adds: twice what makes a piece.
    const shape = { ...small, heads: 2, keyHeads: 1, queryRows: 4096, keyRows: 2048, dim: 64, valueDim: 64 };
    const rng = createRng(5);
    const rows = sampleIndices(4096, 4096, rng);
    const keys = sampleIndices(2048, 2048, rng);
    const plan = (first: number, end: number): AttentionTiles => {
      const starts = (step: number) => Uint32Array.from({ length: end - first + 1 }, (_, i) => i * step);
      return {
        ...{
          heads: new Uint32Array(end - first).fill(1),
          rowStart: starts(16),
          segmentStart: starts(1),
          keys,
        },
        rows: rows.subarray(16 * first, 16 * end),
        keyStart: new Uint32Array(end - first),
        keyEnd: new Uint32Array(end - first).fill(2048),
        logWeights: new Float32Array(end - first),
      };
    };
    for (const { kernels } of backends) {
      const logits = { ...logitsOf(shape), causalOffset: -900 };
      const whole = taskOf({ ...logits, tiles: plan(0, 256) });
      await kernels.attention(whole);
      const halves = taskOf({ ...logits, tiles: plan(0, 100) });
      await kernels.attention(halves);
      await kernels.attention({ ...halves, merge: true, tiles: plan(100, 256) });
      assert.deepEqual([whole.out, whole.lse], [halves.out, halves.lse]);
      // The first head has no tiles.
      assert.ok(whole.lse.subarray(0, 4096).every((lse) => lse === -Infinity));
      assert.ok(whole.out.subarray(0, 4096 * 64).every((x) => x === 0));
      assert.ok(whole.out.subarray(4096 * 64).some((x) => x !== 0));
    }
  });
});
