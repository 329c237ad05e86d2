import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadBrown, plainText } from './brown.ts';

describe('the Brown corpus', () => {
  it('loses its tags and gets the usual spaces', () => {
    const tagged =
      "\n\n\tThe/at jury/nn said/vbd ``/`` no/at evidence/nn ''/'' (/( 1/2/cd )/) ./.\nNext/ap ,/, please/uh ?/. ?/.\n\n\n\tNew/jj one/pn ;/. ;/.\n";
    assert.equal(plainText(tagged), 'The jury said "no evidence" (1/2). Next, please?\nNew one;');
  });

  it('has 500 texts of two thousand words', async () => {
    const texts = await loadBrown();
    assert.equal(texts.length, 500);
    assert.equal(texts[0].name, 'ca01');
    assert.match(
      texts[0].text,
      /^The Fulton County Grand Jury said Friday an investigation of Atlanta's recent/,
    );
    for (const { name, text } of texts) {
      const words = text.split(/\s+/).length;
      assert.ok(words > 1500 && words < 2800, `${name} has ${words} words`);
      assert.ok(!/\/(nn|vb|at|jj|cc|np)\b/.test(text), `${name} has a tag`);
    }
  });
});
