import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { profileBids } from '../market/profile-bids.ts';
import { recordedProfile } from './recorded-profile.ts';

const generated = provablyGenerator({ auctions: 200, seed: 1 });
const { market } = generated;
const buckets = topicBuckets(generated, 4);
const multipliers = Float64Array.from({ length: 12 * 4 }, (_, cell) => 0.5 + cell / 16);
const bids = profileBids({ market, buckets, rules: { format: 'gsp' } }, multipliers);

describe('recordedProfile', () => {
  for (const method of ['least-squares', 'median'] as const) {
    it(`finds the multipliers behind bids (${method})`, () => {
      const { profile, misfit, totalMisfit, entries } = recordedProfile(market, buckets, bids, method);
      for (const [cell, multiplier] of profile.entries()) {
        assert.ok(Math.abs(multiplier / multipliers[cell] - 1) < 1e-12);
        assert.ok(misfit[cell] < 1e-12);
      }
      assert.ok(totalMisfit < 1e-12);
      assert.equal(entries, market.values.length);
    });
  }

  it('skips entries without bid, and has no multiplier where there is none', () => {
    const some = bids.map((bid, e) => (market.advertiserOf[e] === 0 ? Number.NaN : bid));
    const { profile, misfit, entries } = recordedProfile(market, buckets, some);
    assert.deepEqual([...profile.subarray(0, 4), ...misfit.subarray(0, 4)], Array(8).fill(Number.NaN));
    assert.ok(!profile.subarray(4).some(Number.isNaN));
    assert.ok(entries < market.values.length);
    assert.ok(
      Number.isNaN(
        recordedProfile(
          market,
          buckets,
          bids.map(() => Number.NaN),
        ).totalMisfit,
      ),
    );
  });

  it('reports bids that follow no multiplier; the median is not moved by one of them', () => {
    const [mine] = [...market.advertiserOf.keys()].filter((e) => market.advertiserOf[e] === 3);
    const cell = 3 * 4 + buckets.ofEntry[mine];
    const odd = bids.with(mine, 100);
    const squares = recordedProfile(market, buckets, odd);
    assert.ok(squares.misfit[cell] > 0.1 && squares.profile[cell] > 1.1 * multipliers[cell]);
    const median = recordedProfile(market, buckets, odd, 'median');
    assert.ok(Math.abs(median.profile[cell] / multipliers[cell] - 1) < 1e-12);
  });

  it('explains bids of 0 by a multiplier of 0', () => {
    const { profile, totalMisfit } = recordedProfile(market, buckets, new Float64Array(bids.length));
    assert.ok(profile.every((multiplier) => multiplier === 0));
    assert.equal(totalMisfit, 0);
  });

  it('refuses bids of another market', () => {
    assert.throws(() => recordedProfile(market, buckets, new Float64Array(3)), /bids has length 3/);
  });
});
