import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { epsilonUnits, unitsToEpsilon } from './epsilon.ts';

describe('epsilonUnits', () => {
  it('reads epsilon as the decimal it prints as', () => {
    assert.equal(epsilonUnits('test', 0.1, 'up'), 100_000_000); // although the double 0.1 is above a tenth
    assert.equal(epsilonUnits('test', 0.3, 'down'), 300_000_000); // although the double 0.3 is below three tenths
    assert.equal(epsilonUnits('test', 1e-9, 'up'), 1);
    assert.equal(epsilonUnits('test', 1e6, 'down'), 1e15);
    assert.equal(epsilonUnits('test', 1.23e-7, 'up'), 123);
  });

  it('rounds away from or towards spending', () => {
    assert.equal(epsilonUnits('test', 1.5e-9, 'up'), 2);
    assert.equal(epsilonUnits('test', 1.5e-9, 'down'), 1);
    assert.equal(epsilonUnits('test', 1 / 3, 'up') - epsilonUnits('test', 1 / 3, 'down'), 1);
  });

  it('comes back from units', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e15 }), (units) => {
        assert.equal(epsilonUnits('test', unitsToEpsilon(units), 'up'), units);
        assert.equal(epsilonUnits('test', unitsToEpsilon(units), 'down'), units);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('refuses what is no epsilon', () => {
    for (const epsilon of [0, -1, Number.NaN, Infinity, 9e-10, 1.1e6]) {
      assert.throws(() => epsilonUnits('here', epsilon, 'up'), {
        code: 'INVALID_ARGUMENT',
        message: /^here is/,
      });
    }
  });
});
