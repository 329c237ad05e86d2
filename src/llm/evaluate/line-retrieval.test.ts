import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { isRightAnswer, MOST_LINES, retrievalQuestion, retrievalRecord } from './line-retrieval.ts';

describe('retrievalRecord', () => {
  it('has a line for each of distinct names, with the number it tells', () => {
    const { text, lines } = retrievalRecord(300, createRng(4), 90);
    assert.equal(new Set(lines.map(({ name }) => name)).size, 300);
    const found = [...text.matchAll(/^line ([a-z]+-[a-z]+): REGISTER_CONTENT is <(\d+)>$/gm)];
    assert.deepEqual(
      found.map(([, name, value]) => ({ name, value: Number(value) })),
      lines,
    );
    const values = lines.map(({ value }) => value);
    // 300 draws from 1 … 90: an end is missed by all with probability (89/90)³⁰⁰ = 0.035; this seed does not.
    assert.deepEqual([Math.min(...values), Math.max(...values)], [1, 90]);
    assert.deepEqual(retrievalRecord(300, createRng(4), 90).text, text);
    assert.notEqual(retrievalRecord(300, createRng(5), 90).text, text);
    assert.match(retrievalQuestion(lines[7].name), new RegExp(lines[7].name));
  });

  it('refuses no lines, and more than there are names', () => {
    assert.equal(retrievalRecord(MOST_LINES, createRng(0)).lines.length, MOST_LINES);
    for (const lines of [0, MOST_LINES + 1, 1.5])
      assert.throws(() => retrievalRecord(lines, createRng(0)), {
        code: 'INVALID_ARGUMENT',
        message: /lines/,
      });
  });
});

describe('isRightAnswer', () => {
  it('takes the last whole number', () => {
    for (const answer of ['123', 'It is <123>.', 'line 7: 123', '00123'])
      assert.equal(isRightAnswer(answer, 123), true, answer);
    for (const answer of ['', 'none', '1234', '12 3', '123 or 124'])
      assert.equal(isRightAnswer(answer, 123), false, answer);
  });
});
