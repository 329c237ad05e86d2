import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bagsFromLists } from '../bags/bags.ts';
import { toBagAnswers } from './responses.ts';

describe('toBagAnswers', () => {
  const bags = bagsFromLists(
    [
      [0, 1],
      [2, 3, 4, 5],
    ],
    6,
  );

  it('divides sums and their noise by the sizes', () => {
    const answers = toBagAnswers([3, 2], bags, { responses: 'sum', noiseVariance: [8, 8] });
    assert.deepEqual(answers.means, Float64Array.of(1.5, 0.5));
    assert.deepEqual(answers.noiseVariance, Float64Array.of(2, 0.5));
    assert.deepEqual(toBagAnswers([3, 2], bags, { responses: 'mean' }).means, Float64Array.of(3, 2));
  });

  it('never clips noisy proportions, and refuses ones that are not noisy', () => {
    const noisy = toBagAnswers([-0.1, 1.2], bags, { responses: 'proportion', noisy: true });
    assert.deepEqual(noisy.means, Float64Array.of(-0.1, 1.2));
    const known = toBagAnswers([-0.1, 1.2], bags, { responses: 'proportion', noiseVariance: [1, 1] });
    assert.deepEqual(known.means, Float64Array.of(-0.1, 1.2));
    assert.throws(() => toBagAnswers([0.5, 1.2], bags, { responses: 'proportion' }), {
      code: 'DATA',
      message: /proportion of bag 1 is 1.2; expected a number in \[0, 1\]/,
    });
  });

  it('names the bag of a value that is no number, and asks what values are', () => {
    assert.throws(() => toBagAnswers([1, Number.NaN], bags, { responses: 'sum' }), {
      message: /sum of bag 1 is NaN/,
    });
    assert.throws(() => toBagAnswers([1, 1], bags, { responses: 'mean', noiseVariance: [1, -1] }), {
      message: /noise variance of bag 1 is -1/,
    });
    assert.throws(() => toBagAnswers([1], bags, { responses: 'mean' }), { code: 'SHAPE' });
    assert.throws(() => toBagAnswers([1, 1], bags, { responses: 'count' as 'sum' }), {
      message: /responses is "count"; expected one of mean, sum, proportion/,
    });
  });
});
