import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { encodeIdx, parseIdx, readIdx } from './idx.ts';

/** Header of an IDX file, then `values` as bytes. */
const file = (type: number, shape: number[], values: number[]) =>
  Uint8Array.from([0, 0, type, shape.length, ...shape.flatMap((n) => [0, 0, n >> 8, n & 255]), ...values]);

describe('parseIdx', () => {
  it('reads back what encodeIdx wrote, for any shape', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
    const property = fc.property(shapes, fc.nat(255), (shape, first) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const data = Uint8Array.from({ length: size }, (_, i) => first + 7 * i);
      assert.deepEqual(parseIdx(encodeIdx(shape, data)), { shape, data });
    });
    fc.assert(property, { seed: 1, numRuns: 200 });
  });

  it('reads every value type, big-endian', () => {
    const cases: [number, number[], number[]][] = [
      [8, [255], [255]],
      [9, [255], [-1]],
      [11, [1, 2, 255, 254], [258, -2]],
      [12, [0, 1, 0, 0], [65536]],
      [13, [0x3f, 0x80, 0, 0], [1]],
      [14, [0xc0, 0, 0, 0, 0, 0, 0, 0], [-2]],
    ];
    for (const [type, bytes, values] of cases) {
      assert.deepEqual([...parseIdx(file(type, [values.length], bytes)).data], values, `type ${type}`);
    }
  });

  it('reads a view that starts at an odd byte of its buffer', () => {
    const bytes = new Uint8Array([9, 9, 9, ...file(11, [1], [1, 0])]).subarray(3);
    assert.deepEqual([...parseIdx(bytes).data], [256]);
  });

  it('says what is wrong with a damaged file', () => {
    const whole = file(8, [2, 3], [1, 2, 3, 4, 5, 6]);
    const cases: [Uint8Array, RegExp][] = [
      [whole.subarray(0, 2), /has 2 bytes; expected a header/],
      [whole.subarray(0, 9), /ends inside its header of 12 bytes; expected 2 dimensions/],
      [whole.subarray(0, 17), /holds 5 bytes of values; expected 6 for shape 2 × 3/],
      [Uint8Array.from([...whole, 0]), /holds 7 bytes of values; expected 6/],
      [file(7, [1], [1]), /starts with 00 00 07 01; expected 00 00, a type/],
      [Uint8Array.from([1, 0, 8, 1, 0, 0, 0, 0]), /starts with 01 00 08 01/],
    ];
    for (const [bytes, message] of cases) {
      assert.throws(() => parseIdx(bytes, 'x'), { code: 'DATA', message });
    }
  });
});

describe('readIdx', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'provably-idx-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('reads plain and gzipped files alike', async () => {
    const bytes = encodeIdx([2, 2], Uint8Array.of(1, 2, 3, 4));
    await writeFile(join(folder, 'plain'), bytes);
    await writeFile(join(folder, 'packed'), gzipSync(bytes));
    const expected = { shape: [2, 2], data: Uint8Array.of(1, 2, 3, 4) };
    assert.deepEqual(await readIdx(join(folder, 'plain')), expected);
    assert.deepEqual(await readIdx(join(folder, 'packed')), expected);
  });

  it('refuses a missing file and a cut gzip, naming the path', async () => {
    const packed = gzipSync(encodeIdx([100], new Uint8Array(100)));
    await writeFile(join(folder, 'cut'), packed.subarray(0, packed.length - 12));
    await assert.rejects(readIdx(join(folder, 'cut')), {
      code: 'DATA',
      message: /cut.*expected an IDX file/,
    });
    await assert.rejects(readIdx(join(folder, 'none')), { code: 'DATA', message: /none.*ENOENT/ });
  });
});
