import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteLevelMetadata } from '../../../test/golden-tokenizers.ts';
import { tokenizerFromGguf } from './gguf-tokenizer.ts';
import { createOutputText, type OutputOptions, type OutputStep } from './output-text.ts';

const tokenizer = tokenizerFromGguf(byteLevelMetadata('gpt-2', { eos_token_id: 2 }));
const { eos } = tokenizer.special;

/** Steps of a text's tokens until the generation is over. */
function steps(ids: Iterable<number>, options: OutputOptions): OutputStep[] {
  const output = createOutputText(tokenizer, options);
  const taken: OutputStep[] = [];
  for (const id of ids) {
    taken.push(output.push(id));
    if (taken.at(-1)!.finishReason !== undefined) break;
  }
  return taken;
}

const textOf = (taken: readonly OutputStep[]): string => taken.map((step) => step.text).join('');

describe('createOutputText', () => {
  it('ends at an ending token, without its text', () => {
    const ids = [...tokenizer.encode('Hello world'), eos!, ...tokenizer.encode('more')];
    const taken = steps(ids, { maxTokens: 100 });
    assert.equal(textOf(taken), 'Hello world');
    assert.deepEqual(taken.at(-1), { text: '', finishReason: 'stop', stoppedBy: eos });
    const on = steps(ids, { maxTokens: 100, ignoreEnd: true, skipSpecial: false });
    assert.equal(textOf(on), 'Hello world<|im_end|>more');
  });

  it('ends at a stop string across tokens, and shows nothing of it', () => {
    const ids = tokenizer.encode('The answer is 4.\nUser: and?');
    const stop = '.\nUser:';
    assert.ok(ids.length > 8);
    const taken = steps(ids, { maxTokens: 100, stop: ['never', stop] });
    assert.equal(textOf(taken), 'The answer is 4');
    assert.deepEqual([taken.at(-1)!.finishReason, taken.at(-1)!.stoppedBy], ['stop', stop]);
    let shown = '';
    for (const step of taken) {
      shown += step.text;
      assert.ok('The answer is 4'.startsWith(shown)); // never a character too many, at any moment
    }
  });

  it('gives back held text when a stop string does not come', () => {
    const taken = steps([...tokenizer.encode('a.\nUs all'), eos!], { maxTokens: 100, stop: ['.\nUser:'] });
    assert.equal(textOf(taken), 'a.\nUs all');
    const cut = steps(tokenizer.encode('a.\nUs'), {
      maxTokens: tokenizer.encode('a.\nUs').length,
      stop: ['.\nUser:'],
    });
    assert.equal(textOf(cut), 'a.\nUs');
    assert.equal(cut.at(-1)!.finishReason, 'length');
  });

  it('ends by length with what is there, even half a character', () => {
    const bytes = [...tokenizer.encode('𓀀')];
    assert.ok(bytes.length > 1);
    const taken = steps(bytes, { maxTokens: bytes.length - 1 });
    assert.equal(textOf(taken), '\ufffd');
    assert.deepEqual(taken.at(-1), { text: '\ufffd', finishReason: 'length' });
  });

  it('calls it a stop when the last token allowed completes a stop string', () => {
    const ids = tokenizer.encode('yes!');
    const taken = steps(ids, { maxTokens: ids.length, stop: ['!'] });
    assert.deepEqual([textOf(taken), taken.at(-1)!.finishReason], ['yes', 'stop']);
  });

  it('counts tokens of the output, and hands out the rest when broken off', () => {
    const output = createOutputText(tokenizer, { maxTokens: 9, stop: ['worlds'] });
    const ids = tokenizer.encode('Hello world');
    const text = Array.from(ids, (id) => output.push(id).text).join('');
    assert.equal(output.tokens, ids.length);
    assert.equal(text, 'Hello ');
    assert.equal(output.end(), 'world');
  });

  it('refuses to generate nothing', () => {
    assert.throws(() => createOutputText(tokenizer, { maxTokens: 0 }), {
      code: 'INVALID_ARGUMENT',
      message: /maxTokens is 0/,
    });
  });
});
