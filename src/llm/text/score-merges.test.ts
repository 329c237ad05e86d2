import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createScoreEncoder } from './score-merges.ts';

/** SentencePiece BPE as its definition reads: merge the best pair, of equal ones the leftmost, until none is a token. */
function oracle(text: string, scores: Map<string, number>): string[] {
  const symbols = [...text];
  for (;;) {
    let best = -1;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const score = scores.get(symbols[i] + symbols[i + 1]);
      if (score !== undefined && (best < 0 || score > scores.get(symbols[best] + symbols[best + 1])!))
        best = i;
    }
    if (best < 0) return symbols;
    symbols.splice(best, 2, symbols[best] + symbols[best + 1]);
  }
}

describe('createScoreEncoder', () => {
  it('merges by score, and from the left where scores are equal', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '😀'), minLength: 2, maxLength: 5 });
    const vocabulary = fc.uniqueArray(fc.tuple(letters, fc.integer({ min: -3, max: 0 })), {
      selector: ([token]) => token,
      maxLength: 25,
    });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '😀'), minLength: 1, maxLength: 30 });
    const property = fc.property(vocabulary, text, (entries, sample) => {
      const tokens: [string, number][] = [['a', 0], ['b', 0], ['😀', 0], ...entries];
      const index = Object.fromEntries(tokens.map(([token], id) => [token, id]));
      const encoder = createScoreEncoder(
        index,
        tokens.map(([, score]) => score),
        { addSpace: false, unknown: '?' },
      );
      assert.deepEqual(encoder.encode(sample, 0), oracle(sample, new Map(entries)));
    });
    fc.assert(property, { seed: 5, numRuns: 1000 });
  });

  it('merges characters that are no tokens themselves, and spells the rest as unknown', () => {
    const encoder = createScoreEncoder({ xy: 0 }, [0], { addSpace: false, unknown: '<unk>' });
    assert.deepEqual(encoder.encode('xyzz', 0), ['xy', '<unk>']);
  });

  it('never merges into the spelling of a byte', () => {
    const index = Object.fromEntries(
      ['<0', '<0x', '<0x0', '<0x0A', '<0x0A>'].map((token, id) => [token, id]),
    );
    const encoder = createScoreEncoder(index, [0, 0, 0, 0, 0], { addSpace: false, unknown: '<unk>' });
    assert.deepEqual(encoder.encode('<0x0A>', 0), ['<0x0A', '<unk>']);
  });
});
