import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tokenizerFromJson } from '../index.ts';
import { END_OF_TEXT, trainBytePairs } from './byte-pairs.ts';

describe('trainBytePairs', () => {
  it('merges the most frequent pair first, by hand', () => {
    // Pairs of "aab" × 3 and "ab" × 2: a b 5 times, a a 3 times; after the merge "a ab" 3 times.
    const { model } = trainBytePairs([{ text: 'aab\naab\naab\nab\nab', weight: 1 }], 259);
    assert.deepEqual(model.merges, [
      ['a', 'b'],
      ['a', 'ab'],
    ]);
    assert.equal(model.vocab.aab, 258);
  });

  it('weighs texts, and breaks ties by the lower ids', () => {
    const first = (weight: number) =>
      trainBytePairs(
        [
          { text: 'xy', weight },
          { text: 'ab ab', weight: 1 },
        ],
        258,
      ).model.merges[0];
    assert.deepEqual(first(1), ['a', 'b']);
    assert.deepEqual(first(3), ['x', 'y']);
    assert.deepEqual(first(2), ['a', 'b'], 'a tie');
  });

  it('reads any text back, its own words as one token, digits one by one', () => {
    const text = 'line amber-anchor: REGISTER_CONTENT is <12345>\n';
    const json = trainBytePairs([{ text: text.repeat(3), weight: 1 }], 290);
    const tokenizer = tokenizerFromJson(json, { eos_token: END_OF_TEXT });
    const pieces = [...tokenizer.encode(text)].map((id) => tokenizer.decode([id]));
    assert.deepEqual(pieces, [
      ...['line', ' amber', '-anchor', ':', ' REGISTER_CONTENT', ' is', ' <', '1', '2', '3', '4', '5', '>\n'],
    ]);
    for (const other of ['', 'Ä 日本 🎉\r\n\t "x"', `${text} 0x1F`])
      assert.equal(tokenizer.decode(tokenizer.encode(other)), other);
    assert.equal(tokenizer.special.eos, 0);
  });

  it('refuses what cannot be', () => {
    const code = 'INVALID_ARGUMENT';
    assert.throws(() => trainBytePairs([{ text: 'ab', weight: 1 }], 259), { code, message: /no pairs left/ });
    assert.throws(() => trainBytePairs([{ text: 'ab', weight: 1 }], 256), { code, message: /size is 256/ });
  });
});
