import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AuctionRules, Market } from '../types.ts';
import { emptyOutcomes, runSortedAuction } from './sorted-auction.ts';

const market: Market = {
  auctions: 1,
  advertisers: 4,
  offsets: Uint32Array.of(0, 4),
  advertiserOf: Uint32Array.of(0, 1, 2, 3),
  values: Float64Array.of(10, 8, 5, 2),
  discounts: Float64Array.of(1, 0.6, 0.3),
};

function payments(rules: AuctionRules, bids = market.values): number[] {
  const out = emptyOutcomes(4);
  runSortedAuction(market, rules, 0, bids, out);
  return [...out.payment].map((payment) => Number(payment.toFixed(12)));
}

describe('runSortedAuction', () => {
  it('charges what the formats say', () => {
    assert.deepEqual(payments({ format: 'fpa' }), [10, 4.8, 1.5, 0]);
    assert.deepEqual(payments({ format: 'gsp' }), [8, 3, 0.6, 0]);
    assert.deepEqual(payments({ format: 'vcg' }), [5.3, 2.1, 0.6, 0]);
  });

  it('drops bids below the reserve and charges no less', () => {
    assert.deepEqual(payments({ format: 'gsp', reserve: 6 }), [8, 3.6, 0, 0]);
    assert.deepEqual(payments({ format: 'vcg', reserve: 6 }), [0.4 * 8 + 0.6 * 6, 3.6, 0, 0]);
    assert.deepEqual(payments({ format: 'vcg', reserve: 10 }), [10, 0, 0, 0]);
  });

  it('ranks by score and charges the least bid that keeps the place', () => {
    const rules: AuctionRules = {
      format: 'gsp',
      boosts: Float64Array.of(0, 6, 0, 0),
      factors: Float64Array.of(1, 1, 4, 1),
    };
    // Scores 10, 14, 20, 2: entry 2 needs 14 / 4, entry 1 needs 10 − 6, entry 0 needs 2.
    assert.deepEqual(payments(rules), [0.6, 2.4, 3.5, 0]);
  });

  it('never prices an owner by itself', () => {
    const rules: AuctionRules = { format: 'gsp', owners: Uint32Array.of(7, 7, 1, 2) };
    assert.deepEqual(payments(rules), [5, 3, 0.6, 0]);
  });

  it('breaks ties by place or by a hash of auction and advertiser', () => {
    const even = new Float64Array(4).fill(1);
    assert.deepEqual(payments({ format: 'fpa' }, even), [1, 0.6, 0.3, 0]);
    const orders = new Set(
      Array.from({ length: 40 }, (_, seed) => payments({ format: 'fpa', ties: { seed } }, even).join()),
    );
    assert.ok(orders.size > 10, `${orders.size} of 24 orders in 40 seeds`);
  });
});
