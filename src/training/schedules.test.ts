import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { constantSchedule, cosineSchedule, warmUp } from './schedules.ts';

describe('schedules', () => {
  it('a cosine starts at its peak, is half-way in the middle, ends at its floor and stays there', () => {
    const rate = cosineSchedule({ peak: 3, floor: 1, steps: 10 });
    assert.deepEqual([rate(0), rate(10), rate(500)], [3, 1, 1]);
    assert.ok(Math.abs(rate(5) - 2) < 1e-15);
  });

  it('a cosine never rises and never leaves its range', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: 1, max: 40 }), (step, steps) => {
        const rate = cosineSchedule({ peak: 2, floor: 0.5, steps });
        assert.ok(rate(step) >= rate(step + 1) && rate(step) <= 2 && rate(step + 1) >= 0.5);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('warm-up rises linearly to the first rate and then follows the schedule', () => {
    const rate = warmUp(cosineSchedule({ peak: 4, steps: 4 }), 4);
    assert.deepEqual([0, 1, 2, 3, 4].map(rate), [1, 2, 3, 4, 4]);
    assert.equal(rate(8), 0);
    assert.equal(warmUp(constantSchedule(7), 0)(0), 7);
  });

  it('refuse arguments out of range', () => {
    const code = 'INVALID_ARGUMENT';
    assert.throws(() => constantSchedule(-1), { code, message: /constantSchedule: rate is -1/ });
    assert.throws(() => cosineSchedule({ peak: 1, steps: 0 }), { code });
    assert.throws(() => cosineSchedule({ peak: NaN, steps: 1 }), { code });
    assert.throws(() => warmUp(constantSchedule(1), 1.5), { code });
  });
});
