import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  byteLevel,
  byteLevelMetadata,
  ggmlMetadata,
  sentencePiece,
  sentencePieceMetadata,
  smollm2,
  strings,
} from '../../../test/golden-tokenizers.ts';
import { ProvablyError } from '../../core/errors.ts';
import { tokenizerFromGguf } from './gguf-tokenizer.ts';

describe('byte-level tokenizers from GGUF metadata', () => {
  for (const pre of ['gpt-2', ...Object.keys(byteLevel.cuts)]) {
    it(`gives the ids of the tokenizers package with the words of ${pre}`, () => {
      const tokenizer = tokenizerFromGguf(byteLevelMetadata(pre));
      strings.forEach((text, i) => {
        const ids = [...tokenizer.encode(text, { parseSpecial: true })];
        assert.deepEqual(ids, byteLevel.cuts[pre]?.[i] ?? byteLevel.ids[i], JSON.stringify(text));
        assert.equal(tokenizer.decode(ids), text);
      });
    });
  }

  it('gives the ids of the tokenizers package for the real SmolLM2', () => {
    const { metadata, ids } = smollm2();
    const tokenizer = tokenizerFromGguf(metadata);
    assert.equal(tokenizer.vocabularySize, 49152);
    assert.deepEqual([...tokenizer.special.endOfGeneration].sort(), [0, 2]);
    strings.forEach((text, i) => {
      assert.deepEqual([...tokenizer.encode(text, { parseSpecial: true })], ids[i], JSON.stringify(text));
    });
  });

  it('reads special tokens in a text only when asked', () => {
    const tokenizer = tokenizerFromGguf(byteLevelMetadata());
    strings.forEach((text, i) => {
      const ids = [...tokenizer.encode(text)];
      assert.deepEqual(ids, byteLevel.untrusted[i] ?? byteLevel.ids[i], JSON.stringify(text));
      assert.ok(!ids.some((id) => tokenizer.isSpecial(id)));
    });
  });

  it('decodes what it encoded, for any text', () => {
    const tokenizer = tokenizerFromGguf(byteLevelMetadata('llama-bpe'));
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.array(fc.constantFrom(...strings)).map((parts) => parts.join('')),
    );
    const property = fc.property(text, fc.boolean(), (any, parseSpecial) => {
      const ids = tokenizer.encode(any, { parseSpecial });
      assert.equal(tokenizer.decode(ids), any.toWellFormed());
      const stream = tokenizer.textStream({ skipSpecial: false });
      assert.equal(Array.from(ids, (id) => stream.push(id)).join('') + stream.end(), any.toWellFormed());
    });
    fc.assert(property, { seed: 4, numRuns: 300 });
  });

  it('adds bos and eos as the file says', () => {
    const ids = (more: Record<string, unknown>): number[] => [
      ...tokenizerFromGguf(byteLevelMetadata('gpt-2', { bos_token_id: 1, eos_token_id: 2, ...more })).encode(
        'a',
      ),
    ];
    const [a] = ids({});
    assert.deepEqual(ids({ add_bos_token: true }), [1, a]);
    assert.deepEqual(ids({ add_bos_token: true, add_eos_token: true }), [1, a, 2]);
    // Llama 3 files may leave it unsaid: its cut brings the answer.
    assert.deepEqual(ids({ pre: 'llama-bpe', add_bos_token: undefined }), [1, a]);
    const tokenizer = tokenizerFromGguf(byteLevelMetadata('gpt-2', { bos_token_id: 1, add_bos_token: true }));
    assert.deepEqual([...tokenizer.encode('a', { addSpecial: false })], [a]);
  });

  it('takes a word that is a token whole where the family does so, merges or none', () => {
    const spell = (pre: string): string[] => {
      const tokens = ['a', 'b', 'c', 'ab', 'abc'];
      const tokenizer = tokenizerFromGguf(ggmlMetadata({ model: 'gpt2', pre, tokens, merges: ['a b'] }));
      return Array.from(tokenizer.encode('abc'), (id) => tokens[id]);
    };
    assert.deepEqual([spell('llama-bpe'), spell('tekken')], [['abc'], ['abc']]);
    assert.deepEqual(
      [spell('gpt-2'), spell('qwen2')],
      [
        ['ab', 'c'],
        ['ab', 'c'],
      ],
    );
  });

  it('takes lists of any kind: typed arrays, iterables, big integers', () => {
    const token_type = Int32Array.from(byteLevel.tokens, (_, id) => (byteLevel.special.includes(id) ? 3 : 1));
    const metadata = byteLevelMetadata('gpt-2', {
      tokens: new Set(byteLevel.tokens),
      token_type,
      eos_token_id: 2n,
    });
    const tokenizer = tokenizerFromGguf(metadata);
    assert.equal(tokenizer.special.eos, 2);
    assert.deepEqual([...tokenizer.encode(strings[20])], byteLevel.ids[20]);
  });

  it('takes ends of turns for syntax, whatever the file says of them', () => {
    const tokens = ['a', '<|im_end|>', '<b>'];
    const file = { model: 'gpt2', pre: 'gpt-2', tokens, merges: [] };
    const userDefined = tokenizerFromGguf(ggmlMetadata({ ...file, token_type: [1, 4, 4] }));
    assert.deepEqual([...userDefined.special.endOfGeneration], [1]);
    assert.deepEqual([...userDefined.encode('a<|im_end|><b>')], [0, 2]); // spelled out, of what the vocabulary has
    const old = tokenizerFromGguf(ggmlMetadata({ ...file, eos_token_id: 2 }));
    assert.equal(old.decode([0, 2], { skipSpecial: true }), 'a');
  });

  it('names what it cannot read', () => {
    const unknown = {
      code: 'UNSUPPORTED',
      message: /tokenizer\.ggml\.pre is "klingon"; expected one of .*smollm/,
    };
    assert.throws(() => tokenizerFromGguf(byteLevelMetadata('klingon')), unknown);
    assert.throws(() => tokenizerFromGguf(ggmlMetadata({ model: 'bert' })), {
      code: 'UNSUPPORTED',
      message: /model is "bert"; expected "gpt2"/,
    });
    assert.throws(() => tokenizerFromGguf(ggmlMetadata({})), { code: 'UNSUPPORTED', message: /is missing/ });
    assert.throws(() => tokenizerFromGguf(byteLevelMetadata('gpt-2', { merges: undefined })), {
      code: 'DATA',
      message: /merges is missing; expected an array of strings/,
    });
    assert.throws(() => tokenizerFromGguf(byteLevelMetadata('gpt-2', { merges: ['a b', 'ab'] })), {
      code: 'DATA',
      message: /merge 1 is "ab"; expected two spellings/,
    });
    const scores = sentencePiece.scores.map((score, id) => (id === 7 ? NaN : score));
    assert.throws(() => tokenizerFromGguf(sentencePieceMetadata({ scores })), {
      code: 'DATA',
      message: /scores\[7\] is NaN; expected a finite number/,
    });
    assert.throws(() => tokenizerFromGguf(byteLevelMetadata('gpt-2', { token_type: [1, 2] })), {
      code: 'DATA',
      message: /token_type is an array of 2; expected \d+ numbers/,
    });
    assert.throws(() => tokenizerFromGguf(byteLevelMetadata('gpt-2', { eos_token_id: 1e6 })), {
      code: 'DATA',
      message: /eos_token_id is 1000000; expected a token id below/,
    });
  });

  it('reads damaged metadata, or says what is wrong with it, and never more', () => {
    const spelling = fc.oneof(
      fc.constantFrom('a', 'b', 'ab', 'Ġ', '▁', '▁a', '<0x41>', '<s>', ''),
      fc.string({ maxLength: 4 }),
    );
    const metadata = fc.record({
      model: fc.constantFrom('gpt2', 'llama'),
      pre: fc.constantFrom('gpt-2', 'llama-bpe', undefined),
      tokens: fc.array(spelling, { maxLength: 12 }),
      merges: fc.array(fc.oneof(fc.constantFrom('a b', 'b a', 'ab a'), fc.string({ maxLength: 5 })), {
        maxLength: 6,
      }),
      types: fc.option(fc.array(fc.integer({ min: -1, max: 8 }), { minLength: 12, maxLength: 12 })),
      bos_token_id: fc.option(fc.integer({ min: -2, max: 14 }), { nil: undefined }),
      add_bos_token: fc.option(fc.boolean(), { nil: undefined }),
    });
    const property = fc.property(
      metadata,
      fc.string({ maxLength: 20 }),
      ({ types, tokens, ...rest }, text) => {
        const token_type = types?.slice(0, tokens.length);
        try {
          const tokenizer = tokenizerFromGguf(ggmlMetadata({ ...rest, tokens, token_type }));
          const ids = tokenizer.encode(text, { parseSpecial: true, addSpecial: false });
          assert.ok(ids.every((id) => id < tokens.length));
          tokenizer.decode(ids);
        } catch (error) {
          assert.ok(error instanceof ProvablyError, String(error));
        }
      },
    );
    fc.assert(property, { seed: 8, numRuns: 500 });
  });

  it('refuses ids outside the vocabulary', () => {
    const tokenizer = tokenizerFromGguf(byteLevelMetadata());
    for (const id of [-1, 0.5, tokenizer.vocabularySize, NaN]) {
      assert.throws(() => tokenizer.decode([id]), { code: 'INVALID_ARGUMENT', message: /token id is/ });
    }
  });
});

describe('SentencePiece tokenizers from GGUF metadata', () => {
  it('gives the ids and texts of sentencepiece', () => {
    const tokenizer = tokenizerFromGguf(sentencePieceMetadata());
    assert.ok(Object.keys(sentencePiece.ids).length >= 300);
    for (const [i, ids] of Object.entries(sentencePiece.ids)) {
      const text = strings[Number(i)];
      assert.deepEqual([...tokenizer.encode(text)], ids, JSON.stringify(text));
      assert.equal(tokenizer.decode(ids), sentencePiece.decoded[i]);
    }
  });

  it('begins with bos unless told otherwise, and knows its usual special ids', () => {
    const tokenizer = tokenizerFromGguf(sentencePieceMetadata({ add_bos_token: undefined }));
    assert.equal(tokenizer.encode('a')[0], 1);
    const { bos, eos, unknown, endOfGeneration } = tokenizer.special;
    assert.deepEqual([bos, eos, unknown, [...endOfGeneration]], [1, 2, 0, [2]]);
  });

  it('puts a space before every stretch of text between special tokens, or none', () => {
    const text = 'a</s>b';
    const spell = (more: Record<string, unknown>): string[] => {
      const tokenizer = tokenizerFromGguf(sentencePieceMetadata(more));
      return Array.from(tokenizer.encode(text, { parseSpecial: true }), (id) => tokenizer.tokenText(id));
    };
    assert.deepEqual(spell({}), ['▁a', '</s>', '▁b']);
    assert.deepEqual(spell({ add_space_prefix: false }), ['a', '</s>', 'b']);
  });

  it('keeps the first space of text that goes on, and drops it at the start', () => {
    const tokenizer = tokenizerFromGguf(sentencePieceMetadata());
    const ids = tokenizer.encode('a a');
    assert.equal(tokenizer.decode(ids), 'a a');
    assert.equal(tokenizer.decode(ids, { continuation: true }), ' a a');
    const stream = tokenizer.textStream();
    assert.equal(Array.from(ids, (id) => stream.push(id)).join(''), ' a a');
  });

  it('does not read the spelling of a byte in a text as that byte', () => {
    const tokenizer = tokenizerFromGguf(sentencePieceMetadata());
    const ids = tokenizer.encode('<0x0A>');
    assert.ok(!ids.includes(tokenizer.idOf('<0x0A>')!));
    assert.deepEqual([...tokenizer.tokenBytes(tokenizer.idOf('<0x0A>')!)], [10]);
  });
});
