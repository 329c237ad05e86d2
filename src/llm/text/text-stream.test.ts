import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createTextStream } from './text-stream.ts';

/** Tokens are single bytes: the hardest cut there is. */
const byteStream = (dropFirstSpace = false) =>
  createTextStream({ bytesOf: (id) => Uint8Array.of(id), dropFirstSpace });

describe('createTextStream', () => {
  it('gives out whole characters only, and all of them', () => {
    const property = fc.property(fc.string({ unit: 'binary' }), (text) => {
      const stream = byteStream();
      const pieces = Array.from(new TextEncoder().encode(text), (byte) => stream.push(byte));
      assert.ok(pieces.every((piece) => piece.isWellFormed() && [...piece].length <= 1));
      assert.equal(pieces.join('') + stream.end(), text.toWellFormed());
    });
    fc.assert(property, { seed: 6, numRuns: 300 });
  });

  it('marks a character that never came whole, and starts anew', () => {
    const stream = byteStream();
    assert.equal(stream.push(0xf0) + stream.push(0x9f), '');
    assert.equal(stream.end(), '\ufffd');
    assert.equal(stream.push(0x41) + stream.end(), 'A');
  });

  it('keeps a byte order mark', () => {
    const stream = byteStream();
    assert.equal([0xef, 0xbb, 0xbf].map((byte) => stream.push(byte)).join(''), '\ufeff');
  });

  it('drops one space, at the start only', () => {
    const stream = byteStream(true);
    assert.equal([0x20, 0x20, 0x41, 0x20].map((byte) => stream.push(byte)).join(''), ' A ');
  });
});
