import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMarket } from '../market/create-market.ts';
import type { AuctionFormat, Setting } from '../types.ts';
import { runAuctions } from './run-auctions.ts';

/** One auction of advertisers 0, 1, …, one bucket: bids are multipliers of values 1. */
function oneAuction(format: AuctionFormat, count: number, discounts: number[]): Setting {
  const market = createMarket(
    {
      auction: new Uint32Array(count),
      advertiser: Uint32Array.from({ length: count }, (_, i) => i),
      value: new Float64Array(count).fill(1),
    },
    { discounts },
  );
  return { market, buckets: { count: 1, ofEntry: new Uint16Array(count) }, rules: { format } };
}

describe('runAuctions', () => {
  it('charges the literal prices of bids 10, 8, 5, 2 at discounts 1, .6, .3', async () => {
    const expected = { fpa: [10, 4.8, 1.5, 0], gsp: [8, 3, 0.6, 0], vcg: [5.3, 2.1, 0.6, 0] };
    for (const format of ['fpa', 'gsp', 'vcg'] as const) {
      const { totals } = await runAuctions(
        oneAuction(format, 4, [1, 0.6, 0.3]),
        Float64Array.of(10, 8, 5, 2),
      );
      totals.spend.forEach((spend, i) => {
        // Three roundings of numbers up to 10.
        assert.ok(Math.abs(spend - expected[format][i]) <= 4e-15, `${format} charges ${i} ${spend}`);
      });
      assert.deepEqual([...totals.value], [1, 0.6, 0.3, 0]);
      assert.deepEqual([...totals.wins], [1, 1, 1, 0]);
    }
  });
});
