import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matrixSource, type RowSource } from '../core/matrix.ts';
import { decodeElements } from './element-type.ts';
import { npySource, readNpy, writeNpy } from './npy.ts';
import { temporaryDirectory } from './temporary.ts';

// NumPy 2.4: m = numpy.arange(6).reshape(2, 3) - 1.5, written by numpy.lib.format.write_array(file, array, version)
const GOLDEN: Record<string, { base64: string; scale: number }> = {
  'float64, version 1': {
    base64:
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4vwAAAAAAAOC/AAAAAAAA4D8AAAAAAAD4PwAAAAAAAARAAAAAAAAADEA=',
    scale: 1,
  },
  'big-endian float32, Fortran order, version 2': {
    base64:
      'k05VTVBZAgB0AAAAeydkZXNjcic6ICc+ZjQnLCAnZm9ydHJhbl9vcmRlcic6IFRydWUsICdzaGFwZSc6ICgyLCAzKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAq/wAAAP8AAAL8AAABAIAAAPwAAAEBgAAA=',
    scale: 1,
  },
  'float16, version 3': {
    base64:
      'k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjInLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAvgC4ADgAPgBBAEM=',
    scale: 1,
  },
  'big-endian int16': {
    base64:
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAr//f//AAEAAwAFAAc=',
    scale: 2,
  },
  int64: {
    base64:
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAr9////////////////////AQAAAAAAAAADAAAAAAAAAAUAAAAAAAAABwAAAAAAAAA=',
    scale: 2,
  },
};
const m = [-1.5, -0.5, 0.5, 1.5, 2.5, 3.5];

async function valuesOf(source: RowSource, maxRows?: number): Promise<number[]> {
  const values: number[] = [];
  for await (const { start, points } of source.blocks(maxRows)) {
    assert.equal(start * source.cols, values.length);
    values.push(...points.data);
  }
  return values;
}

describe('npySource', () => {
  for (const [name, { base64, scale }] of Object.entries(GOLDEN)) {
    it(`reads ${name}, as NumPy writes it`, async () => {
      await using directory = await temporaryDirectory();
      const path = join(directory.path, 'm.npy');
      await writeFile(path, Buffer.from(base64, 'base64'));
      const source = await npySource(path);
      assert.deepEqual([source.rows, source.cols], [2, 3]);
      const expected = m.map((x) => x * scale);
      for (const size of [1, 2, 10, undefined]) assert.deepEqual(await valuesOf(source, size), expected);
    });
  }

  it('reads what writeNpy wrote, in any blocks and both orders', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'm.npy');
    const shapes = fc.tuple(
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 7 }),
    );
    const property = fc.asyncProperty(shapes, async ([rows, cols, size]) => {
      const data = Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i));
      await writeNpy(path, matrixSource({ data, rows, cols }));
      const source = await npySource(path);
      assert.deepEqual([source.rows, source.cols], [rows, cols]);
      assert.deepEqual(await valuesOf(source, size), [...data]);
      // The transpose in Fortran order has the same bytes.
      const bytes = await readFile(path);
      const text = bytes
        .toString('latin1')
        .replace('False,', 'True, ')
        .replace(`(${rows}, ${cols})`, `(${cols}, ${rows})`);
      await writeFile(path, Buffer.from(text, 'latin1'));
      const transposed = Float32Array.from(data, (_, i) => data[(i % rows) * cols + Math.floor(i / rows)]);
      assert.deepEqual(await valuesOf(await npySource(path), size), [...transposed]);
    });
    await fc.assert(property, { seed: 1, numRuns: 50 });
    assert.deepEqual(await readdir(directory.path), ['m.npy']);
  });

  it('names row and entry of what is not finite, also by rounding', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'm.npy');
    for (const value of [Number.NaN, -Infinity, 1e39]) {
      const data = new Float64Array(12);
      data[7] = value;
      await writeNpy(path, { data, rows: 4, cols: 3 });
      const source = await npySource(path);
      await assert.rejects(valuesOf(source, 2), {
        code: 'DATA',
        message: /is (NaN|-?Infinity) at row 2, entry 1/,
      });
    }
  });

  it('stops with the reason of the signal and reports its progress', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'm.npy');
    await writeNpy(path, { data: new Float32Array(30), rows: 10, cols: 3 });
    const controller = new AbortController();
    const done: number[] = [];
    const source = await npySource(path, { signal: controller.signal, onProgress: (p) => done.push(p.done) });
    await valuesOf(source, 4);
    assert.deepEqual(done, [4, 8, 10]);
    const reason = new Error('enough');
    controller.abort(reason);
    await assert.rejects(valuesOf(source), reason);
    await assert.rejects(writeNpy(path, Float32Array.of(1), { signal: controller.signal }), reason);
    assert.deepEqual(await readdir(directory.path), ['m.npy']);
  });

  it('leaves the old file and nothing else when a source fails half-way', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'm.npy');
    await writeNpy(path, Float32Array.of(1, 2));
    const broken: RowSource = {
      rows: 10,
      cols: 1,
      async *blocks() {
        yield { start: 0, points: { data: new Float32Array(5), rows: 5, cols: 1 } };
        throw new Error('disk on fire');
      },
    };
    await assert.rejects(writeNpy(path, broken), /disk on fire/);
    assert.deepEqual(await readdir(directory.path), ['m.npy']);
    assert.deepEqual((await readNpy(path)).data, Float64Array.of(1, 2));
  });

  it('says what is wrong with a file', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'm.npy');
    const whole = Buffer.from(GOLDEN['float64, version 1'].base64, 'base64');
    const header = (text: string) =>
      Buffer.concat([
        Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
        Buffer.from([text.length, 0]),
        Buffer.from(text),
      ]);
    const huge = Buffer.from(whole);
    huge.set([2, 0, 255, 255, 255, 255], 6);
    const future = Buffer.from(whole);
    future[6] = 9;
    const cases: [Buffer, string, RegExp][] = [
      [Buffer.from('PK\x03\x04 a zip, not an array'), 'DATA', /does not start as a \.npy file/],
      [Buffer.from('\x93NUM', 'latin1'), 'DATA', /does not start/],
      [Buffer.alloc(0), 'DATA', /is empty/],
      [huge, 'DATA', /header of 4294967295 bytes/],
      [future, 'UNSUPPORTED', /version 9/],
      [whole.subarray(0, whole.length - 1), 'DATA', /has 175 bytes; its header announces 176/],
      [whole.subarray(0, 60), 'DATA', /ends at byte 60/],
      [header('nonsense'), 'DATA', /no readable \.npy header/],
      [
        header("{'descr': '<c16', 'fortran_order': False, 'shape': (2,), }"),
        'UNSUPPORTED',
        /element type '<c16'/,
      ],
      [
        header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"),
        'UNSUPPORTED',
        /\[\('a', '<f4'\)\]/,
      ],
      [header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"), 'UNSUPPORTED', /'\|O'/],
      [
        header("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1, 0), }"),
        'UNSUPPORTED',
        /3 axes in Fortran order/,
      ],
    ];
    for (const [bytes, code, message] of cases) {
      await writeFile(path, bytes);
      await assert.rejects(npySource(path), { code, message });
    }
    await assert.rejects(npySource(join(directory.path, 'none.npy')), {
      code: 'DATA',
      message: /cannot be opened/,
    });
  });
});

describe('readNpy', () => {
  it('reads vectors and matrices as float64, NaN included', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'a.npy');
    const losses = Float64Array.of(0.1, Number.NaN, 1 / 3);
    await writeNpy(path, losses);
    assert.deepEqual(await readNpy(path), { data: losses, shape: [3] });
    const source = await npySource(path);
    assert.deepEqual([source.rows, source.cols], [3, 1]);
    await writeNpy(path, { data: Float32Array.of(1, 2, 3, 4), rows: 2, cols: 2 });
    assert.deepEqual(await readNpy(path), { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] });
    await writeFile(
      path,
      Buffer.from(GOLDEN['big-endian float32, Fortran order, version 2'].base64, 'base64'),
    );
    await assert.rejects(readNpy(path), { code: 'UNSUPPORTED', message: /Fortran order/ });
  });
});

describe('decodeElements', () => {
  it('decodes every kind of half-precision number', () => {
    // IEEE 754-2008 binary16: 1, −2, greatest, least normal, least subnormal, −0, ∞, NaN
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0x7e00);
    const out = new Float32Array(8);
    decodeElements(new Uint8Array(bits.buffer), 'f2', true, out);
    assert.deepEqual([...out], [1, -2, 65504, 2 ** -14, 2 ** -24, -0, Infinity, Number.NaN]);
    const brain = Uint16Array.of(0x3f80, 0xc040, 0x7f80); // the upper halves of 1, −3 and ∞ in float32
    const wide = new Float32Array(3);
    decodeElements(new Uint8Array(brain.buffer), 'bf2', true, wide);
    assert.deepEqual([...wide], [1, -3, Infinity]);
  });
});
