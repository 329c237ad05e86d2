import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { byteLevel } from '../../../test/golden-tokenizers.ts';
import { BpeModel } from './bpe-model.ts';
import { spelledMerge } from './pipeline-parts.ts';

const plain = { ignoreMerges: false, byteFallback: false, unknown: undefined, fuseUnknown: false };

function encode(model: BpeModel, word: string): number[] {
  const out: number[] = [];
  model.encode(word, out);
  return out;
}

describe('BpeModel', () => {
  it('gives the tokens that the library gives, for words of any length', () => {
    const vocab = Object.fromEntries(byteLevel.tokens.map((token, id) => [token, id]));
    const model = { type: 'BPE', vocab, merges: byteLevel.merges };
    const parts = {
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      added_tokens: [],
    };
    const library = new Tokenizer({ model, ...parts }, {});
    const ours = new BpeModel(new Map(Object.entries(vocab)), byteLevel.merges.map(spelledMerge), plain);
    const letters = fc.constantFrom(...'etaoinshrdlu', 'Ġ', 'Ċ', '1', 'ð', 'Ł', 'ĺ', 'Ģ');
    const property = fc.property(fc.string({ unit: letters, maxLength: 200 }), (word) => {
      const expected = library.tokenize(word).map((token: string) => vocab[token]);
      assert.deepEqual(encode(ours, word), expected);
      assert.deepEqual(encode(ours, word), expected); // a second time: from the cache, if it is short
    });
    fc.assert(property, { seed: 7, numRuns: 500 });
  });

  it('leaves out what it cannot spell, or marks it as unknown, once or each time', () => {
    const ids = new Map([
      ['a', 0],
      ['b', 1],
    ]);
    assert.deepEqual(encode(new BpeModel(ids, [], plain), 'axxb'), [0, 1]);
    assert.deepEqual(encode(new BpeModel(ids, [], { ...plain, unknown: 9 }), 'axxbx'), [0, 9, 9, 1, 9]);
    assert.deepEqual(
      encode(new BpeModel(ids, [], { ...plain, unknown: 9, fuseUnknown: true }), 'axxbx'),
      [0, 9, 1, 9],
    );
  });

  it('spells by bytes only when all of them are tokens', () => {
    const bytes = Array.from(
      { length: 256 },
      (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    );
    const all = new Map(bytes.map((token, id) => [token, id]));
    const options = { ...plain, byteFallback: true, unknown: 999 };
    assert.deepEqual(encode(new BpeModel(all, [], options), 'é'), [0xc3, 0xa9]);
    all.delete('<0x00>');
    assert.deepEqual(encode(new BpeModel(all, [], options), 'é'), [999]);
  });

  it('does not merge across what it cannot spell', () => {
    const ids = new Map([
      ['a', 0],
      ['b', 1],
      ['ab', 2],
    ]);
    const model = new BpeModel(ids, [{ left: 'a', right: 'b', rank: 0 }], plain);
    assert.deepEqual(encode(model, 'abaxb'), [2, 0, 1]);
  });

  it('spells by its bytes what stands after merges, in short and long words', () => {
    const bytes = Array.from(
      { length: 256 },
      (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    );
    const ids = new Map([...bytes, 'a', 'b', 'ab'].map((token, id) => [token, id]));
    const merges = [{ left: 'a', right: 'b', rank: 0 }];
    const model = new BpeModel(ids, merges, { ...plain, byteFallback: true });
    for (const count of [2, 40]) {
      const expected = Array.from({ length: count }, () => [258, 0xc3, 0xa9, 256]).flat();
      assert.deepEqual(encode(model, 'abéa'.repeat(count)), expected);
    }
  });
});
