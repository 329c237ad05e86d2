import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../core/rng.ts';
import { createMarket } from '../market/create-market.ts';
import { AUCTION_FORMATS, type AuctionFormat, type AuctionRules, type Setting } from '../types.ts';
import { auctionDetails } from './auction-details.ts';
import { runAuctions } from './run-auctions.ts';

/** One auction of advertisers 0, 1, … with values 1. */
function oneAuction(rules: AuctionRules, count: number, discounts: number[]): Setting {
  const market = createMarket(
    {
      auction: new Uint32Array(count),
      advertiser: Uint32Array.from({ length: count }, (_, i) => i),
      value: new Float64Array(count).fill(1),
    },
    { discounts },
  );
  return { market, buckets: { count: 1, ofEntry: new Uint16Array(count) }, rules };
}

async function spendOf(format: AuctionFormat, bids: number[], discounts: number[]): Promise<Float64Array> {
  const setting = oneAuction({ format }, bids.length, discounts);
  return (await runAuctions(setting, { bids: Float64Array.from(bids) })).totals.spend;
}

/** What the participants together get for their bids when `absent` is away. */
function reportedWelfare(bids: number[], discounts: number[], absent: number): number {
  const others = bids.filter((_, i) => i !== absent).sort((a, b) => b - a);
  return discounts.reduce((sum, discount, s) => sum + discount * (others[s] ?? 0), 0);
}

const near = (actual: number, expected: number, scale = Math.abs(expected)) => {
  assert.ok(Math.abs(actual - expected) <= 1e-12 * scale, `${actual}, not ${expected}`);
};

const discountLists = fc
  .array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 })
  .map((list) => list.sort((a, b) => b - a));
// Whole numbers tie; denormal ones, which scaling rounds, are left out.
const bidLists = fc.array(fc.oneof(fc.nat({ max: 4 }), fc.double({ min: 0.001, max: 100, noNaN: true })), {
  minLength: 1,
  maxLength: 9,
});
const runs = { seed: 6, numRuns: 150 };

describe('runAuctions', () => {
  it('charges the literal prices of bids 10, 8, 5, 2 at discounts 1, .6, .3', async () => {
    const expected = { fpa: [10, 4.8, 1.5, 0], gsp: [8, 3, 0.6, 0], vcg: [5.3, 2.1, 0.6, 0] };
    for (const format of AUCTION_FORMATS) {
      const { totals } = await runAuctions(
        oneAuction({ format }, 4, [1, 0.6, 0.3]),
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

  it('charges in VCG what the others lose by a winner being there', async () => {
    const property = fc.asyncProperty(bidLists, discountLists, async (bids, discounts) => {
      const setting = oneAuction({ format: 'vcg' }, bids.length, discounts);
      const { winners, payments, slots } = await auctionDetails(setting, { bids: Float64Array.from(bids) });
      const taken = [...winners].map((entry, s) => ({ entry, worth: discounts[s] * (bids[entry] ?? 0) }));
      for (let s = 0; s < slots && taken[s].entry < bids.length; s++) {
        const others = taken.reduce((sum, { worth }, t) => (t === s ? sum : sum + worth), 0);
        const externality = reportedWelfare(bids, discounts, taken[s].entry) - others;
        near(payments[s], externality, 100);
      }
    });
    await fc.assert(property, runs);
  });

  it('charges first price most and VCG least, and never more a click in a worse slot', async () => {
    const property = fc.asyncProperty(bidLists, discountLists, async (list, discounts) => {
      const bids = list.sort((a, b) => b - a); // slot s goes to advertiser s
      const [fpa, gsp, vcg] = await Promise.all(
        AUCTION_FORMATS.map((format) => spendOf(format, bids, discounts)),
      );
      for (let s = 0; s < Math.min(bids.length, discounts.length); s++) {
        const slack = 1e-12 * fpa[s];
        assert.ok(fpa[s] + slack >= gsp[s] && gsp[s] + slack >= vcg[s] && vcg[s] >= 0);
        for (const paid of s > 0 ? [fpa, gsp, vcg] : []) {
          assert.ok(paid[s] / discounts[s] <= (paid[s - 1] / discounts[s - 1]) * (1 + 1e-12) + 1e-300);
        }
      }
    });
    await fc.assert(property, runs);
  });

  it('is a second-price auction with one slot, and VCG charges everybody the first loser where slots are equal', async () => {
    const property = fc.asyncProperty(bidLists, fc.integer({ min: 1, max: 4 }), async (list, slots) => {
      const bids = list.sort((a, b) => b - a);
      const second = [bids[1] ?? 0, ...bids.slice(1).fill(0)];
      assert.deepEqual([...(await spendOf('gsp', bids, [1]))], bids[0] > 0 ? second : bids.map(() => 0));
      assert.deepEqual(await spendOf('vcg', bids, [1]), await spendOf('gsp', bids, [1]));
      const equal = await spendOf('vcg', bids, new Array(slots).fill(0.5));
      equal.forEach((spend, i) => {
        near(spend, i < slots && bids[i] > 0 ? 0.5 * (bids[slots] ?? 0) : 0);
      });
    });
    await fc.assert(property, runs);
  });

  it('sells no slot below the reserve, and the reserve itself is enough', async () => {
    for (const format of AUCTION_FORMATS) {
      const setting = oneAuction({ format, reserve: 3 }, 4, [1, 0.5, 0.25]);
      const { totals, sold } = await runAuctions(setting, Float64Array.of(5, 3, 2.9, 0));
      const expected = { fpa: [5, 1.5, 0, 0], gsp: [3, 1.5, 0, 0], vcg: [3, 1.5, 0, 0] };
      assert.deepEqual([...totals.spend], expected[format]);
      assert.equal(sold, 2);
    }
  });

  it('ranks by factor · bid + boost and charges the least bid that keeps the place', async () => {
    const rules = {
      format: 'gsp',
      factors: Float64Array.of(1, 2, 1),
      boosts: Float64Array.of(0, 0, 5),
    } as const;
    // Scores 10, 12, 6: advertiser 1 needs 2 · bid ≥ 10, advertiser 0 bid ≥ 6, advertiser 2 nothing.
    const { totals } = await runAuctions(oneAuction(rules, 3, [1, 1, 0.5]), Float64Array.of(10, 6, 1));
    assert.deepEqual([...totals.spend], [6, 5, 0]);
  });

  it('lets no owner set its own price', async () => {
    const setting = oneAuction({ format: 'gsp', owners: Uint32Array.of(7, 7, 8) }, 3, [1, 0.5, 0.25]);
    const { totals } = await runAuctions(setting, Float64Array.of(10, 8, 3));
    assert.deepEqual([...totals.spend], [3, 1.5, 0]);
    const vcg = { ...setting, rules: { ...setting.rules, format: 'vcg' } } as const;
    // Advertiser 0 keeps only advertiser 2 from moving up: by one slot of two to come.
    assert.deepEqual([...(await runAuctions(vcg, Float64Array.of(10, 8, 3))).totals.spend], [1.5, 0.75, 0]);
  });

  it('scales with the money: 4 times the values, 4 times welfare and profit, the same winners', async () => {
    const property = fc.asyncProperty(bidLists, discountLists, async (bids, discounts) => {
      for (const format of AUCTION_FORMATS) {
        const plain = await spendOf(format, bids, discounts);
        // A power of two, so that scaling is exact.
        const scaled = await spendOf(
          format,
          bids.map((bid) => 4 * bid),
          discounts,
        );
        assert.deepEqual(
          scaled,
          plain.map((spend) => 4 * spend),
        );
      }
    });
    await fc.assert(property, runs);
  });

  it('does not care who is called what where nobody ties', async () => {
    const distinct = fc.uniqueArray(fc.double({ min: 0.01, max: 100, noNaN: true }), {
      minLength: 2,
      maxLength: 9,
    });
    const property = fc.asyncProperty(distinct, discountLists, async (bids, discounts) => {
      for (const format of AUCTION_FORMATS) {
        const plain = await spendOf(format, bids, discounts);
        assert.deepEqual(await spendOf(format, bids.toReversed(), discounts), plain.toReversed());
      }
    });
    await fc.assert(property, runs);
  });

  it('never charges more than the bids won', async () => {
    const property = fc.asyncProperty(
      bidLists,
      discountLists,
      fc.array(
        fc.tuple(fc.double({ min: 0.1, max: 9, noNaN: true }), fc.double({ min: 0, max: 9, noNaN: true })),
        {
          minLength: 9,
          maxLength: 9,
        },
      ),
      async (bids, discounts, extras) => {
        const factors = Float64Array.from(bids, (_, i) => extras[i][0]);
        const boosts = Float64Array.from(bids, (_, i) => extras[i][1]);
        for (const format of AUCTION_FORMATS) {
          const setting = oneAuction({ format, factors, boosts }, bids.length, discounts);
          const { winners, payments } = await auctionDetails(setting, { bids: Float64Array.from(bids) });
          winners.forEach((entry, s) => {
            if (entry < bids.length) assert.ok(payments[s] <= discounts[s] * bids[entry] * (1 + 1e-15));
          });
        }
      },
    );
    await fc.assert(property, runs);
  });

  it('breaks ties by index or by seed, and warns where many auctions tie', async () => {
    const wins = async (ties: AuctionRules['ties']) => {
      const auction = Uint32Array.from({ length: 4000 }, (_, row) => row >> 1);
      const advertiser = auction.map((_, row) => row & 1);
      const market = createMarket(
        { auction, advertiser, value: new Float64Array(4000).fill(1) },
        { discounts: [1] },
      );
      const buckets = { count: 1, ofEntry: new Uint16Array(4000) };
      return runAuctions({ market, buckets, rules: { format: 'gsp', ties } }, Float64Array.of(1, 1));
    };
    const byIndex = await wins('index');
    assert.deepEqual([...byIndex.totals.wins], [2000, 0]);
    assert.match(byIndex.warnings[0], /^100\.0 % of auctions tie/);
    const bySeed = await wins({ seed: 3 });
    // 2000 fair coins: five standard deviations are 112, false-failure rate 6e-7.
    assert.ok(Math.abs(bySeed.totals.wins[0] - 1000) <= 112);
    assert.notDeepEqual((await wins({ seed: 4 })).totals.wins, bySeed.totals.wins);
    assert.deepEqual(await wins({ seed: 3 }), bySeed);
  });

  it('sells no slot of discount 0', async () => {
    for (const format of AUCTION_FORMATS) {
      const outcome = await runAuctions(oneAuction({ format }, 3, [0, 0]), Float64Array.of(3, 2, 1));
      assert.deepEqual([outcome.sold, outcome.welfare, outcome.profit, outcome.optimum], [0, 0, 0, 0]);
    }
  });

  it('gives more value for more money as one bucket bids more, in every format', async () => {
    const rng = createRng(8);
    const rows = { auction: [] as number[], advertiser: [] as number[], value: [] as number[] };
    for (let row = 0; row < 300; row++) {
      rows.auction.push(Math.floor(row / 5));
      rows.advertiser.push(row % 5);
      rows.value.push(Math.exp(rng.normal()));
    }
    const market = createMarket(rows, { discounts: [1, 0.6, 0.3] });
    const buckets = { count: 2, ofEntry: Uint16Array.from(rows.auction, (j) => j % 2) };
    for (const format of AUCTION_FORMATS) {
      let [value, spend] = [0, 0];
      for (let multiplier = 0; multiplier < 4; multiplier += 0.1) {
        const profile = new Float64Array(10).fill(1);
        profile[2 * 3 + 1] = multiplier;
        const { totals } = await runAuctions({ market, buckets, rules: { format } }, profile);
        // Sums of 60 terms may lose a little to rounding.
        assert.ok(totals.value[3] >= value * (1 - 1e-13) && totals.spend[3] >= spend * (1 - 1e-13));
        [value, spend] = [totals.value[3], totals.spend[3]];
      }
      assert.ok(value > 0 && spend > 0);
    }
  });

  it('counts value beyond the budget for nothing, and bounds what could have been', async () => {
    const setting = {
      ...oneAuction({ format: 'fpa' }, 2, [1, 0.5]),
      bidders: [{ kind: 'value', budget: 0.25 }, { kind: 'value' }],
    } as const;
    const outcome = await runAuctions(setting, Float64Array.of(0.2, 0.1));
    assert.equal(outcome.welfare, 0.75);
    assert.equal(outcome.optimum, 1.25);
  });

  it('names the faulty bid, and stops when told to', async () => {
    const setting = oneAuction({ format: 'fpa' }, 2, [1]);
    for (const bad of [NaN, -1, Infinity]) {
      await assert.rejects(runAuctions(setting, { bids: Float64Array.of(1, bad) }), {
        code: 'INVALID_ARGUMENT',
        message: /bids\[1\] is (NaN|-1|Infinity); expected/,
      });
    }
    await assert.rejects(runAuctions(setting, { bids: Float64Array.of(1) }), { code: 'SHAPE' });
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(runAuctions(setting, Float64Array.of(1, 1), { signal }), /enough/);
  });
});
