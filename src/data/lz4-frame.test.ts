import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decompressLz4Frame } from './lz4-frame.ts';

// Frames by hand, after the LZ4 frame format description 1.6: magic, flags 0x60 (version 1, independent blocks), block
// maximum 0x40, header checksum (not looked at), blocks, end mark. Whole files are read in table.test.ts.
const frame = (...blocks: number[][]) =>
  Uint8Array.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, ...blocks.flat(), 0, 0, 0, 0]);
const block = (...bytes: number[]) => [bytes.length, 0, 0, 0, ...bytes];
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const [a, b, c] = [97, 98, 99];

describe('decompressLz4Frame', () => {
  it('copies literals and repeats, overlapping and over long lengths', () => {
    assert.equal(text(decompressLz4Frame(frame(block(0x30, a, b, c)))), 'abc');
    // "abc", 3 back for 4 + 2, then the literal "a" at the end
    assert.equal(text(decompressLz4Frame(frame(block(0x32, a, b, c, 3, 0, 0x10, a)))), 'abcabcabca');
    // 1 literal, 1 back for 4 + 15 + 255 + 1: a length in three bytes
    assert.equal(
      text(decompressLz4Frame(frame(block(0x1f, a, 1, 0, 255, 1, 0x10, b)))),
      `${'a'.repeat(276)}b`,
    );
  });

  it('takes stored blocks, several blocks, and back references between them', () => {
    const stored = [3, 0, 0, 0x80, a, b, c];
    assert.equal(text(decompressLz4Frame(frame(stored, block(0x02, 3, 0, 0x10, a)))), 'abcabcabca');
  });

  it('refuses what is no whole frame', () => {
    const whole = frame(block(0x32, a, b, c, 3, 0, 0x10, a));
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => decompressLz4Frame(whole.subarray(0, length)), { code: 'DATA' }, `${length} bytes`);
    }
    assert.throws(() => decompressLz4Frame(frame(block(0x32, a, b, c, 4, 0, 0x10, a))), {
      code: 'DATA',
      message: /damaged/,
    });
    assert.throws(() => decompressLz4Frame(frame(block(0x32, a, b, c, 0, 0, 0x10, a))), { code: 'DATA' });
    assert.throws(() => decompressLz4Frame(frame(block(0xf0, 255))), { code: 'DATA', message: /cut off/ });
  });
});
