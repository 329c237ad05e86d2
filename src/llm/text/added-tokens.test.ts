import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddedTokenSplitter } from './added-tokens.ts';

const token = (id: number, content: string, more = {}) => ({ id, content, special: true, ...more });

describe('AddedTokenSplitter', () => {
  it('takes the leftmost token, and the longest of those that begin there', () => {
    const splitter = new AddedTokenSplitter([token(1, '<a>'), token(2, '<a><b>'), token(3, 'x.y')]);
    assert.deepEqual(splitter.split('1<a><b>2<a>xzy'), [
      { text: '1' },
      { id: 2 },
      { text: '2' },
      { id: 1 },
      { text: 'xzy' },
    ]);
    assert.deepEqual(splitter.split('<a><a><b>x.y'), [{ id: 1 }, { id: 2 }, { id: 3 }]);
    assert.deepEqual(splitter.split(''), []);
  });

  it('lets tokens swallow white space on the sides they say', () => {
    const splitter = new AddedTokenSplitter([
      token(1, '<l>', { lstrip: true }),
      token(2, '<r>', { rstrip: true }),
    ]);
    assert.deepEqual(splitter.split('a <l> b <r> \n c'), [
      { text: 'a' },
      { id: 1 },
      { text: ' b ' },
      { id: 2 },
      { text: 'c' },
    ]);
    assert.deepEqual(splitter.split(' <l><r> '), [{ id: 1 }, { id: 2 }]);
  });

  it('matches single words only where nothing touches them', () => {
    const splitter = new AddedTokenSplitter([token(1, 'cat', { singleWord: true })]);
    assert.deepEqual(splitter.split('a cat, concat cats écat'), [
      { text: 'a ' },
      { id: 1 },
      { text: ', concat cats écat' },
    ]);
  });

  it('refuses tokens that no pattern could hold, as a damaged file has them', () => {
    assert.throws(() => new AddedTokenSplitter([token(1, 'x'.repeat(1001))]), {
      code: 'DATA',
      message: /the longest 1001; expected at most 1000000, and 1000 each/,
    });
    const many = Array.from({ length: 1100 }, (_, i) => token(i, `${i}${'x'.repeat(990)}`));
    assert.throws(() => new AddedTokenSplitter(many), { code: 'DATA', message: /1100 added tokens/ });
  });
});
