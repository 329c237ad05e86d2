import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, type Rng } from '../../core/rng.ts';
import { landscapeOf } from '../landscape/index.ts';
import { AUCTION_FORMATS, type AuctionFormat, type Bidder, type Landscape, type Setting } from '../types.ts';
import { bestResponse } from './best-response.ts';
import { outcomeAt } from './multipliers.ts';
import { bestByEnumeration, largestStep } from './oracle.ts';

/** One advertiser in `auctions` auctions against two bids each, in `buckets` buckets. */
function randomSetting(rng: Rng, format: AuctionFormat, auctions: number, buckets: number): Setting {
  const values = Float64Array.from({ length: 3 * auctions }, () => Math.exp(0.6 * rng.normal()));
  const ofEntry = new Uint16Array(3 * auctions);
  for (let j = 0; j < auctions; j++) ofEntry.fill(rng.integer(buckets), 3 * j, 3 * j + 3);
  return {
    market: {
      auctions,
      advertisers: 3,
      offsets: Uint32Array.from({ length: auctions + 1 }, (_, j) => 3 * j),
      advertiserOf: Uint32Array.from(values, (_, e) => e % 3),
      values,
      discounts: Float64Array.of(1, 0.5),
    },
    buckets: { count: buckets, ofEntry },
    rules: { format },
  };
}

const noEntries = (landscape: Landscape, k: number) => landscape.entries![k] === 0;

describe('bestResponse', () => {
  for (const format of AUCTION_FORMATS) {
    it(`is as good as trying all combinations, ${format}, 500 seeds`, () => {
      const rng = createRng(8).fork(format);
      let equal = 0;
      for (let run = 0; run < 500; run++) {
        const draws = rng.fork(run);
        const buckets = 1 + draws.integer(3);
        const setting = randomSetting(draws, format, 1 + draws.integer(10), buckets);
        const { values } = setting.market;
        const landscape = landscapeOf(setting, values, 0);
        const total = landscape.value.reduce((sum, v) => sum + v, 0);
        const bidders: Bidder[] = [
          { kind: 'value' },
          { kind: 'value', budget: draws.next() * total * 0.2 },
          { kind: 'utility' },
          { kind: 'utility', budget: draws.next() * total * 0.1 },
        ];
        const bidder = bidders[run % 4] as Extract<Bidder, { kind: 'value' | 'utility' }>;
        const response = bestResponse(landscape, bidder, { format });
        const best = bestByEnumeration(landscape, bidder);
        const reached = bidder.kind === 'value' ? response.value : response.value - response.spend;
        const rounding = 1e-11 * (1 + total);
        assert.ok(reached <= best.objective + rounding, 'never above the oracle');
        assert.ok(best.objective <= response.upperBound + rounding, 'the bound holds');
        assert.ok(reached >= best.objective - largestStep(landscape) - rounding);
        assert.ok(response.spend <= (bidder.budget ?? Infinity) * (1 + 1e-12));
        if (bidder.kind === 'value') assert.ok(response.spend <= response.value * (1 + 1e-12));
        if (reached >= best.objective - rounding) equal++;
        const promised = outcomeAt(landscape, response.multipliers, format);
        assert.ok(Math.abs(promised.value - response.value) < rounding);
        assert.ok(Math.abs(promised.spend - response.spend) < 1e-8 * (1 + total));
        response.multipliers.forEach((mu, k) => {
          assert.equal(Number.isNaN(mu), noEntries(landscape, k));
        });
      }
      assert.ok(equal >= 350, `${equal} of 500 are optimal`);
    });
  }
});
