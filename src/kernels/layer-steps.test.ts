import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels, offsetView, randomFloats } from '../../test/each-backend.ts';
import { llmReference } from './llm-reference.ts';
import { rotaryTable } from './rotary-table.ts';

const U = 2 ** -24;

/** Entries agree within `ulps` · 2⁻²⁴ of `sizes` (default: of themselves). */
function assertNear(
  actual: Float32Array,
  expected: Float32Array,
  ulps: number,
  sizes: ArrayLike<number> = expected,
): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    const same = Object.is(value, expected[i]) || value === expected[i];
    const near = Math.abs(value - expected[i]) <= ulps * U * Math.abs(sizes[i]);
    assert.ok(same || near, `entry ${i} is ${value}; expected ${expected[i]}`);
  });
}

for (const { name, kernels } of await allKernels()) {
  describe(`steps of a layer, ${name}`, () => {
    it('rmsNorm: any shape, with and without weight, in place', async () => {
      for (const [rows, cols] of [
        [0, 5],
        [1, 1],
        [3, 64],
        [2, 31],
        [5, 576],
        [40, 577],
      ]) {
        const x = offsetView(randomFloats(rows * cols, cols).map((value) => 100 * value));
        for (const weight of [undefined, offsetView(randomFloats(cols, 3))]) {
          const task = { x, rows, cols, weight, epsilon: 1e-5 };
          const expected = { ...task, out: new Float32Array(rows * cols) };
          await llmReference.rmsNorm(expected);
          const out = offsetView(new Float32Array(rows * cols));
          await kernels.rmsNorm({ ...task, out });
          assertNear(out, expected.out, 4);
          const own = x.slice();
          await kernels.rmsNorm({ ...task, x: own, out: own });
          assert.deepEqual(own, out.slice());
        }
      }
      // Squares of 1e30 are beyond float32.
      const out = new Float32Array(20);
      await kernels.rmsNorm({ x: new Float32Array(20).fill(1e30), rows: 1, cols: 20, epsilon: 0, out });
      assertNear(out, new Float32Array(20).fill(1), 4);
    });

    it('rotary: both pairings, some of the entries, turned back by the opposite angle', async () => {
      for (const pairing of ['interleaved', 'halves'] as const)
        for (const [rows, heads, dim, pairs] of [
          [0, 1, 4, 2],
          [1, 1, 2, 1],
          [3, 2, 64, 32],
          [2, 3, 81, 40],
          [5, 2, 40, 9],
          [2, 2, 6, 0],
        ]) {
          const frequencies = Float64Array.from({ length: pairs }, (_, i) => 10_000 ** (-i / pairs));
          const table = rotaryTable(
            Array.from({ length: rows }, (_, row) => 7 * row + 1),
            frequencies,
          );
          const task = { rows, heads, dim, pairs, pairing, ...table };
          const x = randomFloats(rows * heads * dim, dim);
          const [expected, turned] = [x.slice(), offsetView(x)];
          await llmReference.rotary({ ...task, x: expected });
          await kernels.rotary({ ...task, x: turned });
          assertNear(turned, expected, 4, new Float32Array(x.length).fill(1));
          await kernels.rotary({ ...task, x: turned, sin: table.sin.map((s) => -s) });
          assertNear(turned, x, 16, new Float32Array(x.length).fill(1));
        }
    });

    it('siluProduct and add: any length, in place, with values that are not finite', async () => {
      for (const length of [0, 1, 15, 16, 17, 1536, 20_000]) {
        const gate = offsetView(randomFloats(length, 1).map((value) => 30 * value));
        const up = offsetView(randomFloats(length, 2));
        const expected = new Float32Array(length);
        await llmReference.siluProduct({ gate, up, out: expected });
        const out = gate.slice();
        await kernels.siluProduct({ gate: out, up, out });
        assertNear(out, expected, 6);
        const sums = up.slice();
        await kernels.add({ x: gate, out: sums });
        assert.deepEqual(
          sums,
          up.map((value, i) => value + gate[i]),
        );
      }
      const gate = Float32Array.of(Infinity, -200, Number.NaN, 0);
      const out = new Float32Array(4);
      await kernels.siluProduct({ gate, up: Float32Array.of(2, 2, 2, Infinity), out });
      assert.deepEqual([...out].map(Math.abs), [Infinity, 0, Number.NaN, Number.NaN]);
    });

    it('prepare: many steps in one call, reading at each run what arrays hold', async () => {
      const cols = 64;
      const data = new Uint8Array(68 * 40).map((_, i) => (i % 34 < 2 ? 0x2c : i * 37));
      const stored = { format: 'Q8_0', data } as const;
      const rows = Uint32Array.of(0);
      const [x, normed, y] = [new Float32Array(cols), new Float32Array(cols), new Float32Array(40)];
      const lengths = Uint32Array.of(2);
      const cache = randomFloats(3 * 40, 4);
      const [out, lse] = [new Float32Array(40), new Float64Array(1)];
      const shape = { heads: 1, keyHeads: 1, capacity: 3, dim: 40, valueDim: 40, scale: 1 };
      const linear = { x: normed, rows: 1, cols, weights: [{ ...stored, outputs: 40, y }] };
      const norm = { x, rows: 1, cols, epsilon: 1e-6, out: normed };
      const table = rotaryTable([3], [1, 0.1]);
      const turn = { x: y, rows: 1, heads: 1, dim: 40, pairs: 2, pairing: 'halves', ...table } as const;
      const look = { ...shape, queries: y, keys: cache, values: cache, lengths, out, lse };
      const lookUp = { ...stored, storedRows: 40, cols, rows, out: x };
      const prepared = kernels.prepare([
        { kernel: 'dequantiseRows', task: lookUp },
        { kernel: 'add', task: { x: new Float32Array(cols).fill(0.5), out: x } },
        { kernel: 'rmsNorm', task: norm },
        { kernel: 'linear', task: linear },
        { kernel: 'rotary', task: turn },
        { kernel: 'siluProduct', task: { gate: y, up: y, out: y } },
        { kernel: 'decode', task: look },
      ]);
      for (const row of [0, 39, 7]) {
        rows[0] = row;
        lengths[0] = (row % 3) + 1;
        rotaryTable([row], [1, 0.1], table);
        await prepared.run();
        const together = [x, normed, y, out].map((array) => array.slice());
        await kernels.dequantiseRows(lookUp);
        await kernels.add({ x: new Float32Array(cols).fill(0.5), out: x });
        await kernels.rmsNorm(norm);
        await kernels.linear(linear);
        await kernels.rotary(turn);
        await kernels.siluProduct({ gate: y, up: y, out: y });
        await kernels.decode(look);
        assert.deepEqual(together, [x, normed, y, out]);
        assert.ok(out.some((value) => value !== 0));
      }
    });

    it('prepare: refuses at once what is wrong, and at a run what has become so', async () => {
      const x = new Float32Array(4);
      const out = new Float32Array(4);
      const norm = { kernel: 'rmsNorm', task: { x, rows: 1, cols: 4, epsilon: 0, out } } as const;
      assert.throws(() => kernels.prepare([norm, { kernel: 'add', task: { x, out: new Float32Array(3) } }]), {
        code: 'SHAPE',
        message: /add: out has length 3/,
      });
      assert.throws(() => kernels.prepare([{ kernel: 'gemm', task: {} } as never]), {
        code: 'INVALID_ARGUMENT',
      });
      const rows = Uint32Array.of(1);
      const stored = { format: 'F32', data: new Uint8Array(32), storedRows: 2, cols: 4, rows, out } as const;
      const prepared = kernels.prepare([{ kernel: 'dequantiseRows', task: stored }, norm]);
      await prepared.run();
      rows[0] = 2;
      await assert.rejects(prepared.run(), { code: 'INVALID_ARGUMENT', message: /rows\[0\] is 2/ });
      rows[0] = 0;
      structuredClone(x.buffer, { transfer: [x.buffer] });
      await assert.rejects(prepared.run(), { code: 'SHAPE', message: /Prepare again/ });
    });
  });
}

describe('rotaryTable', () => {
  it('has cosine and sine of position times frequency, scaled, in the arrays given', () => {
    const into = { cos: new Float32Array(5).fill(9), sin: new Float32Array(5).fill(9) };
    const table = rotaryTable([0, 100_000], [1, 0.25], into, 2);
    assert.equal(table.cos, into.cos);
    const angles = [0, 0, 100_000, 25_000];
    assert.deepEqual(into.cos, Float32Array.of(...angles.map((a) => 2 * Math.cos(a)), 9));
    assert.deepEqual(into.sin, Float32Array.of(...angles.map((a) => 2 * Math.sin(a)), 9));
  });
});
