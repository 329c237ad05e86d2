import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { allKernels } from '../../test/each-backend.ts';
import { bytesOfRow, dequantise } from './dequantise.ts';
import { WEIGHT_FORMATS, type WeightFormat } from './weight-formats.ts';

type Golden = Partial<Record<WeightFormat, { blocks: string; floats: string }>>;

// By the PyPI package gguf; the command is in test/golden/README.md.
const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/weight-blocks.json', import.meta.url), 'utf8'),
) as Golden;

/** Bytes at an even place that is no multiple of 4. */
function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(2 + hex.length / 2).subarray(2);
  bytes.set(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
  return bytes;
}

function floatsOf(hex: string): Float32Array {
  return new Float32Array(bytesOf(hex).slice().buffer);
}

const formats = Object.keys(golden) as WeightFormat[];

describe('dequantise', () => {
  it('gives what the reference implementation of GGUF gives, bit for bit', () => {
    assert.equal(formats.length, Object.keys(WEIGHT_FORMATS).length - 1); // all but F32
    for (const format of formats) {
      const { blocks, floats } = golden[format]!;
      const expected = floatsOf(floats);
      const out = new Float32Array(expected.length);
      dequantise(format, bytesOf(blocks), 0, expected.length, out);
      assert.deepEqual(out, expected, format);
    }
  });

  it('reads float32 at any byte', () => {
    const values = Float32Array.of(1.5, -0, Number.NaN, 1e-40, -Infinity);
    const bytes = new Uint8Array(21);
    bytes.set(new Uint8Array(values.buffer), 1);
    const out = new Float32Array(7).fill(9);
    dequantise('F32', bytes, 1, 5, out, 1);
    assert.deepEqual(out, Float32Array.of(9, ...values, 9));
  });
});

for (const { name, kernels } of await allKernels()) {
  describe(`dequantiseRows, ${name}`, () => {
    it('looks rows up in any order, the same bits as the reference', async () => {
      for (const format of formats) {
        const data = bytesOf(golden[format]!.blocks);
        const { entries } = WEIGHT_FORMATS[format];
        const cols = entries === 1 ? 3 : entries;
        const storedRows = data.length / bytesOfRow(format, cols);
        const rows = Uint32Array.from({ length: 300 }, (_, i) => (i * 7) % storedRows);
        const out = new Float32Array(rows.length * cols);
        await kernels.dequantiseRows({ format, data, storedRows, cols, rows, out });
        const all = floatsOf(golden[format]!.floats);
        rows.forEach((row, i) => {
          assert.deepEqual(
            out.subarray(i * cols, (i + 1) * cols),
            all.subarray(row * cols, (row + 1) * cols),
            format,
          );
        });
      }
    });

    it('takes no rows, and refuses rows that are not there and columns that are no blocks', async () => {
      const stored = { format: 'Q4_0', data: new Uint8Array(36), storedRows: 2, cols: 32 } as const;
      const out = new Float32Array(32);
      await kernels.dequantiseRows({ ...stored, rows: new Uint32Array(0), out });
      await assert.rejects(kernels.dequantiseRows({ ...stored, rows: Uint32Array.of(2), out }), {
        code: 'INVALID_ARGUMENT',
        message: /rows\[0\] is 2; expected less than 2/,
      });
      await assert.rejects(kernels.dequantiseRows({ ...stored, cols: 33, rows: Uint32Array.of(0), out }), {
        code: 'SHAPE',
        message: /multiple of 32, the entries of a block of Q4_0/,
      });
      await assert.rejects(
        kernels.dequantiseRows({ ...stored, storedRows: 3, rows: Uint32Array.of(0), out }),
        {
          code: 'SHAPE',
        },
      );
    });
  });
}
