import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BpeModel } from './bpe-model.ts';
import { mergesOfScores } from './score-merges.ts';

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

/** Tokens of a text by their spelling; "?" for what cannot be spelled. */
function spell(text: string, tokens: readonly (readonly [string, number])[]): string[] {
  const ids = new Map(tokens.map(([token], id) => [token, id]));
  const scores = tokens.map(([, score]) => score);
  const options = { ignoreMerges: false, byteFallback: true, unknown: tokens.length, fuseUnknown: true };
  const out: number[] = [];
  new BpeModel(ids, mergesOfScores(ids, scores), options).encode(text, out);
  return out.map((id) => tokens[id]?.[0] ?? '?');
}

describe('mergesOfScores', () => {
  const some = fc.constantFrom('a', 'b', '😀');
  const vocabulary = fc.uniqueArray(
    fc.tuple(fc.string({ unit: some, minLength: 2, maxLength: 5 }), fc.integer({ min: -3, max: 0 })),
    { selector: ([token]) => token, maxLength: 25 },
  );
  const characters: [string, number][] = [
    ['a', 0],
    ['b', 0],
    ['😀', 0],
  ];

  // Words are merged by one way up to 24 characters, by another above.
  for (const [name, minLength, maxLength] of [
    ['short', 1, 24],
    ['long', 25, 120],
  ] as const) {
    it(`merges by score, and from the left where scores are equal, in ${name} texts`, () => {
      const text = fc.string({ unit: some, minLength, maxLength });
      const property = fc.property(vocabulary, text, (entries, sample) => {
        assert.deepEqual(spell(sample, [...characters, ...entries]), oracle(sample, new Map(entries)));
      });
      fc.assert(property, { seed: 5, numRuns: 500 });
    });
  }

  it('merges characters that are no tokens themselves, and spells the rest as unknown', () => {
    assert.deepEqual(spell('xyzz', [['xy', 0]]), ['xy', '?']);
  });

  it('never merges into the spelling of a byte', () => {
    const tokens = ['<0', '<0x', '<0x0', '<0x0A', '<0x0A>'].map((token) => [token, 0] as const);
    assert.deepEqual(spell('<0x0A>', tokens), ['<0x0A', '?']);
  });
});
