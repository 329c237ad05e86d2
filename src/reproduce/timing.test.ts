import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { median, raceSeconds } from './timing.ts';

describe('raceSeconds', () => {
  it('interleaves the rounds and gives one time a competitor', async () => {
    let order = '';
    const competitor = (name: string) => async () => {
      order += name;
    };
    const seconds = await raceSeconds([competitor('a'), competitor('b')], 3);
    assert.equal(order, 'ababab');
    assert.equal(seconds.length, 2);
    assert.ok(seconds.every((time) => time >= 0));
  });
});

describe('median', () => {
  it('is the middle, or between the two in the middle', () => {
    assert.equal(median([5, 1, 100]), 5);
    assert.equal(median([4, 1, 2, 9]), 3);
    assert.equal(median([7]), 7);
  });
});
