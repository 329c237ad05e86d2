import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { dequantise } from './dequantise.ts';
import { WEIGHT_FORMATS, type WeightFormat } from './weight-formats.ts';

const formats = Object.keys(WEIGHT_FORMATS) as WeightFormat[];
const golden = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../test/golden/weights/${name}`, import.meta.url)));

function numbersOf(format: WeightFormat, blocks: Uint8Array): Float32Array {
  const { entries, bytes } = WEIGHT_FORMATS[format];
  const numbers = new Float32Array((blocks.length / bytes) * entries);
  dequantise(format, blocks, 0, numbers.length, numbers);
  return numbers;
}

describe('blocks of weights', () => {
  for (const format of formats) {
    it(`gives the same bits as the gguf package for ${format}`, () => {
      const blocks = golden(`${format}.bin`);
      const expected = new Float32Array(golden(`${format}.f32`).buffer);
      assert.ok(expected.length >= 64 && new Set(expected).size > 15, 'the golden file says something');
      assert.deepEqual(numbersOf(format, blocks), expected);
    });

    it(`reads ${format} at any alignment, block by block, into a part of an array`, () => {
      const blocks = golden(`${format}.bin`);
      const { entries, bytes } = WEIGHT_FORMATS[format];
      const whole = numbersOf(format, blocks);
      const shifted = new Uint8Array(blocks.length + 3);
      shifted.set(blocks, 3);
      const out = new Float32Array(whole.length + 2).fill(7);
      for (let i = 0; i < blocks.length / bytes; i++) {
        dequantise(format, shifted, 3 + i * bytes, entries, out, 1 + i * entries);
      }
      assert.deepEqual(out, Float32Array.of(7, ...whole, 7));
    });

    it(`depends on every byte of ${format}`, () => {
      const blocks = golden(`${format}.bin`);
      const plain = numbersOf(format, blocks);
      for (let i = 0; i < blocks.length; i++) {
        const changed = blocks.slice();
        changed[i] ^= 0x55;
        assert.notDeepEqual(numbersOf(format, changed), plain, `byte ${i}`);
      }
    });
  }
});
