import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteLevel, metaspace, sentencePiece, strings } from '../../../test/golden-tokenizers.ts';
import { type TokenizerJson, tokenizerFromJson } from './json-tokenizer.ts';
import type { PipelinePart } from './pipeline-parts.ts';

const added = byteLevel.added.map((id) => ({ id, content: byteLevel.tokens[id], special: false }));
const special = byteLevel.special.map((id) => ({ id, content: byteLevel.tokens[id], special: true }));

/** The byte-level golden tokenizer as the file of its family. */
function byteLevelJson(pre_tokenizer: PipelinePart): TokenizerJson {
  return {
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(byteLevel.tokens.map((token, id) => [token, id])),
      merges: byteLevel.merges,
    },
    added_tokens: [...special, ...added],
    normalizer: null,
    pre_tokenizer,
    post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false },
    decoder: { type: 'ByteLevel' },
  };
}

const plain = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };

describe('tokenizerFromJson', () => {
  it('gives the ids of the tokenizers package for GPT-2 and SmolLM pre-tokenizers', () => {
    const digits = { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, plain] };
    for (const [pre, part] of [
      ['gpt-2', plain],
      ['smollm', digits],
    ] as const) {
      const tokenizer = tokenizerFromJson(byteLevelJson(part));
      strings.forEach((text, i) => {
        const ids = [...tokenizer.encode(text, { parseSpecial: true })];
        assert.deepEqual(ids, byteLevel.cuts[pre]?.[i] ?? byteLevel.ids[i], JSON.stringify(text));
        assert.equal(tokenizer.decode(ids), text);
      });
    }
  });

  it('adds what the template says, and bos as the configuration says', () => {
    const json = byteLevelJson(plain);
    json.post_processor = {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '<|im_start|>' } },
        { Sequence: { id: 'A' } },
        { SpecialToken: { id: '<|im_end|>' } },
      ],
      pair: [],
    };
    const config = { bos_token: '<|im_start|>', eos_token: { content: '<|im_end|>' } };
    const [a] = tokenizerFromJson(json, config).encode('a', { addSpecial: false });
    assert.deepEqual([...tokenizerFromJson(json, config).encode('a')], [1, a, 2]);
    assert.deepEqual([...tokenizerFromJson(json, { ...config, add_bos_token: false }).encode('a')], [a, 2]);
    json.post_processor = null;
    assert.deepEqual([...tokenizerFromJson(json, { ...config, add_bos_token: true }).encode('a')], [1, a]);
  });

  it('knows its special ids, and ends that other files name', () => {
    const tokenizer = tokenizerFromJson(
      byteLevelJson(plain),
      { bos_token: '<|endoftext|>', eos_token: '<|im_end|>', pad_token: null },
      { endOfGeneration: [7], vocabularySize: 2000 },
    );
    const { bos, eos, padding, endOfGeneration } = tokenizer.special;
    assert.deepEqual([bos, eos, padding], [0, 2, undefined]);
    assert.deepEqual([...endOfGeneration].sort(), [0, 2, 7]);
    assert.equal(tokenizer.vocabularySize, 2000);
    assert.equal(tokenizer.decode([1999]), ''); // a row of the model without a token
  });

  it('decodes SentencePiece spellings with byte fallback', () => {
    const vocab = Object.fromEntries(sentencePiece.tokens.map((token, id) => [token, id]));
    const json: TokenizerJson = {
      model: { type: 'BPE', vocab, merges: [], byte_fallback: true, unk_token: '<unk>' },
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
    };
    const tokenizer = tokenizerFromJson(json);
    for (const [i, ids] of Object.entries(sentencePiece.ids)) {
      assert.equal(tokenizer.decode(ids), sentencePiece.decoded[i]);
    }
    // Without merges every character is a token or its bytes.
    assert.equal(tokenizer.decode(tokenizer.encode('é 𓀀'), { continuation: true }), 'é 𓀀');
  });

  it('gives the ids and texts of the tokenizers package for every kind of Metaspace', () => {
    const { model, added_tokens, cases } = metaspace;
    for (const { pre_tokenizer, decoder, ids, decoded } of cases) {
      const tokenizer = tokenizerFromJson({ model, added_tokens: added_tokens!, pre_tokenizer, decoder });
      strings.forEach((text, i) => {
        const expected = ids[i] ?? cases[0].ids[i];
        const where = `${JSON.stringify(pre_tokenizer)} ${JSON.stringify(text)}`;
        assert.deepEqual([...tokenizer.encode(text, { parseSpecial: true })], expected, where);
        // That package drops every space of the first token, SentencePiece and we one: compare where there is one at most.
        if (expected.length > 0 && /▁.*▁/.test(tokenizer.tokenText(expected[0]))) return;
        assert.equal(tokenizer.decode(expected), decoded[i] ?? cases[0].decoded[i], where);
      });
    }
  });

  it('refuses what it does not read exactly', () => {
    const wordPiece = { ...byteLevelJson(plain), decoder: { type: 'WordPiece' } };
    assert.throws(() => tokenizerFromJson(wordPiece), {
      code: 'UNSUPPORTED',
      message: /decoder is WordPiece; expected/,
    });
    const unigram = { ...byteLevelJson(plain), model: { type: 'Unigram', vocab: {}, merges: [] } };
    assert.throws(() => tokenizerFromJson(unigram), {
      code: 'UNSUPPORTED',
      message: /model\.type is "Unigram"/,
    });
    assert.throws(() => tokenizerFromJson({} as TokenizerJson), {
      code: 'DATA',
      message: /model\.vocab is missing/,
    });
    const unsupported = (message: RegExp) => ({ code: 'UNSUPPORTED', message });
    const odd = byteLevelJson({ type: 'Whitespace' });
    assert.throws(() => tokenizerFromJson(odd), unsupported(/pre_tokenizer is Whitespace; expected one of/));
    const merged = byteLevelJson({ type: 'Split', pattern: { String: 'a' }, behavior: 'MergedWithNext' });
    assert.throws(() => tokenizerFromJson(merged), unsupported(/Split behavior is MergedWithNext/));
    const charmap = {
      ...byteLevelJson(plain),
      normalizer: { type: 'Sequence', normalizers: [{ type: 'Precompiled' }] },
    };
    assert.throws(() => tokenizerFromJson(charmap), unsupported(/normalizer is Precompiled/));
    const suffix = byteLevelJson(plain);
    suffix.model.end_of_word_suffix = '</w>';
    assert.throws(
      () => tokenizerFromJson(suffix),
      unsupported(/end_of_word_suffix is "<\/w>"; expected none/),
    );
    const nameless = { ...byteLevelJson(plain), added_tokens: [{ id: 1, content: '' }] };
    assert.throws(() => tokenizerFromJson(nameless), {
      code: 'DATA',
      message: /added_tokens\[0\]\.content is ""/,
    });
    const far = { ...byteLevelJson(plain), added_tokens: [{ id: 1e9, content: 'x' }] };
    assert.throws(() => tokenizerFromJson(far), {
      code: 'DATA',
      message: /the id of "x" is 1000000000; expected/,
    });
    const broken = byteLevelJson({ type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' });
    assert.throws(() => tokenizerFromJson(broken), {
      code: 'DATA',
      message: /tokenizer\.json: .*regular expression/i,
    });
  });

  it('refuses what is no tokenizer', () => {
    let deep: PipelinePart = { type: 'ByteLevel' };
    for (let i = 0; i < 20; i++) deep = { type: 'Sequence', pretokenizers: [deep] };
    const lists = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    const cases: [object, RegExp][] = [
      [{ pre_tokenizer: { type: 'Sequence', pretokenizers: 3 } }, /pre_tokenizer is a Sequence without/],
      [{ pre_tokenizer: deep }, /has a part 17 deep; expected/],
      [{ normalizer: { type: 'Sequence', normalizers: [null] } }, /normalizer has a part without a type/],
      [{ normalizer: { type: 'Replace', content: '' } }, /a Replace whose pattern is no text/],
      [{ post_processor: 'x' }, /post_processor has a part without a type/],
      [{ added_tokens: {} }, /added_tokens is no list/],
      [{ added_tokens: [{ id: 1, content: lists }] }, /content is a list; expected a text/],
      [{ model: { ...byteLevelJson(plain).model, merges: [7] } }, /merge 0 is 7; expected two spellings/],
      [
        { model: { ...byteLevelJson(plain).model, vocab: { a: lists } } },
        /the id of "a" is a list; expected/,
      ],
    ];
    for (const [change, message] of cases) {
      const json = { ...byteLevelJson(plain), ...change } as TokenizerJson;
      assert.throws(() => tokenizerFromJson(json), { code: 'DATA', message });
    }
  });
});
