import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parsePixelRows } from './pixel-rows.ts';

const encode = (text: string) => new TextEncoder().encode(text);

describe('parsePixelRows', () => {
  it('agrees with JSON.parse, with and without white space', () => {
    const rows = fc.array(fc.array(fc.nat(255), { minLength: 3, maxLength: 3 }), { maxLength: 6 });
    const property = fc.property(rows, fc.constantFrom(0, 2), (data, indent) => {
      const text = JSON.stringify({ data }, null, indent);
      assert.deepEqual([...parsePixelRows(encode(text), 3)], data.flat());
    });
    fc.assert(property, { seed: 1, numRuns: 200 });
  });

  it('skips empty rows wherever they are', () => {
    assert.deepEqual([...parsePixelRows(encode('{"data":[[],[1,2],[],[3,4],[]]}'), 2)], [1, 2, 3, 4]);
  });

  it('names the fault', () => {
    const cases: [string, RegExp][] = [
      ['{"data":[[1,256]]}', /entry 1 of row 0 is 256/],
      ['{"data":[[1,2],[3]]}', /row 1 has 1 entries/],
      ['{"data":[[1,2.5]]}', /unexpected "\." at byte 13/],
      ['{"data":[[1,-2]]}', /unexpected "-"/],
      ['{"data":[[1 2]]}', /unexpected "2"/],
      ['{"data":[[1,2]', /ends too early/],
      ['{}', /holds no array/],
    ];
    for (const [text, message] of cases) {
      assert.throws(() => parsePixelRows(encode(text), 2), { code: 'DATA', message });
    }
  });
});
