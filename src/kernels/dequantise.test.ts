import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dequantise, weightBytes } from './dequantise.ts';
import { WEIGHT_FORMATS, type WeightFormat } from './weight-formats.ts';

const formats = Object.keys(WEIGHT_FORMATS) as WeightFormat[];
const golden = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../test/golden/weights/${name}`, import.meta.url)));

describe('dequantise', () => {
  for (const format of formats) {
    it(`gives the same bits as the gguf package for ${format}`, () => {
      const blocks = golden(`${format}.bin`);
      const expected = new Float32Array(golden(`${format}.f32`).buffer);
      assert.ok(expected.length >= 64 && new Set(expected).size > 15, 'the golden file says something');
      assert.deepEqual(dequantise(format, blocks), expected);
    });

    it(`reads ${format} at any alignment, block by block, into a part of an array`, () => {
      const blocks = golden(`${format}.bin`);
      const { entries, bytes } = WEIGHT_FORMATS[format];
      const whole = dequantise(format, blocks);
      const shifted = new Uint8Array(blocks.length + 3);
      shifted.set(blocks, 3);
      const out = new Float32Array(whole.length + 2).fill(7);
      for (let i = 0; i < blocks.length / bytes; i++) {
        const block = shifted.subarray(3 + i * bytes, 3 + (i + 1) * bytes);
        dequantise(format, block, out.subarray(1 + i * entries, 1 + (i + 1) * entries));
      }
      assert.deepEqual(out, Float32Array.of(7, ...whole, 7));
    });

    it(`depends on every byte of ${format}`, () => {
      const blocks = golden(`${format}.bin`);
      const plain = dequantise(format, blocks);
      for (let i = 0; i < blocks.length; i++) {
        const changed = blocks.slice();
        changed[i] ^= 0x55;
        assert.notDeepEqual(dequantise(format, changed), plain, `byte ${i}`);
      }
    });
  }

  it('refuses bytes that are no whole blocks, and an array of another length', () => {
    for (const format of formats) {
      const { bytes, entries } = WEIGHT_FORMATS[format];
      assert.throws(() => dequantise(format, new Uint8Array(2 * bytes - 1)), { code: 'SHAPE' });
      assert.throws(() => dequantise(format, new Uint8Array(bytes), new Float32Array(entries + 1)), {
        code: 'SHAPE',
        message: new RegExp(`bytes of ${format}.*expected those of ${entries + 1} entries`),
      });
      assert.equal(dequantise(format, new Uint8Array(0)).length, 0);
    }
  });
});

describe('weightBytes', () => {
  it('counts whole blocks, and refuses rows that end within one', () => {
    const size = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(fc.constantFrom(...formats), size, size, fc.nat(255), (format, rows, blocks, rest) => {
        const { entries, bytes } = WEIGHT_FORMATS[format];
        assert.equal(weightBytes(format, rows, blocks * entries), rows * blocks * bytes);
        if (rest % entries !== 0) {
          assert.throws(() => weightBytes(format, rows, blocks * entries + rest), {
            code: 'INVALID_ARGUMENT',
            message: /expected a multiple of/,
          });
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
