import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../core/rng.ts';
import { fromHalf, halfToNumber, putHalf, toHalf } from './half.ts';

const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

for (const storage of ['float16', 'bfloat16'] as const) {
  const infinity = storage === 'float16' ? 0x7c00 : 0x7f80;

  describe(`halves: ${storage}`, () => {
    it('come back as the bits they were', () => {
      const numbers = fromHalf(all, storage);
      const bits = toHalf(numbers, storage);
      for (const half of all) {
        if ((half & 0x7fff) > infinity)
          assert.ok(Number.isNaN(numbers[half]) && (bits[half] & 0x7fff) > infinity);
        else assert.equal(bits[half], half);
      }
      // Numbers rise with their bits.
      for (let half = 1; half <= infinity; half++) assert.ok(numbers[half] > numbers[half - 1]);
      assert.deepEqual([numbers[infinity], numbers[infinity | 0x8000]], [Infinity, -Infinity]);
      const one = storage === 'float16' ? 0x3c00 : 0x3f80;
      assert.deepEqual(
        [numbers[one], numbers[1], numbers[0x8000]],
        [1, storage === 'float16' ? 2 ** -24 : 2 ** -133, -0],
      );
    });

    it('are the nearest to a number, of two as near the even one', () => {
      const rng = createRng(1);
      const words = Uint32Array.from({ length: 50_000 }, () => rng.integer(2 ** 32));
      const floats = [...new Float32Array(words.buffer)].filter(Number.isFinite);
      // Halfway between two halves, where float32 has it, and just beside.
      for (let i = 0; i < 5000; i++) {
        const half = rng.integer(infinity - 1);
        const middle = (halfToNumber(half, storage) + halfToNumber(half + 1, storage)) / 2;
        floats.push(middle, middle * (1 + 2 ** -20), -middle * (1 - 2 ** -20));
      }
      const values = Float32Array.from(floats);
      const bits = toHalf(values, storage);
      // Beyond the largest one the next would be at a unit's distance, and stands for infinity.
      const largest = halfToNumber(infinity - 1, storage);
      const beyond = 2 * largest - halfToNumber(infinity - 2, storage);
      const sizeOf = (half: number) => (half === infinity ? beyond : halfToNumber(half, storage));
      values.forEach((value, i) => {
        const half = bits[i] & 0x7fff;
        const size = Math.abs(value);
        assert.equal(bits[i] >> 15, value < 0 || Object.is(value, -0) ? 1 : 0);
        if (half === infinity && size >= beyond) return;
        const off = Math.abs(size - sizeOf(half));
        for (const other of [half - 1, half + 1]) {
          if (other < 0 || other > infinity) continue;
          const theirs = Math.abs(size - sizeOf(other));
          assert.ok(off < theirs || (off === theirs && half % 2 === 0), `${value}: ${half}, not ${other}`);
        }
      });
      const shifted = new Uint16Array(values.length + 3);
      putHalf(values, shifted, 3, storage);
      assert.deepEqual(shifted.subarray(3), bits);
    });
  });
}
