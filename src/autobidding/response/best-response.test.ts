import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, type Rng } from '../../core/rng.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { exactLandscapes, landscapeOf } from '../landscape/index.ts';
import { totalsBySorting } from '../landscape/oracle.ts';
import { topicBuckets } from '../market/buckets.ts';
import {
  AUCTION_FORMATS,
  type AuctionFormat,
  type Bidder,
  type Landscape,
  type Response,
  type Setting,
} from '../types.ts';
import { bestResponse } from './best-response.ts';
import { outcomeAt } from './multipliers.ts';
import { bestByEnumeration, largestStep } from './oracle.ts';
import { relaxedResponse } from './relaxed-response.ts';

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

const objectiveOf = ({ kind }: Bidder, { value, spend }: { value: number; spend: number }): number =>
  kind === 'utility' ? value - spend : value;

describe('bestResponse', () => {
  for (const format of AUCTION_FORMATS) {
    it(`is what trying all combinations finds, ${format}, 500 seeds`, () => {
      const rng = createRng(8).fork(format);
      let equalWithoutSearch = 0;
      for (let run = 0; run < 500; run++) {
        const draws = rng.fork(run);
        const setting = randomSetting(draws, format, 1 + draws.integer(10), 1 + draws.integer(3));
        const landscape = landscapeOf(setting, setting.market.values, 0);
        const total = landscape.value.reduce((sum, v) => sum + v, 0);
        const bidders: Optimiser[] = [
          { kind: 'value' },
          { kind: 'value', budget: draws.next() ** 2 * total },
          { kind: 'utility' },
          { kind: 'utility', budget: draws.next() * total * 0.1 },
        ];
        const bidder = bidders[run % 4];
        const best = bestByEnumeration(landscape, bidder);
        // Sums of at most 30 steps, in another order.
        const rounding = 1e-12 * (1 + total);
        const response = bestResponse(landscape, bidder, { format, tolerance: 0 });
        const reached = objectiveOf(bidder, response);
        assert.ok(Math.abs(reached - best.objective) <= rounding, `${reached}, oracle ${best.objective}`);
        assert.ok(Math.abs(response.upperBound - reached) <= rounding, 'proved optimal');
        requireWithin(response, bidder);
        requireAsPromised(landscape, response, format);

        // Without the search: a step of one bucket below the optimum at most.
        const quick = bestResponse(landscape, bidder, { format, width: 0 });
        const quickly = objectiveOf(bidder, quick);
        assert.ok(quickly <= best.objective + rounding && best.objective <= quick.upperBound + rounding);
        assert.ok(quickly >= best.objective - largestStep(landscape) - rounding);
        // A search too narrow to be exact still bounds what it did not look at.
        const narrow = bestResponse(landscape, bidder, { format, width: 1, tolerance: 0 });
        const narrowly = objectiveOf(bidder, narrow);
        assert.ok(narrowly >= quickly - rounding && narrowly <= best.objective + rounding);
        assert.ok(
          best.objective <= narrow.upperBound + rounding && narrow.upperBound <= quick.upperBound + rounding,
        );
        requireWithin(narrow, bidder);
        requireWithin(quick, bidder);
        if (quickly >= best.objective - rounding) equalWithoutSearch++;
      }
      assert.ok(equalWithoutSearch >= 350, `${equalWithoutSearch} of 500 are optimal without a search`);
    });
  }

  it('proves its optimum on markets far too large to enumerate', () => {
    const generated = provablyGenerator({
      advertisers: 6,
      auctions: 400,
      participants: 5,
      topics: 8,
      seed: 3,
    });
    for (const format of AUCTION_FORMATS) {
      const setting = { market: generated.market, buckets: topicBuckets(generated, 8), rules: { format } };
      for (const landscape of exactLandscapes(setting, generated.market.values)) {
        const bidder: Bidder = { kind: 'value' };
        const quick = bestResponse(landscape, bidder, { format, width: 0 });
        const response = bestResponse(landscape, bidder, { format });
        assert.ok(response.upperBound <= response.value * (1 + 1e-7));
        assert.ok(response.value >= quick.value && response.upperBound <= quick.upperBound);
        requireWithin(response, bidder);
        requireAsPromised(landscape, response, format);
        for (const width of [1, 4, 32]) {
          const narrow = bestResponse(landscape, bidder, { format, width, tolerance: 0 });
          assert.ok(narrow.value >= quick.value && narrow.value <= response.upperBound);
          assert.ok(narrow.upperBound >= response.value && narrow.upperBound <= quick.upperBound);
        }
      }
    }
  });

  it('bounds what a narrow search has no room to look at', () => {
    const rng = createRng(15);
    for (let run = 0; run < 60; run++) {
      const draws = rng.fork(run);
      // Two buckets of 80 steps near a common line, so that most steps survive every bound.
      const rising = (): number[] => {
        let sum = 0;
        return Array.from({ length: 80 }, () => (sum += draws.next()));
      };
      const value = Float64Array.from([...rising(), ...rising()]);
      const landscape: Landscape = {
        bucketOffsets: Uint32Array.of(0, 80, 160),
        thresholds: Float64Array.from(value, (_, t) => 1 + (t % 80) / 10),
        value,
        spend: Float64Array.from([...rising(), ...rising()]),
      };
      const bidder: Optimiser = { kind: 'value', budget: 60 * draws.next() };
      const best = bestByEnumeration(landscape, bidder).objective;
      for (const width of [1, 2, 3]) {
        const narrow = bestResponse(landscape, bidder, { format: 'gsp', width, tolerance: 0 });
        assert.ok(
          narrow.value <= best + 1e-10 && narrow.upperBound >= best - 1e-10,
          `${narrow.upperBound} ${best}`,
        );
      }
    }
  });

  it('looks at steps that cost and gain less than the one before, as siblings with boosts make them', () => {
    const landscape: Landscape = {
      bucketOffsets: Uint32Array.of(0, 3),
      thresholds: Float64Array.of(0.5, 0.8, 0.9),
      value: Float64Array.of(3.2, 2, 4),
      spend: Float64Array.of(2.5, 1, 3.9),
    };
    for (const [budget, value] of [
      [0.5, 0],
      [1, 2],
      [2.5, 3.2],
      [4, 4],
    ]) {
      const response = bestResponse(landscape, { kind: 'value', budget }, { format: 'gsp' });
      assert.equal(response.value, value);
      assert.ok(Math.abs(response.upperBound - value) < 1e-11);
      const relaxed = relaxedResponse(landscape, { kind: 'value', budget: 1.75 }, { format: 'gsp' });
      // Half way from the cheapest step to the next; budgets have a slack of 10⁻¹².
      assert.ok(Math.abs(relaxed.value - 2.6) < 1e-11 && Math.abs(relaxed.spend - 1.75) < 1e-11);
    }
  });

  it('in VCG gains nothing but rounding from buckets, 200 seeds', () => {
    const rng = createRng(9);
    for (let run = 0; run < 200; run++) {
      const setting = randomSetting(rng.fork(run), 'vcg', 12, 4);
      const uniform = { ...setting, buckets: { count: 1, ofEntry: new Uint16Array(36) } };
      const [fine, coarse] = [setting, uniform].map((each) => landscapeOf(each, setting.market.values, 0));
      const bidder: Bidder = { kind: 'value' };
      const [many, one] = [fine, coarse].map((landscape) =>
        bestResponse(landscape, bidder, { format: 'vcg' }),
      );
      const [manyMixed, oneMixed] = [fine, coarse].map((landscape) =>
        relaxedResponse(landscape, bidder, { format: 'vcg' }),
      );
      // A common multiplier solves the relaxation: one value per unit of spend in all buckets.
      assert.ok(Math.abs(manyMixed.value - oneMixed.value) <= 1e-9);
      assert.ok(many.value >= one.value - 1e-12);
      assert.ok(many.value - one.value <= largestStep(coarse) + 1e-12);
      assert.ok(manyMixed.value >= many.value - 1e-9 && oneMixed.value >= one.value - 1e-9);
    }
  });

  it('in first price with one multiplier bids exactly 1', () => {
    const rng = createRng(10);
    for (let run = 0; run < 50; run++) {
      const setting = randomSetting(rng.fork(run), 'fpa', 8, 1);
      const landscape = landscapeOf(setting, setting.market.values, 0);
      const response = bestResponse(landscape, { kind: 'value' }, { format: 'fpa' });
      assert.equal(response.multipliers[0], 1);
      assert.equal(response.spend, response.value);
      assert.equal(response.value, outcomeAt(landscape, [1], 'fpa').value);
      assert.equal(response.value, bestByEnumeration(landscape, { kind: 'value' }).objective);
      // A budget that binds takes it away.
      const budget = response.spend / 2;
      if (budget > 0)
        assert.ok(bestResponse(landscape, { kind: 'value', budget }, { format: 'fpa' }).spend <= budget);
    }
  });

  it('accepts to pay exactly the value in first price, in every bucket', () => {
    const landscape: Landscape = {
      bucketOffsets: Uint32Array.of(0, 1, 2),
      thresholds: Float64Array.of(1, 1),
      value: Float64Array.of(0.1 + 0.2, 0.7),
      spend: Float64Array.of(0.1 + 0.2, 0.7),
    };
    const response = bestResponse(landscape, { kind: 'value' }, { format: 'fpa' });
    assert.deepEqual([...response.multipliers], [1, 1]);
    assert.equal(response.value, response.spend);
    assert.equal(response.unconstrained, true);
  });

  it('takes the cheaper of equal responses', () => {
    const landscape: Landscape = {
      bucketOffsets: Uint32Array.of(0, 3),
      thresholds: Float64Array.of(0.5, 0.8, 0.9),
      value: Float64Array.of(2, 2, 2),
      spend: Float64Array.of(1, 1.5, 1.9),
    };
    for (const kind of ['value', 'utility'] as const) {
      const { multipliers, spend } = bestResponse(landscape, { kind }, { format: 'gsp' });
      assert.deepEqual([...multipliers, spend], [0.5, 1]);
    }
  });

  it('has no multiplier where there are no entries, 0 where it bids nothing, and a tiny one where nobody competes', () => {
    const landscape: Landscape = {
      bucketOffsets: Uint32Array.of(0, 0, 1, 1, 2),
      thresholds: Float64Array.of(0, 3),
      value: Float64Array.of(1, 1),
      spend: Float64Array.of(0, 3),
      entries: Uint32Array.of(0, 1, 1, 1),
    };
    const { multipliers, value, spend } = bestResponse(landscape, { kind: 'value' }, { format: 'fpa' });
    assert.deepEqual([...multipliers], [NaN, 1e-9, 0, 0]);
    assert.deepEqual([value, spend], [1, 0]);
    assert.ok(outcomeAt(landscape, multipliers, 'fpa').spend < 1e-8);
  });

  it('follows the rule of bidders that have one', () => {
    const rng = createRng(11);
    for (const format of AUCTION_FORMATS) {
      const setting = randomSetting(rng.fork(format), format, 8, 2);
      const { market } = setting;
      const bidders: Bidder[] = [
        { kind: 'fixed', multiplier: 12 },
        { kind: 'manual', bid: 1.3 },
        { kind: 'value' },
      ];
      const bids = market.values.map((v, e) => [12 * v, 1.3, v][e % 3]);
      const landscapes = exactLandscapes({ ...setting, bidders }, bids);
      const totals = totalsBySorting(market, setting.rules, bids, 0);
      bidders.slice(0, 2).forEach((bidder, i) => {
        const response = bestResponse(landscapes[i], bidder, { format });
        // Nobody ties; sums of 8 payments.
        assert.ok(Math.abs(response.value - totals.value[i]) < 1e-12);
        assert.ok(Math.abs(response.spend - totals.spend[i]) < 1e-11, `${response.spend} ${totals.spend[i]}`);
        assert.deepEqual([...response.multipliers], bidder.kind === 'fixed' ? [12, 12] : [1, 1]);
      });
    }
  });

  it('never falls in value or spend as a multiplier rises; GSP steps never cost less than nothing', () => {
    const rng = createRng(12);
    for (const format of AUCTION_FORMATS) {
      for (let run = 0; run < 50; run++) {
        const setting = randomSetting(rng.fork(`${format} ${run}`), format, 10, 2);
        const { bucketOffsets, value, spend } = landscapeOf(setting, setting.market.values, 1);
        for (let k = 0; k < 2; k++) {
          for (let t = bucketOffsets[k] + 1; t < bucketOffsets[k + 1]; t++) {
            assert.ok(value[t] >= value[t - 1] && spend[t] >= spend[t - 1]);
          }
        }
      }
    }
  });

  it('names a budget, multiplier or option out of range', () => {
    const landscape = landscapeOf(randomSetting(createRng(13), 'gsp', 3, 1), new Float64Array(9), 0);
    const call =
      (bidder: Bidder, options = {}) =>
      () =>
        bestResponse(landscape, bidder, { format: 'gsp', ...options });
    assert.throws(call({ kind: 'value', budget: -1 }), { code: 'INVALID_ARGUMENT', message: /budget is -1/ });
    assert.throws(call({ kind: 'utility', budget: NaN }), /budget is NaN/);
    assert.throws(call({ kind: 'fixed', multiplier: -1 }), /multiplier is -1/);
    assert.throws(call({ kind: 'manual', bid: NaN }), /bid is NaN/);
    assert.throws(call({ kind: 'value' }, { width: -1 }), /width is -1/);
    assert.throws(call({ kind: 'value' }, { tolerance: NaN }), /tolerance is NaN/);
    assert.throws(call({ kind: 'value' }, { format: 'english' }), /format is "english"/);
    assert.equal(call({ kind: 'value', budget: 0 })().spend, 0);
    assert.equal(call({ kind: 'value', budget: Infinity })().unconstrained, true);
  });
});

describe('relaxedResponse', () => {
  it('is a mixture of rows that keeps the limits on average and reaches what it says', () => {
    const rng = createRng(14);
    let mixed = 0;
    for (const format of AUCTION_FORMATS) {
      for (let run = 0; run < 60; run++) {
        const draws = rng.fork(`${format} ${run}`);
        const setting = randomSetting(draws, format, 10, 3);
        const landscape = landscapeOf(setting, setting.market.values, 0);
        const bidders: Optimiser[] = [
          { kind: 'value' },
          { kind: 'value', budget: 3 * draws.next() },
          { kind: 'utility', budget: draws.next() },
        ];
        const bidder = bidders[run % 3];
        const { weights, multipliers, value, spend } = relaxedResponse(landscape, bidder, { format });
        mixed += Number(weights.length === 2);
        let [meanValue, meanSpend] = [0, 0];
        weights.forEach((weight, row) => {
          const outcome = outcomeAt(landscape, multipliers.subarray(3 * row, 3 * row + 3), format);
          meanValue += weight * outcome.value;
          meanSpend += weight * outcome.spend;
        });
        assert.ok(Math.abs(meanValue - value) < 1e-9);
        assert.ok(Math.abs(meanSpend - spend) < 1e-7); // bids of 10⁻⁹ where nobody competes
        const pure = bestResponse(landscape, bidder, { format });
        assert.ok(objectiveOf(bidder, { value, spend }) >= objectiveOf(bidder, pure) - 1e-9);
        assert.ok(spend <= (bidder.budget ?? Infinity) * (1 + 1e-11));
        if (bidder.kind === 'value') assert.ok(spend <= value * (1 + 1e-11));
      }
    }
    assert.ok(mixed > 90, `${mixed} of 180 mix`);
  });
});

type Optimiser = Extract<Bidder, { kind: 'value' | 'utility' }>;

function requireWithin({ value, spend }: Response, { kind, budget = Infinity }: Optimiser): void {
  assert.ok(spend <= budget * (1 + 2e-12));
  if (kind === 'value') assert.ok(spend <= value * (1 + 2e-12));
}

/** The landscape gives at the multipliers what the response says. */
function requireAsPromised(landscape: Landscape, response: Response, format: AuctionFormat): void {
  const promised = outcomeAt(landscape, response.multipliers, format);
  assert.equal(promised.value, response.value);
  // Bids of 10⁻⁹ where nobody competes are paid in first price.
  assert.ok(Math.abs(promised.spend - response.spend) <= 1e-8 * (1 + response.value));
  response.multipliers.forEach((mu, k) => {
    assert.equal(Number.isNaN(mu), landscape.entries![k] === 0);
  });
}
