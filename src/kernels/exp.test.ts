import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels, offsetView } from '../../test/each-backend.ts';

/** Size of one unit in the last place at the float nearest to |y|. */
function ulpOf(y: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(y))) - 23);
}

for (const { name, kernels } of await allKernels()) {
  describe(`exp, ${name}`, () => {
    it('is within 2 units in the last place wherever the result is normal', async () => {
      // Every 1000th or so float of [−87.33, 88.72], tiny ones included.
      const x: number[] = [];
      for (let bits = 0; bits < 0x42b17218; bits += 997) {
        const size = new Float32Array(Uint32Array.of(bits).buffer)[0];
        x.push(size);
        if (size < 87.33) x.push(-size);
      }
      const input = offsetView(Float32Array.from(x));
      const out = offsetView(new Float32Array(input.length));
      await kernels.exp({ x: input, out });
      let worst = 0;
      for (let i = 0; i < input.length; i++) {
        const exact = Math.exp(input[i]);
        worst = Math.max(worst, Math.abs(out[i] - exact) / ulpOf(exact));
      }
      assert.ok(worst <= 2, `${worst} units in the last place`);
    });

    it('ends in 0, infinity and NaN where it should', async () => {
      const x = Float32Array.of(-Infinity, -1e30, -104, -87.5, 88.73, 1e30, Infinity, Number.NaN, 0, -0);
      const out = new Float32Array(x.length);
      await kernels.exp({ x, out });
      assert.deepEqual([...out], [0, 0, 0, 0, Infinity, Infinity, Infinity, Number.NaN, 1, 1]);
      const zeros = new Float32Array(100);
      await kernels.exp({ x: zeros, out: zeros });
      assert.deepEqual(new Set(zeros), new Set([1]));
    });
  });
}
